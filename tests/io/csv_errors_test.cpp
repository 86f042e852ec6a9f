// Bad text: every error names file, line, column and what was found, and says what to do.
#include "calor/io/dataset.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

class CsvErrors : public TemporaryFolder {
 protected:
  void expect_bad(std::string_view content, std::initializer_list<std::string_view> texts,
                  const LoadOptions& options = {}) {
    expect_error(Fault::input, texts, [&] { load("bad.csv", content, options); });
  }
  static LoadOptions label(const std::string& column) {
    LoadOptions options;
    options.label = column;
    return options;
  }
};

TEST_F(CsvErrors, NothingInside) {
  expect_bad("", {"empty file", "bad.csv"});
  expect_bad("\n \r\n\t\n", {"empty file"});
  expect_bad("\xEF\xBB\xBF", {"empty file"});
  expect_bad("a,b,label\n", {"found only a header", "bad.csv"});
}

TEST_F(CsvErrors, TextAmongNumbers) {
  expect_bad("a,b,kind\n1,2,x\n3,four,y\n",
             {"[csv] expected a number", "\"four\"", "bad.csv, line 3, column 2 \"b\"", "--features \"!b\""});
  expect_bad("1,2,x\n3,four,y\n", {"line 2, column 2", "\"four\""});
  expect_bad("a;b\n1.234,5;x\n", {"\"1.234,5\"", "line 2", "decimal"});
  expect_bad("a;b\n1.5;x\n2,5;y\n", {"\"2,5\"", "line 3", "--decimal comma"});
  expect_bad("a,kind\n\"1,234\",x\n", {"\"1,234\"", "thousands"});
  expect_bad("a,kind\n1 2,x\n", {"\"1 2\""});
  // A mistake in the first row must not make it a header.
  expect_bad("5.1,3,5x,0\n4.9,3,1,0\n", {"line 1, column 3", "\"5x\""});
}

TEST_F(CsvErrors, MissingAndNonFiniteValues) {
  for (const char* mark : {"", "NA", "?", "nan", "NaN", "null", "-"})
    expect_bad(fmt::format("a,b,kind\n1,2,x\n3,{},y\n", mark),
               {"missing value", fmt::format("\"{}\"", mark), "line 3, column 2 \"b\"", "fill in the value"});
  for (const char* value : {"inf", "-Infinity", "1e39", "-1e400"})
    expect_bad(fmt::format("a,b,kind\n1,2,x\n3,{},y\n", value),
               {"finite", fmt::format("\"{}\"", value), "line 3, column 2 \"b\""});
  expect_bad("a,kind\n1,x\n2,\n", {"class label", "missing value", "line 3", "\"kind\""});
}

TEST_F(CsvErrors, RaggedRows) {
  expect_bad("a,b,kind\n1,2,x\n3,y\n", {"expected 3 cells as in line 1, found 2", "line 3"});
  expect_bad("a,b,kind\n1,2,x\n3,4,5,y\n", {"expected 3 cells as in line 1, found 4", "line 3"});
  expect_bad("\n1,2,x\n\n3,4\n", {"expected 3 cells as in line 2, found 2", "line 4"});
  expect_bad("a,\"b\nc\",kind\n1,2,x\n3,y\n", {"found 2", "line 4"});
}

TEST_F(CsvErrors, Quotes) {
  expect_bad("a,kind\n1,\"x\n2,y\n", {"closing quote", "line 2"});
  expect_bad("a,kind\n1,\"x\"y\n", {"after the closing quote", "\"y", "line 2"});
}

TEST_F(CsvErrors, Headers) {
  expect_bad("a,,kind\n0,1,x\n", {"a name for every column", "column 2"});
  expect_bad("a,b,a\n0,1,x\n", {"different column names", "\"a\"", "columns 1 and 3"});
  expect_bad("a\xE9,kind\n1,x\n", {"UTF-8", "column 1"});
  expect_bad("a,kind\n1,\xE9t\xE9\n", {"UTF-8", "line 2"});
}

TEST_F(CsvErrors, WrongLabelColumn) {
  expect_bad("length,width,species\n1,2,x\n", {"\"specis\"", "length, width, species", "did you mean \"species\""},
             label("specis"));
  expect_bad("length,width,species\n1,2,x\n", {"\"4\"", "from 1 to 3"}, label("4"));
  expect_bad("length,width,species\n1,2,x\n", {"\"0\""}, label("0"));
  expect_bad("1,2,x\n", {"\"species\"", "x1, x2, x3"}, label("species"));
  expect_bad("only\nx\n", {"feature columns", "separator"});
}

TEST_F(CsvErrors, LabelsThatAreNoClasses) {
  std::string measured = "a,price\n", names = "a,name\n", few = "a,price\n";
  for (int i = 0; i < 30; ++i) measured += fmt::format("{},{}.5\n", i, 100 + i), names += fmt::format("{},n{}\n", i, i);
  for (int i = 0; i < 20; ++i) few += fmt::format("{},{}.5\n", i, i);
  expect_bad(measured, {"expected classes", "\"price\"", "30 different values in 30 rows", "\"100.5\"", "--label"});
  expect_bad(names, {"expected classes", "\"name\""});
  EXPECT_EQ(load("few.csv", few).classes.size(), 20u);
}

TEST_F(CsvErrors, AnnouncedCountsMustHold) {
  expect_bad("4,2,cat,dog\n1,2,1\n3,4,0\n", {"expected 4 rows as line 1 announces, found 2", "truncated"});
  expect_bad("2,2,cat,dog\n1,2,1\n3,4,2\n", {"class from 0 to 1", "\"2\"", "line 3"});
}

TEST_F(CsvErrors, UnknownClassOfASavedModel) {
  LoadOptions options;
  options.classes = {"cat", "dog"};
  expect_bad("a,kind\n1,cat\n2,dgo\n", {"known classes cat, dog", "\"dgo\"", "line 3", "nearest \"dog\""}, options);
}

TEST_F(CsvErrors, OtherKindsOfFile) {
  expect_bad(std::string_view("\x7f" "ELF\0\0", 6), {"binary data", "convert the file"});
  expect_bad("\xFF\xFE" "1", {"UTF-16"});
  expect_error(Fault::input, {"[read]", "folder"}, [&] { load_dataset(path(""), {}, Context()); });
  expect_error(Fault::input, {"neither", "nowhere.csv"}, [&] { load_dataset(path("nowhere.csv"), {}, Context()); });
  write("iris_data.csv", "1,2\n");
  expect_error(Fault::input, {"did you mean", "iris_data.csv"},
               [&] { load_dataset(path("irs_data.csv"), {}, Context()); });
  expect_error(Fault::usage, {"found nothing"}, [] { load_dataset("", {}, Context()); });
}

TEST_F(CsvErrors, MemoryIsCheckedBeforeItIsTaken) {
  // The text fits the limit, its values do not: 4 bytes each against 2 of text.
  std::string row;
  for (int i = 0; i < 50000; ++i) row += "1,";
  row += "x\n";
  write("wide.csv", row + row + row);
  Context context;
  context.memory = MemoryLimit(400'000);
  expect_error(Fault::memory, {"50001 columns", "wide.csv", "--max-memory"},
               [&] { load_dataset(path("wide.csv"), {}, context); });
  context.memory = MemoryLimit(1000);
  expect_error(Fault::memory, {"wide.csv"}, [&] { load_dataset(path("wide.csv"), {}, context); });
}

}  // namespace
}  // namespace calor::io

// Separated text of every accepted form, against contents worked out by hand.
#include "calor/io/dataset.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

class Csv : public TemporaryFolder {
 protected:
  static void expect_small(const Dataset& data) {
    EXPECT_EQ(data.rows, 3);
    EXPECT_EQ(data.columns, 2);
    EXPECT_EQ(data.values, (Numbers{1, 2, 3.5, -4, 5e3, 6}));
    EXPECT_EQ(data.labels, (Labels{1, 0, 1}));
    EXPECT_EQ(data.classes, (Strings{"cat", "dog"}));
  }
  static LoadOptions label(const std::string& column) {
    LoadOptions options;
    options.label = column;
    return options;
  }
};

TEST_F(Csv, HeaderNamesTheColumns) {
  const Dataset data = load("pets.csv", "a,b,kind\n1,2,dog\n3.5,-4,cat\n5e3,6,dog\n");
  expect_small(data);
  EXPECT_EQ(data.features, (Strings{"a", "b"}));
  EXPECT_EQ(data.label, "kind");
  EXPECT_EQ(data.name, "pets");
  EXPECT_EQ(data.source, path("pets.csv"));
  EXPECT_TRUE(data.labelled());
}

TEST_F(Csv, WithoutHeaderColumnsAreNumbered) {
  const Dataset data = load("pets.csv", "1,2,dog\n3.5,-4,cat\n5e3,6,dog\n");
  expect_small(data);
  EXPECT_EQ(data.features, (Strings{"x1", "x2"}));
  EXPECT_EQ(data.label, "x3");
}

TEST_F(Csv, SeparatorIsFoundByItself) {
  expect_small(load("a.csv", "1;2;dog\n3.5;-4;cat\n5e3;6;dog\n"));
  expect_small(load("a.tsv", "1\t2\tdog\n3.5\t-4\tcat\n5e3\t6\tdog\n"));
  expect_small(load("a.txt", "  1 2   dog\n3.5  -4\tcat  \n 5e3 6 dog\n"));
  const Dataset spaced = load("b.csv", "sepal length;petal, width;kind\n1;2;a\n");
  EXPECT_EQ(spaced.features, (Strings{"sepal length", "petal, width"}));
}

TEST_F(Csv, LineEndsMarksAndBlanks) {
  expect_small(load("crlf.csv", "1,2,dog\r\n3.5,-4,cat\r\n5e3,6,dog\r\n"));
  expect_small(load("cr.csv", "1,2,dog\r3.5,-4,cat\r5e3,6,dog"));
  expect_small(load("no_end.csv", "1,2,dog\n3.5,-4,cat\n5e3,6,dog"));
  expect_small(load("bom.csv", "\xEF\xBB\xBF" "1,2,dog\n3.5,-4,cat\n5e3,6,dog\n"));
  expect_small(load("blanks.csv", "\n 1 , 2 , dog \n\n3.5,\t-4,cat\n  \n5e3,6,dog\n\n"));
  EXPECT_EQ(load("bom_header.csv", "\xEF\xBB\xBF" "a,kind\n1,x\n").features, Strings{"a"});
}

TEST_F(Csv, Quotes) {
  expect_small(load("a.csv", "\"1\",\"2\",\"dog\"\n3.5,\" -4 \",\"cat\"\n5e3 , \"6\" ,dog\n"));
  const Dataset data = load("c.csv", "\"a \"\"b\"\"\",\"c,\nd\",kind\n1,2,\"x, y\"\n3,4,\"x, y\"\n");
  EXPECT_EQ(data.features, (Strings{"a \"b\"", "c,\nd"}));
  EXPECT_EQ(data.classes, Strings{"x, y"});
  EXPECT_EQ(data.rows, 2);
}

TEST_F(Csv, UnusualNumbers) {
  const Dataset data = load("a.csv", "+1,.5,5.,1e-60,0\n-0,1E2,0001,-1e-50,1\n");
  EXPECT_EQ(data.values, (Numbers{1, 0.5, 5, 1e-60, 0, 100, 1, -1e-50}));
}

// Digits beyond a float's are kept where they are asked for and there are any; values stay what they were.
TEST_F(Csv, NumbersKeepAllTheirDigits) {
  const Dataset data = load("a.csv", "1,2,x\n3,1000000.015625001,y\n1e-50,0.1,x\n");
  EXPECT_EQ(data.values, (Numbers{1, 2, 3, 1000000.015625001, 1e-50, 0.1}));
}

TEST_F(Csv, MeasuredLabels) {
  std::string text;
  for (int i = 0; i < 30; ++i) text += fmt::format("{},{}\n", i, i < 25 ? fmt::format("{}.5", i) : "");
  LoadOptions options = label("2");
  options.partly_labelled = options.measured = true;
  const Dataset data = load("a.csv", text, options);
  EXPECT_EQ(data.classes.size(), 25u);
  EXPECT_EQ(data.labels.back(), -1);
  options.measured = false;
  expect_error(Fault::input, {"measured quantity"}, [&] { load("a.csv", text, options); });
}

TEST_F(Csv, LabelColumnByNameAndPosition) {
  const std::string text = "kind,a,b\ndog,1,2\ncat,3.5,-4\ndog,5e3,6\n";
  expect_small(load("a.csv", text, label("kind")));
  expect_small(load("a.csv", text, label("1")));
  expect_small(load("a.csv", text, label("-3")));
  expect_small(load("b.csv", "dog,1,2\ncat,3.5,-4\ndog,5e3,6\n", label("1")));
  expect_small(load("b.csv", "dog,1,2\ncat,3.5,-4\ndog,5e3,6\n", label("x1")));
  expect_small(load("c.csv", "1,dog,2\n3.5,cat,-4\n5e3,dog,6\n", label("-2")));
  EXPECT_EQ(load("d.csv", "1,14.5\n2,13.5\n", label("1")).classes, (Strings{"1", "2"}));
}

TEST_F(Csv, UsualLabelNamesAreFoundAnywhere) {
  for (const char* name : {"label", "Class", "TARGET", "y"}) {
    const Dataset data = load("a.csv", std::string(name) + ",a,b\ndog,1,2\ncat,3.5,-4\ndog,5e3,6\n");
    expect_small(data);
    EXPECT_EQ(data.label, name);
  }
}

TEST_F(Csv, HeadersOfNumbersAndRowsOfWordsAreToldApart) {
  // pandas names unnamed columns 0, 1, ...: only the label's name shows that this is a header.
  EXPECT_EQ(load("a.csv", "0,1,label\n5,6,2\n7,8,3\n").rows, 2);
  EXPECT_EQ(load("b.csv", "0,1,species\n5,6,2\n7,8,3\n").rows, 2);
  EXPECT_EQ(load("c.csv", "id,2019,2020,region\n5,6,7,n\n7,8,9,s\n").rows, 2);
  // "y" is a class here, not a name.
  EXPECT_EQ(load("d.csv", "1,2,y\n3,4,n\n").rows, 2);
}

TEST_F(Csv, UnlabelledTakesEveryColumn) {
  LoadOptions options;
  options.labels = LabelUse::none;
  const Dataset data = load("a.csv", "a,b,label\n1,2,3\n4,5,6\n", options);
  EXPECT_EQ(data.columns, 3);
  EXPECT_EQ(data.features, (Strings{"a", "b", "label"}));
  EXPECT_FALSE(data.labelled());
  EXPECT_EQ(data.label, "");
  EXPECT_TRUE(data.classes.empty());
}

TEST_F(Csv, OneRowAndOneClassLoad) {
  const Dataset data = load("a.csv", "a,b,label\n1,2,only\n");
  EXPECT_EQ(data.rows, 1);
  EXPECT_EQ(data.classes, Strings{"only"});
}

TEST_F(Csv, ScikitLearnsFirstLine) {
  const Dataset data = load("a.csv", "3,2,cat,dog\n1,2,1\n3.5,-4,0\n5e3,6,1\n");
  expect_small(data);
  EXPECT_EQ(data.features, (Strings{"x1", "x2"}));
}

TEST_F(Csv, GzippedTextIsUnpackedAndHashedAsStored) {
  const Dataset data = load_dataset(CALOR_TEST_FILES "/members.csv.gz", {}, Context());
  EXPECT_EQ(data.name, "members");
  EXPECT_EQ(data.values, (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(data.classes, (Strings{"x", "y"}));
  EXPECT_EQ(load("a.csv", "1,2,x\n").hash, "a348ffdcaaf36fc32cc4647ec87e5f4cd963a13dca60da7c9b4f484594e7ef1a");
}

TEST_F(Csv, LabelsFileAfterAComma) {
  const std::string points = write("p.csv", "a,b\n1,2\n3.5,-4\n5e3,6\n"),
                    labels = write("l.csv", "label\ndog\ncat\ndog\n");
  const Dataset data = load_dataset(points + "," + labels, {}, Context());
  expect_small(data);
  EXPECT_EQ(data.name, "p");
  write("odd,name.csv", "1,2,dog\n3.5,-4,cat\n5e3,6,dog\n");
  expect_small(load_dataset(path("odd,name.csv"), {}, Context()));
}

TEST_F(Csv, ReportsProgressAndStops) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "1,2,a\n";
  double last = -1;
  Context context;
  context.progress = [&](double done, double total, std::string_view) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, total);
    last = done;
  };
  EXPECT_EQ(load_dataset(write("a.csv", text), {}, context).rows, 20000);
  EXPECT_GT(last, 0);
  StopFlag stop;
  stop.request();
  context.stop = &stop;
  expect_error(Fault::interrupted, {"interrupted"}, [&] { load_dataset(path("a.csv"), {}, context); });
}

}  // namespace
}  // namespace calor::io

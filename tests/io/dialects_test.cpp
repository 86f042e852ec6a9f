// One table, written in the dialects that people's programs have and read back: numbers, labels, names and missing cells are equal in each.
// The table is drawn anew for every seed; the writers below are the other half of the test, apart from the reader.
#include <cmath>
#include <functional>

#include "calor/core/random.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

struct Drawn {
  std::vector<std::vector<double>> numbers;  // by row
  Strings names, labels, columns;
};

Drawn draw(std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Drawn table;
  const auto rows = static_cast<std::int64_t>(5 + random.below(60)), columns = static_cast<std::int64_t>(2 + random.below(6));
  const Strings words{"ant", "red bee", "cät", "O'Neil", "x-ray"};
  for (std::int64_t c = 0; c < columns; ++c) table.columns.push_back(fmt::format("col {}", static_cast<char>('a' + c)));
  for (std::int64_t i = 0; i < rows; ++i) {
    table.names.push_back(fmt::format("sample {}", i));
    table.labels.push_back(words[static_cast<std::size_t>(i < 5 ? i : static_cast<std::int64_t>(random.below(5)))]);
    std::vector<double>& row = table.numbers.emplace_back();
    for (std::int64_t c = 0; c < columns; ++c) {
      const double value = std::ldexp(random.normal(), static_cast<int>(random.below(40)) - 20);
      row.push_back(i == 0 ? value : random.below(5) == 0 ? std::round(value) : value);
    }
  }
  return table;
}

struct Style {
  const char* name;
  std::string delimiter = ",", end = "\n", before, after_header;
  bool quote = false, header = true, decimal_comma = false, pad = false, last_end = true, short_header = false;
  std::function<std::string(const std::string&)> encode = [](const std::string& text) { return text; };
};

std::string utf16(const std::string& text, bool big_endian) {
  std::string bytes = big_endian ? "\xFE\xFF" : "\xFF\xFE";
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = static_cast<unsigned char>(text[i]);
    if (code >= 0xC0) code = (code & 0x1F) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F);
    const char high = static_cast<char>(code >> 8), low = static_cast<char>(code & 0xFF);
    bytes += big_endian ? high : low;
    bytes += big_endian ? low : high;
  }
  return bytes;
}

std::string written(const Drawn& table, const Style& style) {
  const auto text = [&](const std::string& cell) { return style.quote || (style.delimiter == " " && cell.find(' ') != std::string::npos) ? "\"" + cell + "\"" : cell; };
  const auto number = [&](double value) {
    std::string cell = fmt::format("{}", value);
    if (style.decimal_comma) std::replace(cell.begin(), cell.end(), '.', ',');
    return cell;
  };
  const std::string separator = style.pad ? " " + style.delimiter + "  " : style.delimiter;
  std::string content = style.before;
  if (style.header) {
    Strings cells;
    if (!style.short_header) cells.push_back(text("name"));
    for (const std::string& name : table.columns) cells.push_back(text(name));
    cells.push_back(text("kind"));
    content += fmt::format("{}{}{}", fmt::join(cells, separator), style.end, style.after_header);
  }
  for (std::size_t i = 0; i < table.numbers.size(); ++i) {
    Strings cells{text(table.names[i])};
    for (const double value : table.numbers[i]) cells.push_back(number(value));
    cells.push_back(text(table.labels[i]));
    content += fmt::format("{}{}", fmt::join(cells, separator), i + 1 < table.numbers.size() || style.last_end ? style.end : "");
  }
  return style.encode(content);
}

std::vector<Style> styles() {
  std::vector<Style> all(24);
  std::size_t k = 0;
  const auto next = [&](const char* name) -> Style& { all[k].name = name; return all[k++]; };
  next("comma");
  next("semicolon").delimiter = ";";
  next("tab").delimiter = "\t";
  next("pipe").delimiter = "|";
  next("blanks").delimiter = " ";
  next("quoted").quote = true;
  next("carriage return and line feed").end = "\r\n";
  next("lone carriage return").end = "\r";
  next("padded").pad = true;
  next("no end").last_end = false;
  next("no header").header = false;
  next("byte order mark").before = "\xEF\xBB\xBF";
  next("sep line").before = "sep=,\r\n";
  next("comments before").before = "# written by a machine\n# on a day\n";
  next("comments inside").after_header = "# units: none\n";
  next("blank lines").after_header = "\n  \n\n";
  { Style& s = next("decimal comma, semicolon"); s.delimiter = ";"; s.decimal_comma = true; }
  { Style& s = next("decimal comma, tab"); s.delimiter = "\t"; s.decimal_comma = true; }
  { Style& s = next("R's header"); s.delimiter = "\t"; s.short_header = s.quote = true; }
  { Style& s = next("R's header, comma"); s.short_header = true; }
  next("UTF-16 little endian").encode = [](const std::string& text) { return utf16(text, false); };
  next("UTF-16 big endian").encode = [](const std::string& text) { return utf16(text, true); };
  { Style& s = next("spreadsheet in German"); s.delimiter = ";"; s.decimal_comma = s.quote = true; s.end = "\r\n"; s.before = "\xEF\xBB\xBF"; }
  { Style& s = next("tab, no header, quoted"); s.delimiter = "\t"; s.header = false; s.quote = true; }
  EXPECT_EQ(k, all.size());
  return all;
}

class Dialects : public TemporaryFolder {};

TEST_F(Dialects, OneTableReadsTheSameInEach) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const Drawn table = draw(seed);
    Numbers values;
    for (const auto& row : table.numbers) values.insert(values.end(), row.begin(), row.end());
    for (const Style& style : styles()) {
      const auto what = [&] { return fmt::format("{}, seed {}", style.name, seed); };
      const Dataset data = load("table.txt", written(table, style));
      ASSERT_EQ(data.values, values) << what();
      ASSERT_EQ(data.row_names, table.names) << what();
      Strings labels;
      for (const std::int64_t label : data.labels) labels.push_back(data.classes[static_cast<std::size_t>(label)]);
      ASSERT_EQ(labels, table.labels) << what();
      if (style.header) {
        ASSERT_EQ(data.features, table.columns) << what();
      }
    }
  }
}

// What is guessed above is settled by saying it.
TEST_F(Dialects, SettledByOptions) {
  LoadOptions options;
  options.labels = LabelUse::none;
  options.text.header = true;
  EXPECT_EQ(load("a.csv", "1,2\n3,4\n5,6\n", options).features, (Strings{"1", "2"}));
  options.text.header = false;
  EXPECT_EQ(load("b.csv", "0,1,2\n5,3,9\n2,2,1\n7,1,3\n", options).rows, 4);
  options.text = {};
  EXPECT_EQ(load("b.csv", "0,1,2\n5,3,9\n2,2,1\n7,1,3\n", options).rows, 3) << "numbers at equal steps over others are names of columns";
  options.text.delimiter = ':';
  EXPECT_EQ(load("c.csv", "1:2\n3:4\n", options).values, (Numbers{1, 2, 3, 4}));
  options.text = {};
  options.text.decimal = ',';
  EXPECT_EQ(load("d.tsv", "1,234\t2\n5,678\t4\n", options).values, (Numbers{1.234, 2, 5.678, 4}));
  options.text = {};
  expect_error(Fault::input, {"\"1,234\"", "line 1", "--decimal comma"}, [&] { load("d.tsv", "1,234\t2\n5,678\t4\n", options); });
  options.text.encoding = "latin1";
  options.labels = LabelUse::expected;
  EXPECT_EQ(load("e.csv", "a,kind\n1,M\xFC\n2,M\xFC\n", options).classes, (Strings{"Mü"}));
  options.text.encoding = "klingon";
  expect_error(Fault::usage, {"klingon", "encoding"}, [&] { load("e.csv", "a,kind\n1,x\n", options); });
}

TEST_F(Dialects, WhatWasReadIsSaid) {
  LoadOptions options;
  const Dataset data = load("a.csv", "id,a,b,when,kind\nr1,1,5,3,x\nr2,2,5,4,y\n# a remark\nr3,3,5,5,x\n", [&] { options.select = {"!when"}; return options; }());
  EXPECT_EQ(reading_line(data), "read 3 rows x 2 features (label \"kind\", 2 classes; names \"id\"; header yes; comma; 1 column constant; left out when)");
  ASSERT_EQ(data.reading.notes.size(), 1u);
  EXPECT_EQ(data.reading.notes[0], "1 comment line left out");
}

// A row that the reader does not give back is refused by its line or said to be a comment.
// Rows that end in a separator which the header has not, and R's tables whose first column has no name.
TEST_F(Dialects, ASeparatorAtTheEndOfRowsIsNoShift) {
  LoadOptions options;
  options.labels = LabelUse::none;
  const Dataset data = load("a.csv", "a,b\n1,2,\n3,4,\n5,5,\n", options);
  EXPECT_EQ(data.features, (Strings{"a", "b"}));
  EXPECT_EQ(data.values, (Numbers{1, 2, 3, 4, 5, 5}));
  EXPECT_TRUE(data.row_names.empty());
  ASSERT_EQ(data.reading.notes.size(), 1u);
  EXPECT_NE(data.reading.notes[0].find("the empty last column is left out"), std::string::npos);
  const Dataset table = load("b.csv", "a,b\nr,2,\ns,4,7\nt,5,\n", [&] { LoadOptions o = options; o.missing = Missing::drop; return o; }());
  EXPECT_EQ(table.row_names, (Strings{"r", "s", "t"})) << "the last column is not empty everywhere";
  std::string late = "a,b\n";
  for (int i = 0; i < 300; ++i) late += fmt::format("n{},{},{}\n", i, i, i == 299 ? "7" : "");
  options.missing = Missing::drop;
  EXPECT_EQ(load("c.csv", late, options).row_names.size(), 300u) << "the very last row tells";
}

TEST_F(Dialects, CommentsBeforeTheHeaderCount) {
  const Dataset data = load("a.csv", "# made by hand\na,b,kind\n1,2,p\n# more\n3,4,q\n");
  EXPECT_EQ(data.reading.comments, 2);
  EXPECT_EQ(data.reading.notes, (Strings{"2 comment lines left out"}));
}

TEST_F(Dialects, HashesInNamesAreNoComments) {
  const Dataset data = load("a.csv", "tag,x,y\n#ai,1,2\n#ml,3,4\n%20,5,6\n# no row\n", [] { LoadOptions o; o.labels = LabelUse::none; return o; }());
  EXPECT_EQ(data.row_names, (Strings{"#ai", "#ml", "%20"}));
  EXPECT_EQ(data.reading.comments, 1);
  EXPECT_EQ(load("b.txt", "# a b c\n1 2 3\n4 5 6\n", [] { LoadOptions o; o.labels = LabelUse::none; return o; }()).features, (Strings{"a", "b", "c"})) << "numpy.savetxt's header";
}

}  // namespace
}  // namespace calor::io

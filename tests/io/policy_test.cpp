// What columns are: labels, names, features, categories, TRUE and FALSE, missing values.  Expectations are written by hand.
#include "calor/io/missing.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

class Policy : public TemporaryFolder {
 protected:
  static LoadOptions shown() {
    LoadOptions options;
    options.labels = LabelUse::shown;
    return options;
  }
};

TEST_F(Policy, CoordinatesStayCoordinates) {
  for (const char* header : {"x,y", "X,Y", "x,y,z", "a,y", "u,class", "u,target"}) {
    const bool three = std::string(header) == "x,y,z";
    const Dataset data = load("a.csv", std::string(header) + (three ? "\n1,2,3\n4,5,6\n7,8,8\n" : "\n1,2\n4,5\n7,5\n"), shown());
    EXPECT_EQ(data.columns, three ? 3 : 2) << header;
    EXPECT_FALSE(data.labelled()) << header;
  }
  const Dataset noted = load("b.csv", "a,class\n1,0\n2,1\n3,1\n", shown());
  ASSERT_EQ(noted.reading.notes.size(), 1u);
  EXPECT_NE(noted.reading.notes[0].find("\"class\" is a feature"), std::string::npos);
}

TEST_F(Policy, TheOnlyColumnOfWordsIsTheLabelThatIsShown) {
  EXPECT_EQ(load("a.csv", "a,species,b\n1,x,2\n4,y,5\n7,x,5\n", shown()).label, "species");
  expect_error(Fault::input, {"\"Oslo\"", "line 2", "column 2 \"city\"", "--one-hot city", "--features \"!city\""},
               [&] { load("b.csv", "a,city,kind\n1,Oslo,p\n4,Lund,q\n7,Oslo,p\n", shown()); });
  LoadOptions chosen = shown();
  chosen.label = "kind";
  chosen.select = {"!city"};
  const Dataset data = load("b.csv", "a,city,kind\n1,Oslo,p\n4,Lund,q\n7,Oslo,p\n", chosen);
  EXPECT_EQ(data.classes, (Strings{"p", "q"}));
  EXPECT_EQ(data.reading.left_out, (Strings{"city"}));
  chosen.label = "none";
  chosen.select = {"a"};
  EXPECT_FALSE(load("b.csv", "a,city,kind\n1,Oslo,p\n4,Lund,q\n7,Oslo,p\n", chosen).labelled());
}

TEST_F(Policy, APredictedLabelIsNamedSoOrOfWordsOrLast) {
  EXPECT_EQ(load("a.csv", "y,species,b\n1,p,2\n0,q,5\n1,p,5\n", [] { LoadOptions o; o.select = {"b"}; return o; }()).label, "y");
  EXPECT_EQ(load("b.csv", "a,species,b\n1,p,2\n0,q,5\n1,p,5\n").label, "species");
  EXPECT_EQ(load("c.csv", "a,b,c\n1,2,0\n0,3,1\n1,5,1\n").label, "c");
}

TEST_F(Policy, IdentifiersNameTheRows) {
  const auto names = [&](const std::string& text) { return load("a.csv", text, shown()).row_names; };
  for (const char* header : {"Unnamed: 0", "rownames", "X", "...1", "rowid", "row_id"})
    EXPECT_EQ(names(std::string(header) + ",a,b\n0,5,7\n1,6,7\n2,7,9\n"), (Strings{"0", "1", "2"})) << header;
  EXPECT_EQ(names("id,a,b\n007,5,7\n012,6,7\n3,7,9\n"), (Strings{"007", "012", "3"})) << "as they are written";
  EXPECT_EQ(names("paper_id,a,b\n31336,5,7\n11,6,7\n7,7,9\n"), (Strings{"31336", "11", "7"}));
  EXPECT_TRUE(names("u,v,w\n0,5,7\n1,6,7\n2,7,9\n").empty()) << "a coordinate may count";
  EXPECT_TRUE(names("x,y\n0,5\n1,6\n2,7\n").empty());
  EXPECT_TRUE(names("index,a,b\n1.517,5,7\n1.52,6,7\n1.53,7,9\n").empty()) << "measured";
  std::string papers, counts;
  for (int i = 0; i < 12; ++i) papers += fmt::format("{}\t{}\t{}\tTheory{}\n", 700000 - 13 * i * i, i % 2, i % 3, i % 2), counts += fmt::format("{}\t{}\t{}\n", 50 + i, i, i % 2);
  EXPECT_EQ(names(papers).size(), 12u);
  EXPECT_TRUE(names(counts).empty()) << "two such columns are counts";
  LoadOptions settled = shown();
  settled.names = "none";
  EXPECT_EQ(load("a.csv", papers, settled).columns, 3);
}

TEST_F(Policy, TrueAndFalseAreNumbers) {
  const Dataset data = load("a.csv", "a,smoker,kind\n1,TRUE,p\n4,false,q\n7,True,p\n", shown());
  EXPECT_EQ(data.values, (Numbers{1, 1, 4, 0, 7, 1}));
  EXPECT_EQ(data.label, "kind");
  LoadOptions again;
  again.coding = data.coding;
  EXPECT_EQ(load("b.csv", "smoker,a\nFALSE,2\n1,3\n", again).values, (Numbers{2, 0, 3, 1}));
  expect_error(Fault::input, {"TRUE or FALSE", "\"maybe\"", "line 2"}, [&] { load("c.csv", "smoker,a\nmaybe,2\nTRUE,2\n", again); });
}

TEST_F(Policy, CategoriesBecomeColumnsAndNewDataHaveTheSame) {
  LoadOptions options;
  options.one_hot = {"city"};
  const Dataset data = load("a.csv", "city,a,kind\nOslo,1,p\nLund,4,q\nOslo,7,p\nRiga,2,q\n", options);
  EXPECT_EQ(data.features, (Strings{"city=Lund", "city=Oslo", "city=Riga", "a"}));
  EXPECT_EQ(data.values, (Numbers{0, 1, 0, 1, 1, 0, 0, 4, 0, 1, 0, 7, 0, 0, 1, 2}));
  EXPECT_EQ(parse_coding(coding_text(data.coding), "file"), data.coding);
  LoadOptions again;
  again.coding = data.coding;
  const Dataset other = load("b.csv", "a,city\n5,Riga\n6,Riga\n", again);
  EXPECT_EQ(other.values, (Numbers{0, 0, 1, 5, 0, 0, 1, 6}));
  EXPECT_EQ(other.features, data.features);
  expect_error(Fault::input, {"\"Rigga\"", "line 3", "Lund, Oslo, Riga", "nearest \"Riga\""}, [&] { load("c.csv", "a,city\n5,Riga\n6,Rigga\n", again); });
  options.one_hot = {"auto"};
  EXPECT_EQ(load("a.csv", "city,a,kind\nOslo,1,p\nLund,4,q\nOslo,7,p\nRiga,2,q\n", options).columns, 4);
  options.one_hot = {"a"};
  EXPECT_EQ(load("d.csv", "a,b,kind\n10,1,p\n9,4,q\n10,7,p\n", options).features, (Strings{"a=9", "a=10", "b"}));
}

TEST_F(Policy, NamesWithAFewRepeatedAreNamesWhereLabelsAreLookedAt) {
  std::string genes = "gene,a,b,kind\n", alone = "gene,a,b\n", numbered = "id,gene,a,b\n";
  for (int i = 0; i < 30; ++i) {
    const std::string row = fmt::format("g{},{},{}", i % 29, i, i * i);
    genes += fmt::format("{},{}\n", row, i % 2 ? "p" : "q");
    alone += row + "\n";
    numbered += fmt::format("{},{}\n", i, row);
  }
  const Dataset data = load("a.csv", alone, shown());
  EXPECT_EQ(data.row_names.size(), 30u);
  EXPECT_EQ(data.row_names[29], "g0");
  EXPECT_FALSE(data.labelled());
  ASSERT_EQ(data.reading.notes.size(), 1u);
  EXPECT_EQ(data.reading.notes[0], "the column \"gene\" names the rows, as most of its texts are different: --names none makes it a feature");
  EXPECT_EQ(load("b.csv", genes, shown()).label, "kind");
  const Dataset both = load("c.csv", numbered, shown());
  EXPECT_EQ(both.row_names_column, "id");
  EXPECT_EQ(both.features, (Strings{"a", "b"}));
  EXPECT_EQ(both.reading.left_out, (Strings{"gene"}));
  LoadOptions asked = shown();
  asked.label = "gene";
  EXPECT_EQ(load("a.csv", alone, asked).classes.size(), 29u) << "what is only looked at may be anything";
  LoadOptions predicted;
  predicted.label = "gene";
  expect_error(Fault::input, {"different values", "look like names"}, [&] { load("a.csv", alone, predicted); });
}

TEST_F(Policy, CategoriesThatMeetAColumn) {
  LoadOptions options = shown();
  options.label = "none";
  options.one_hot = {"a"};
  expect_error(Fault::input, {"\"a=red\"", "rename the column", "--features \"!a=red\""}, [&] { load("a.csv", "a,a=red,b\nred,1,2\nblue,3,4\nred,0,1\n", options); });
  expect_error(Fault::input, {"which is the label", "--label none"}, [&] {
    LoadOptions predicted;
    predicted.one_hot = {"b"};
    load("b.csv", "a,b\n1,p\n2,q\n3,p\n", predicted);
  });
}

TEST_F(Policy, RemediesQuoteNamesWithBlanks) {
  expect_error(Fault::input, {"--label \"home town\"", "--one-hot \"home town\""}, [&] { load("a.csv", "a,home town,kind\n1,Oslo,p\n4,Lund,q\n7,Oslo,p\n", shown()); });
}

TEST_F(Policy, NumbersThatAreWrittenOtherwise) {
  LoadOptions comma = shown();
  comma.text.decimal = ',';
  expect_error(Fault::input, {"\"1.234,5\"", "without thousands separators: 1234,5"}, [&] { load("a.csv", "a;b\n1,5;2\n1.234,5;3\n2,5;4\n", comma); });
  expect_error(Fault::input, {"\"--\"", "line 3", "leave the cell empty"}, [&] { load("b.csv", "a,b\n1,2\n--,3\n2,4\n5,6\n", shown()); });
}

TEST_F(Policy, DatesAreRefusedWithTheRemedy) {
  for (const char* date : {"2024-05-01", "1/5/2024", "01.05.24", "2024-05-01 12:30:00", "12:30"})
    expect_error(Fault::input, {"dates and times are not numbers", "--features \"!when\"", "line 2"},
                 [&] { load("a.csv", fmt::format("when,a,kind\n{0},1,p\n{0},4,q\n{0},7,p\n", date)); });
}

TEST_F(Policy, MissingValuesAreSettledAsAsked) {
  const std::string text = "id,a,b,kind\nr1,1,10,p\nr2,,20,q\nr3,3,NA,p\nr4,5,60,q\n";
  expect_error(Fault::input, {"missing value", "line 3, column 2 \"a\"", "--missing"}, [&] { load("a.csv", text); });
  LoadOptions keep;
  keep.missing = Missing::drop;
  const Dataset raw = load("a.csv", text, keep);
  EXPECT_EQ(raw.missing, 2);
  Dataset dropped = raw, filled = raw, near = raw;
  settle_missing(dropped, Context());
  EXPECT_EQ(dropped.values, (Numbers{1, 10, 5, 60}));
  EXPECT_EQ(dropped.row_names, (Strings{"r1", "r4"}));
  EXPECT_EQ(dropped.labels, (Labels{0, 1}));
  filled.fill_by = Missing::mean;
  const Filling filling = settle_missing(filled, Context());
  EXPECT_EQ(parse_filling(filling_text(filling), 2, "file").mean, filling.mean);
  EXPECT_EQ(filling.mean, (Numbers{3, 30}));
  EXPECT_EQ(filled.values, (Numbers{1, 10, 3, 20, 3, 30, 5, 60}));
  near.fill_by = Missing::neighbours;
  settle_missing(near, Context());
  EXPECT_EQ(near.values[2], 3) << "of the rows that share a column with it: (1 + 5) / 2";
  EXPECT_EQ(near.values[5], 35) << "(10 + 60) / 2";
  Dataset unnamed = load("b.csv", "a,b,kind\n1,10,p\n,20,q\n3,4,p\n", keep);
  settle_missing(unnamed, Context());
  EXPECT_EQ(unnamed.row_names, (Strings{"1", "3"})) << "their numbers in the file";
  Dataset empty = load("c.csv", "a,b,kind\n1,,p\n2,,q\n", keep);
  expect_error(Fault::input, {"\"b\"", "all of them missing"}, [&] { empty.fill_by = Missing::mean; settle_missing(empty, Context()); });
}

// Of ten donors the five nearest count: distances by hand over the column that is there.
TEST(Fill, TakesTheFiveNearest) {
  Dataset data;
  data.rows = 11;
  data.columns = 2;
  data.features = {"a", "b"};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (int i = 0; i < 10; ++i) data.values.insert(data.values.end(), {double(i), double(100 * i)});
  data.values.insert(data.values.end(), {4.2, nan});
  data.missing = 1;
  data.fill_by = Missing::neighbours;
  settle_missing(data, Context());
  EXPECT_EQ(data.values.back(), (200.0 + 300 + 400 + 500 + 600) / 5);
}

}  // namespace
}  // namespace calor::io

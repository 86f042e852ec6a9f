// Which column names the rows, what becomes of the others, and what is refused.  Expectations are written by hand.
#include "temporary_folder.h"

namespace calor::io {
namespace {

class RowNames : public TemporaryFolder {
 protected:
  static LoadOptions unlabelled() {
    LoadOptions options;
    options.labels = LabelUse::none;
    return options;
  }
  static LoadOptions by(const std::string& label) {
    LoadOptions options;
    options.label = label;
    return options;
  }
};

TEST_F(RowNames, TextsThatAllDifferNameTheRowsWhereverTheyStand) {
  const Dataset first = load("a.csv", "gene,x,y\nBRCA1,1,2\nTP53,3,4\n", unlabelled());
  EXPECT_EQ(first.row_names, (Strings{"BRCA1", "TP53"}));
  EXPECT_EQ(first.row_names_column, "gene");
  EXPECT_EQ(first.features, (Strings{"x", "y"}));
  EXPECT_EQ(first.values, (Numbers{1, 2, 3, 4}));
  const Dataset middle = load("b.csv", "x,gene,y,kind\n1,BRCA1,2,a\n3,TP53,4,b\n", by("kind"));
  EXPECT_EQ(middle.row_names, (Strings{"BRCA1", "TP53"}));
  EXPECT_EQ(middle.values, (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(middle.classes, (Strings{"a", "b"}));
}

TEST_F(RowNames, AFirstColumnThatSaysSoNamesThemEvenWithNumbers) {
  for (const std::string header : {"id", "Name", "INDEX", "row", ""}) {
    const Dataset data = load("a.csv", header + ",x,label\n7,1,a\n7,3,b\n");
    EXPECT_EQ(data.row_names, (Strings{"7", "7"})) << header;
    EXPECT_EQ(data.features, (Strings{"x"})) << header;
    EXPECT_EQ(data.classes, (Strings{"a", "b"})) << header;
    EXPECT_EQ(data.row_names_column, header);
  }
  EXPECT_TRUE(load("b.csv", "x,id,y\n1,7,2\n3,8,4\n", unlabelled()).row_names.empty()) << "not the first: a feature";
  const Dataset pandas = load("c.csv", ",0,1\n0,1.5,2.5\n1,3.5,4.5\n", unlabelled());
  EXPECT_EQ(pandas.values, (Numbers{1.5, 2.5, 3.5, 4.5}));
  EXPECT_EQ(pandas.row_names, (Strings{"0", "1"}));
}

TEST_F(RowNames, TheLabelIsNoNameAndItsPositionCountsAllColumns) {
  const Dataset chosen = load("a.csv", "id,x,y\na,1,2\nb,3,4\n", by("id"));
  EXPECT_TRUE(chosen.row_names.empty());
  EXPECT_EQ(chosen.classes, (Strings{"a", "b"}));
  for (const char* label : {"3", "-2", "kind"}) {
    const Dataset data = load("b.csv", "id,x,kind,y\n9,1,a,2\n8,3,b,4\n", by(label));
    EXPECT_EQ(data.label, "kind") << label;
    EXPECT_EQ(data.labels, (Labels{0, 1})) << label;
    EXPECT_EQ(data.values, (Numbers{1, 2, 3, 4})) << label;
  }
}

TEST_F(RowNames, ASavedModelsFeaturesComeFirstAndOtherTextsDoNoHarm) {
  LoadOptions model = unlabelled();
  model.coding = numbers_named({"id", "x"});
  const Dataset known = load("a.csv", "id,x\n1,2\n3,4\n", model);
  EXPECT_EQ(known.values, (Numbers{1, 2, 3, 4}));
  EXPECT_TRUE(known.row_names.empty());
  model.coding = numbers_named({"x"});
  EXPECT_EQ(load("b.csv", "x,gene\n2,A\n4,B\n", model).row_names, (Strings{"A", "B"}));
  EXPECT_TRUE(load("c.csv", "x,kind\n2,A\n4,A\n", model).row_names.empty());
}

TEST_F(RowNames, WhatCannotBeNamesIsRefused) {
  expect_error(Fault::input, {"found \"a\"", "line 2", "column 1 \"kind\"", "--label kind"},
               [&] { load("a.csv", "kind,x,y\na,1,2\nb,3,4\na,5,6\n", unlabelled()); });
  expect_error(Fault::input, {"found \"p\"", "column 2"}, [&] { load("b.csv", "g,h,x\na,p,1\nb,q,2\n", unlabelled()); });
  // The first line of a file without a header must not vanish.
  EXPECT_EQ(load("c.csv", "u7,1,2\nu8,3,4\n", unlabelled()).row_names, (Strings{"u7", "u8"}));
  expect_error(Fault::input, {"expected a name for every column", "column 1"}, [&] { load("d.csv", ",x\n1,2\n", by("1")); });
}

}  // namespace
}  // namespace calor::io

// Which columns a saved model takes from new data: by name where there are names, else by count.
#include "calor/io/roles.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

class ModelColumns : public TemporaryFolder {
 protected:
  static LoadOptions model(Strings features, const std::string& label, Strings classes = {"cat", "dog"}) {
    LoadOptions options;
    options.coding = numbers_named(features);
    options.label = label;
    options.classes = std::move(classes);
    return options;
  }
};

TEST_F(ModelColumns, ByNameInAnyOrderAndWithoutTheRest) {
  const Dataset data = load("a.csv", "id,b,kind,a\nu7,2,dog,1\nu8,4,cat,3\n", model({"a", "b"}, "kind"));
  EXPECT_EQ(data.features, (Strings{"a", "b"}));
  EXPECT_EQ(data.values, (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(data.labels, (Labels{1, 0}));
  EXPECT_EQ(data.classes, (Strings{"cat", "dog"}));
}

TEST_F(ModelColumns, LabelsAreOptional) {
  const Dataset named = load("a.csv", "b,a\n2,1\n4,3\n", model({"a", "b"}, "kind"));
  EXPECT_EQ(named.values, (Numbers{1, 2, 3, 4}));
  EXPECT_FALSE(named.labelled());
  const Dataset counted = load("b.csv", "1,2\n3,4\n", model({"a", "b"}, "kind"));
  EXPECT_EQ(counted.values, (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(counted.features, (Strings{"a", "b"}));
  EXPECT_FALSE(counted.labelled());
}

TEST_F(ModelColumns, WithoutNamesOneMoreColumnIsTheLabel) {
  const Dataset last = load("a.csv", "1,2,dog\n3,4,cat\n", model({"a", "b"}, "kind"));
  EXPECT_EQ(last.values, (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(last.labels, (Labels{1, 0}));
  // A model trained on a file without header, label first: its label is called x1.
  const Dataset first = load("b.csv", "dog,1,2\ncat,3,4\n", model({"x2", "x3"}, "x1"));
  EXPECT_EQ(first.values, (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(first.labels, (Labels{1, 0}));
  EXPECT_EQ(first.features, (Strings{"x2", "x3"}));
}

TEST_F(ModelColumns, NamesLikeX1InAHeaderAreNamesToo) {
  const Dataset data = load("a.csv", "x2,kind,x1\n2,dog,1\n4,cat,3\n", model({"x1", "x2"}, "kind"));
  EXPECT_EQ(data.values, (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(data.labels, (Labels{1, 0}));
  // A header that lacks one of them says nothing about columns without names.
  EXPECT_EQ(load("b.csv", "b,a\n2,1\n4,3\n", model({"x1", "x2"}, "kind")).values, (Numbers{2, 1, 4, 3}));
}

TEST_F(ModelColumns, MissingFeaturesAndWrongCounts) {
  expect_error(Fault::input, {"\"width\"", "found length, widht", "nearest \"widht\""},
               [&] { load("a.csv", "length,widht\n1,2\n", model({"length", "width"}, "kind")); });
  expect_error(Fault::input, {"expected 2 feature columns", "found 5 columns"},
               [&] { load("b.csv", "1,2,3,4,5\n", model({"a", "b"}, "kind")); });
  expect_error(Fault::input, {"expected 2 feature columns", "found 1 columns"},
               [&] { load("c.csv", "1\n2\n", model({"a", "b"}, "kind")); });
}

TEST_F(ModelColumns, BundledSetsFollowTheSameRules) {
  const Strings features{"petal_width_cm", "sepal_length_cm"};
  const Dataset iris =
      load_dataset("iris", model(features, "species", {"virginica", "versicolor", "setosa"}), Context());
  EXPECT_EQ(iris.features, features);
  EXPECT_EQ(iris.row(0)[0], 0.2);
  EXPECT_EQ(iris.row(0)[1], 5.1);
  EXPECT_EQ(iris.labels.front(), 2);
  EXPECT_EQ(iris.labels.back(), 0);
}

TEST(FindColumn, NamesGoBeforePositions) {
  const Strings names{"2", "a", "b"};
  EXPECT_EQ(find_column(names, "2", "f"), 0);
  EXPECT_EQ(find_column(names, "3", "f"), 2);
  EXPECT_EQ(find_column(names, "-1", "f"), 2);
  EXPECT_EQ(find_column(names, "a", "f"), 1);
  expect_error(Fault::input, {"\"-4\""}, [&] { find_column(names, "-4", "f"); });
}

}  // namespace
}  // namespace calor::io

// Labels to classes: order, merging of equal numbers and a saved model's order, worked out by hand.
#include "calor/io/labels.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

Dataset classify(const Strings& texts, const LoadOptions& options = {}) {
  LabelTexts labels("row");
  Dataset data;
  data.label = "kind";
  for (const std::string& text : texts) labels.add(text, ++data.rows);
  set_labels(data, labels, options, "file");
  return data;
}

TEST(Labels, NumbersAreSortedByValue) {
  const Dataset data = classify({"10", "9", "-1", "10", "2.5"});
  EXPECT_EQ(data.classes, (Strings{"-1", "2.5", "9", "10"}));
  EXPECT_EQ(data.labels, (Labels{3, 2, 0, 3, 1}));
}

TEST(Labels, TextsAreSortedByBytes) {
  const Dataset data = classify({"b", "10", "a", "B", "9", "é"});
  EXPECT_EQ(data.classes, (Strings{"10", "9", "B", "a", "b", "é"}));
  EXPECT_EQ(data.labels, (Labels{4, 0, 3, 2, 1, 5}));
}

TEST(Labels, EqualNumbersAreOneClass) {
  const Dataset data = classify({"1", "1.0", "01", "2", "2e0", "-0", "0"});
  EXPECT_EQ(data.classes, (Strings{"0", "1", "2"}));
  EXPECT_EQ(data.labels, (Labels{1, 1, 1, 2, 2, 0, 0}));
  // Whole numbers beyond the doubles' exact range stay apart.
  EXPECT_EQ(classify({"9007199254740993", "9007199254740992"}).classes,
            (Strings{"9007199254740992", "9007199254740993"}));
}

TEST(Labels, KnownClassesKeepTheirOrder) {
  LoadOptions options;
  options.classes = {"dog", "2", "cat"};
  const Dataset data = classify({"cat", "2.0", "dog"}, options);
  EXPECT_EQ(data.classes, options.classes);
  EXPECT_EQ(data.labels, (Labels{2, 1, 0}));
  expect_error(Fault::input, {"\"cow\"", "row 2", "dog, 2, cat"}, [&] { classify({"cat", "cow"}, options); });
}

TEST(Labels, SomeMayBeMissingWhereThatIsAllowed) {
  LoadOptions options;
  options.partly_labelled = true;
  const Dataset data = classify({"", "b", "?", "a", "NA", "b"}, options);
  EXPECT_EQ(data.classes, (Strings{"a", "b"}));
  EXPECT_EQ(data.labels, (Labels{-1, 1, -1, 0, -1, 1}));
  EXPECT_EQ(classify({"10", "", "9"}, options).labels, (Labels{1, -1, 0})) << "numbers stay in the order of their values";
  expect_error(Fault::input, {"in some row, found none", "\"kind\""}, [&] { classify({"", "?"}, options); });
  options.classes = {"b", "a"};
  EXPECT_EQ(classify({"a", "", "b"}, options).labels, (Labels{1, -1, 0}));
  // Thirty rows, of which four have a label each of its own: the few that are known count, not the rows.
  options.classes.clear();
  Strings mostly_missing(30, "");
  for (int i = 0; i < 4; ++i) mostly_missing[static_cast<std::size_t>(i)] = std::string(1, static_cast<char>('a' + i));
  EXPECT_EQ(classify(mostly_missing, options).classes.size(), 4u);
}

TEST(Labels, MissingOrTooFew) {
  expect_error(Fault::input, {"missing value \"?\"", "file, row 2", "\"kind\""}, [] { classify({"a", "?"}); });
  Dataset data;
  data.rows = 3;
  LabelTexts labels("row");
  labels.add("a", 1);
  expect_error(Fault::input, {"each of 3 rows, found 1 labels"}, [&] { set_labels(data, labels, {}, "file"); });
}

}  // namespace
}  // namespace calor::io

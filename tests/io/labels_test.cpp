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
  const Dataset data = classify({"1", "1.0", "+1", "2", "2e0", "-0", "0"});
  EXPECT_EQ(data.classes, (Strings{"0", "1", "2"}));
  EXPECT_EQ(data.labels, (Labels{1, 1, 1, 2, 2, 0, 0}));
  // Whole numbers beyond the doubles' exact range stay apart.
  EXPECT_EQ(classify({"9007199254740993", "9007199254740992"}).classes,
            (Strings{"9007199254740992", "9007199254740993"}));
}

TEST(Labels, LeadingZerosTellCodesApart) {
  const Dataset data = classify({"01", "1", "01", "10"});
  EXPECT_EQ(data.classes, (Strings{"01", "1", "10"}));
  EXPECT_EQ(data.labels, (Labels{0, 1, 0, 2}));
  LoadOptions measured;
  measured.measured = true;
  EXPECT_EQ(classify({"01", "1", "2"}, measured).classes, (Strings{"1", "2"}));
}

// What marks missing values elsewhere is a class where the labels are signs, and where one class would be left.
TEST(Labels, MarksOfMissingValuesMayBeClasses) {
  for (const bool partly : {false, true}) {
    LoadOptions options;
    options.partly_labelled = partly;
    const Dataset signs = classify({"+", "-", "-", "+"}, options);
    EXPECT_EQ(signs.classes, (Strings{"+", "-"}));
    EXPECT_EQ(signs.labels, (Labels{0, 1, 1, 0}));
    ASSERT_EQ(signs.reading.notes.size(), 1u);
    EXPECT_EQ(signs.reading.notes[0], "\"-\" in the label column \"kind\" is read as a class: leave the cell empty where a row has no label");
    EXPECT_EQ(classify({"NA", "EU", "EU"}, options).classes, (Strings{"EU", "NA"}));
    EXPECT_EQ(classify({"null", "alt", "null"}, options).labels, (Labels{1, 0, 1}));
    EXPECT_EQ(classify({"a", ".", "a"}, options).classes, (Strings{".", "a"}));
  }
  LoadOptions options;
  options.partly_labelled = true;
  const Dataset three = classify({"EU", "NA", "US", "NA", ""}, options);
  EXPECT_EQ(three.labels, (Labels{0, -1, 1, -1, -1}));
  EXPECT_EQ(three.reading.notes, (Strings{"3 of 5 rows have no label (\"NA\"): give the class another name if it is one"}));
  EXPECT_EQ(classify({"p", "", "q"}, options).reading.notes, (Strings{"1 of 3 rows has no label"}));
  EXPECT_EQ(classify({"p", "-", "q"}, options).labels, (Labels{0, -1, 1}));
  EXPECT_EQ(classify({"1", "-", "1"}, options).labels, (Labels{0, -1, 0})) << "numbers may lack";
  EXPECT_EQ(classify({"p", "?", "p"}, options).labels, (Labels{0, -1, 0})) << "a question mark is no class";
  options.classes = {"EU", "NA"};
  EXPECT_EQ(classify({"NA", "", "EU"}, options).labels, (Labels{1, -1, 0})) << "a model's class";
}

TEST(Labels, AMeasuredLabelThatIsNoNumberIsNamedByItsPlace) {
  LoadOptions options;
  options.measured = options.partly_labelled = true;
  expect_error(Fault::input, {"\"kind\"", "\"high\"", "file, row 3"}, [&] { classify({"1.5", "", "high", "2"}, options); });
  expect_error(Fault::input, {"\"inf\"", "row 2"}, [&] { classify({"1.5", "inf"}, options); });
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

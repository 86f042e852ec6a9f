// Text: against results worked out by hand.
#include "calor/core/text.h"

#include <gtest/gtest.h>

namespace calor {
namespace {

using Names = std::vector<std::string>;

TEST(NearestName, FindsWhatWasMeant) {
  const Names known{"moons", "digits", "iris", "wine", "breast_cancer"};
  EXPECT_EQ(nearest_name("digit", known), "digits");
  EXPECT_EQ(nearest_name("digits", known), "digits");
  EXPECT_EQ(nearest_name("irsi", known), "iris");
  EXPECT_EQ(nearest_name("breastcancer", known), "breast_cancer");
  EXPECT_EQ(nearest_name("mnist_train.csv", known), "");
  EXPECT_EQ(nearest_name("anything", {}), "");
  for (const char* far : {"foo", "x", "iron", "wane and dine", ""}) EXPECT_EQ(nearest_name(far, {"dot", "k", "iris", "wine", "row"}), "") << far;
  EXPECT_EQ(nearest_name("kk", {"k"}), "k");
  EXPECT_EQ(nearest_name("dto", {"dot"}), "dot");
  EXPECT_EQ(nearest_name("euclidian", {"euclidean"}), "euclidean");
}

TEST(NearestName, PrefersTheNearer) {
  EXPECT_EQ(nearest_name("learn", {"lean", "learns", "learn"}), "learn");
  EXPECT_EQ(nearest_name("metrik", {"matrix", "metric"}), "metric");
}

TEST(ListNames, CutsLongLists) {
  EXPECT_EQ(list_names({}), "");
  EXPECT_EQ(list_names({"a"}), "a");
  EXPECT_EQ(list_names({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(list_names({"a", "b", "c"}, 2), "a, b, ... (3 in all)");
  EXPECT_EQ(list_names({"a", "b", "c"}, 3), "a, b, c");
}

TEST(SplitText, KeepsEmptyPieces) {
  EXPECT_EQ(split_text("", ','), Names{""});
  EXPECT_EQ(split_text("a", ','), Names{"a"});
  EXPECT_EQ(split_text("a,,b,", ','), (Names{"a", "", "b", ""}));
}

TEST(Trim, TakesBlanksFromBothEnds) {
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim(" \t\r\n"), "");
  EXPECT_EQ(trim("  a b\r\n"), "a b");
  EXPECT_EQ(trim("a"), "a");
}

}  // namespace
}  // namespace calor

// Lists of the nearest, and whom a round of neighbours of neighbours shows.
#include "calor/engine/nearest_lists.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace calor::engine {
namespace {

std::vector<std::int32_t> listed(const NearestLists& lists, std::int64_t i) { return {lists.of(i).begin(), lists.of(i).end()}; }

TEST(NearestLists, KeepTheNearestOfEqualOnesTheLowerNumber) {
  const std::vector<std::int32_t> numbers{5, 4, 3, 2, 1, 0};  // of the points 0 to 5
  NearestLists lists(6, 3, numbers.data());
  EXPECT_TRUE(lists.offer(0, 2.0, 1));
  EXPECT_FALSE(lists.offer(0, 2.0, 1));
  EXPECT_EQ(lists.reach(0), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(lists.offer(0, 2.0, 2));
  EXPECT_TRUE(lists.offer(0, 1.0, 3));
  EXPECT_EQ(lists.reach(0), 2.0);
  EXPECT_EQ(listed(lists, 0), (std::vector<std::int32_t>{3, 2, 1}));
  EXPECT_TRUE(lists.offer(0, 2.0, 5));  // number 0: before the others at the same distance
  EXPECT_EQ(listed(lists, 0), (std::vector<std::int32_t>{3, 5, 2}));
  EXPECT_FALSE(lists.offer(0, 2.0, 1));
  EXPECT_FALSE(lists.offer(0, 2.5, 4));
  EXPECT_EQ(listed(lists, 1).size(), 0U);
}

// A chain 0 - 1 - 2 - 3 - 4, each with one neighbour before it: those two steps away are shown, once.
TEST(NearestLists, ShowNeighboursOfNeighboursInBothDirectionsOnce) {
  const std::vector<std::int32_t> numbers{0, 1, 2, 3, 4};
  NearestLists lists(5, 2, numbers.data());
  for (std::int32_t i = 1; i < 5; ++i) lists.offer(i, 1.0, i - 1);
  const auto shown = [](const NearestLists::Around& around, std::int64_t i) {
    NearestLists::Around::Set met(64);
    std::vector<std::int32_t> result;
    around.candidates(i, met, result);
    const std::multiset<std::int32_t> sorted(result.begin(), result.end());
    return std::vector<std::int32_t>(sorted.begin(), sorted.end());
  };
  const auto first = lists.around(2, Context());
  EXPECT_EQ(shown(first, 2), (std::vector<std::int32_t>{0, 3, 4}));  // 1 is its own; 3 has it
  EXPECT_EQ(shown(first, 0), (std::vector<std::int32_t>{1, 2}));
  // Nothing is fresh now but what comes.
  EXPECT_EQ(shown(lists.around(2, Context()), 2), (std::vector<std::int32_t>{}));
  lists.offer(4, 0.5, 0);
  const auto after = lists.around(2, Context());
  EXPECT_EQ(shown(after, 3), (std::vector<std::int32_t>{0}));     // over 4, which has 0 anew
  EXPECT_EQ(shown(after, 1), (std::vector<std::int32_t>{4}));     // over 0, whom 4 has anew
  EXPECT_EQ(shown(after, 2), (std::vector<std::int32_t>{}));      // three steps from it
}

TEST(NearestLists, ShowNoMoreThanAskedForTheNearestFirst) {
  std::vector<std::int32_t> numbers(40);
  for (std::int32_t i = 0; i < 40; ++i) numbers[static_cast<std::size_t>(i)] = i;
  NearestLists lists(40, 1, numbers.data());
  for (std::int32_t i = 1; i < 40; ++i) lists.offer(i, 40.0 - i, 0);  // all have 0, the last is nearest
  NearestLists::Around::Set met(64);
  std::vector<std::int32_t> result;
  lists.around(3, Context()).candidates(0, met, result);
  std::sort(result.begin(), result.end());
  EXPECT_EQ(result, (std::vector<std::int32_t>{37, 38, 39}));
}

}  // namespace
}  // namespace calor::engine

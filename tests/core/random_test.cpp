// Random numbers: Philox4x32-10 against the known-answer vectors published with Random123 (kat_vectors), the stream's
// contract (independence, seeking) directly, and distributions against their moments within 5 standard errors, with
// fixed seeds, so that a right generator passes always.
#include "calor/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace calor {
namespace {

using Block = std::array<std::uint32_t, 4>;
constexpr double tolerance = 5;  // standard errors: one chance in 1.7 million for a single check of a random seed

TEST(Philox, MatchesThePublishedVectors) {
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  // Digits of pi.
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, StreamsFollowTheDocumentedCounter) {
  Random random(0x0123456789abcdef, Purpose::shuffle, 0x1122334455667788);
  const auto block = [](std::uint32_t number) {
    return philox({number, static_cast<std::uint32_t>(Purpose::shuffle), 0x55667788, 0x11223344},
                  {0x89abcdef, 0x01234567});
  };
  for (std::uint32_t number = 0; number < 3; ++number)
    for (const std::uint32_t word : block(number)) EXPECT_EQ(random.bits(), word);
}

TEST(Random, SeedPurposeAndIndexSeparateStreams) {
  const auto first = [](std::uint64_t seed, Purpose purpose, std::uint64_t index) {
    return Random(seed, purpose, index).bits();
  };
  const std::set<std::uint32_t> words{first(1, Purpose::data, 0),          first(2, Purpose::data, 0),
                                      first(1, Purpose::split, 0),         first(1, Purpose::data, 1),
                                      first(1ull << 32, Purpose::data, 0), first(1, Purpose::data, 1ull << 32)};
  EXPECT_EQ(words.size(), 6u);
  EXPECT_EQ(first(7, Purpose::noise, 3), first(7, Purpose::noise, 3));
}

TEST(Random, SeekResumesAtAnyPosition) {
  Random random(3, Purpose::test);
  std::vector<std::uint32_t> words(37);
  for (std::uint32_t& word : words) word = random.bits();
  EXPECT_EQ(random.position(), words.size());
  for (const std::size_t at : {36, 0, 5, 4, 3, 17}) {
    random.seek(at);
    EXPECT_EQ(random.bits(), words[at]) << "position " << at;
  }
  Random resumed(3, Purpose::test);
  resumed.seek(11);
  EXPECT_EQ(resumed.bits(), words[11]);
}

TEST(Random, UniformHasItsMomentsAndEvenCells) {
  Random random(11, Purpose::test);
  constexpr int draws = 100000, cells = 64;
  std::vector<int> counts(cells);
  double sum = 0, squares = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    sum += x, squares += x * x;
    ++counts[static_cast<std::size_t>(x * cells)];
  }
  EXPECT_NEAR(sum / draws, 0.5, tolerance * std::sqrt(1.0 / 12 / draws));
  EXPECT_NEAR(squares / draws, 1.0 / 3, tolerance * std::sqrt(4.0 / 45 / draws));
  double chi_squared = 0;
  for (const int count : counts) chi_squared += std::pow(count - double(draws) / cells, 2) / (double(draws) / cells);
  EXPECT_NEAR(chi_squared, cells - 1, tolerance * std::sqrt(2.0 * (cells - 1)));
}

TEST(Random, UniformFillsItsInterval) {
  Random random(5, Purpose::test);
  double least = 1e9, most = -1e9;
  for (int i = 0; i < 1000; ++i) {
    const double x = random.uniform(-3, 7);
    least = std::min(least, x), most = std::max(most, x);
  }
  EXPECT_GE(least, -3);
  EXPECT_LT(most, 7);
  EXPECT_LT(least, -2.9);  // missing the last hundredth in 1000 draws: e^-10
  EXPECT_GT(most, 6.9);
}

TEST(Random, NormalHasItsMoments) {
  Random random(13, Purpose::test);
  constexpr int draws = 100000;
  double moments[5] = {};
  int beyond_two = 0;
  for (int i = 0; i < draws; ++i) {
    const double x = random.normal();
    ASSERT_TRUE(std::isfinite(x));
    for (int power = 1; power <= 4; ++power) moments[power] += std::pow(x, power) / draws;
    beyond_two += std::abs(x) > 2;
  }
  // Variances of x, x^2, x^3, x^4 of a standard normal: 1, 2, 15, 96.
  EXPECT_NEAR(moments[1], 0, tolerance * std::sqrt(1.0 / draws));
  EXPECT_NEAR(moments[2], 1, tolerance * std::sqrt(2.0 / draws));
  EXPECT_NEAR(moments[3], 0, tolerance * std::sqrt(15.0 / draws));
  EXPECT_NEAR(moments[4], 3, tolerance * std::sqrt(96.0 / draws));
  const double share = std::erfc(2 / std::sqrt(2.0));
  EXPECT_NEAR(beyond_two / double(draws), share, tolerance * std::sqrt(share * (1 - share) / draws));
}

TEST(Random, BelowIsUnbiased) {
  Random random(17, Purpose::test);
  constexpr int draws = 70000;
  int counts[7] = {};
  for (int i = 0; i < draws; ++i) ++counts[random.below(7)];
  for (const int count : counts) EXPECT_NEAR(count, draws / 7.0, tolerance * std::sqrt(draws * 6.0 / 49));
  EXPECT_EQ(random.below(1), 0u);
  // Just over half of the range: taking the remainder of 64 bits would give the lower values twice as often.
  const std::uint64_t large = (1ull << 63) + (1ull << 62);
  int low = 0;
  for (int i = 0; i < 10000; ++i) low += random.below(large) < large / 2;
  EXPECT_NEAR(low, 5000, tolerance * 50);
}

TEST(Permutation, IsAPermutationAndEveryOrderIsEquallyLikely) {
  Random random(19, Purpose::permutation);
  EXPECT_TRUE(permutation(0, random).empty());
  EXPECT_EQ(permutation(1, random), std::vector<std::int64_t>{0});
  std::vector<std::int64_t> order = permutation(1000, random), sorted(1000);
  std::iota(sorted.begin(), sorted.end(), 0);
  EXPECT_NE(order, sorted);
  std::ranges::sort(order);
  EXPECT_EQ(order, sorted);

  constexpr int draws = 24000;
  std::vector<int> counts(64);
  for (int i = 0; i < draws; ++i) {
    const auto p = permutation(4, random);
    ++counts[static_cast<std::size_t>(p[0] * 16 + p[1] * 4 + p[2])];
  }
  int orders = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    ++orders;
    EXPECT_NEAR(count, 1000, tolerance * std::sqrt(1000 * 23.0 / 24));
  }
  EXPECT_EQ(orders, 24);
}

}  // namespace
}  // namespace calor

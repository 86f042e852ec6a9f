// parallel_for: every piece once, errors passed on, later pieces skipped after one; for one thread and several.
#include "calor/core/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "calor/core/error.h"

namespace calor {
namespace {

TEST(Threads, SomeAreAvailable) { EXPECT_GE(available_threads(), 1); }

class ParallelFor : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Threads, ParallelFor, testing::Values(0, 1, 2, 5));

TEST_P(ParallelFor, RunsEveryPieceOnce) {
  for (const std::int64_t pieces : {0, 1, 2, 3, 1000}) {
    const auto runs = std::make_unique<std::atomic<int>[]>(static_cast<std::size_t>(pieces) + 1);
    parallel_for(pieces, GetParam(), [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
    for (std::int64_t i = 0; i < pieces; ++i) ASSERT_EQ(runs[static_cast<std::size_t>(i)], 1) << i << " of " << pieces;
    EXPECT_EQ(runs[static_cast<std::size_t>(pieces)], 0);
  }
}

TEST_P(ParallelFor, RethrowsTheErrorItself) {
  try {
    parallel_for(100, GetParam(), [](std::int64_t i) { require(i != 40, Fault::input, "piece {}", i); });
    FAIL() << "the error was lost";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::input);
    EXPECT_STREQ(error.what(), "piece 40");
  }
}

TEST_P(ParallelFor, SkipsPiecesAfterAnError) {
  constexpr std::int64_t pieces = 1'000'000;
  std::atomic<std::int64_t> ran{0};
  EXPECT_THROW(parallel_for(pieces, GetParam(),
                            [&](std::int64_t) {
                              ++ran;
                              throw std::runtime_error("stop");
                            }),
               std::runtime_error);
  // Each thread can have one piece running when the first error is thrown, and begin few before the flag reaches it.
  EXPECT_GE(ran, 1);
  EXPECT_LT(ran, pieces / 2);
}

TEST_P(ParallelFor, NestsInsideItself) {
  std::atomic<int> runs{0};
  parallel_for(4, GetParam(), [&](std::int64_t) { parallel_for(5, GetParam(), [&](std::int64_t) { ++runs; }); });
  EXPECT_EQ(runs, 20);
}

}  // namespace
}  // namespace calor

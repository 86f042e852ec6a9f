// Errors, progress and interruption: fault codes against the documented exit codes, texts against literal expectations.
#include "calor/core/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <vector>

#include "calor/core/progress.h"

namespace calor {
namespace {

TEST(Error, FaultsAreTheDocumentedExitCodes) {
  EXPECT_EQ(static_cast<int>(Fault::internal), 1);
  EXPECT_EQ(static_cast<int>(Fault::usage), 2);
  EXPECT_EQ(static_cast<int>(Fault::input), 3);
  EXPECT_EQ(static_cast<int>(Fault::memory), 4);
  EXPECT_EQ(static_cast<int>(Fault::convergence), 5);
  EXPECT_EQ(static_cast<int>(Fault::check), 6);
  EXPECT_EQ(static_cast<int>(Fault::interrupted), 130);
}

TEST(Error, FailCarriesFaultAndFormattedText) {
  try {
    fail(Fault::input, "[op] expected {}, found {}", 3, "four");
    FAIL() << "fail() returned";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::input);
    EXPECT_STREQ(error.what(), "[op] expected 3, found four");
  }
}

TEST(Error, RequireThrowsOnlyWhenTheConditionFails) {
  EXPECT_NO_THROW(require(true, Fault::check, "never {}", 1));
  EXPECT_THROW(require(false, Fault::check, "always {}", 1), Error);
}

TEST(Error, SystemReasonIsTheSystemsText) {
  EXPECT_EQ(system_reason(ENOSPC), "No space left on device");
  EXPECT_EQ(system_reason(ENOENT), "No such file or directory");
}

TEST(Progress, AdvanceReachesTheReceiver) {
  std::vector<std::string> seen;
  Context context;
  EXPECT_NO_THROW(context.advance(1, 2, "nobody listens"));
  context.progress = [&](double done, double total, std::string_view what) {
    seen.push_back(fmt::format("{} of {}: {}", done, total, what));
  };
  context.advance(1, 4, "training");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0], "1 of 4: training");
}

TEST(Progress, StopIsSeenByEveryCopyOfTheContext) {
  StopFlag flag;
  Context context;
  EXPECT_FALSE(context.stopping());
  context.stop = &flag;
  const Context copy = context;
  EXPECT_NO_THROW(copy.check_stop("train"));
  flag.request();
  EXPECT_TRUE(copy.stopping());
  try {
    copy.check_stop("train");
    FAIL() << "check_stop() returned";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::interrupted);
    EXPECT_STREQ(error.what(), "[train] interrupted");
  }
}

}  // namespace
}  // namespace calor

// Memory sizes and limits, against sizes worked out by hand and the kernel's own figure.
#include "calor/core/memory.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "calor/core/error.h"

namespace calor {
namespace {

TEST(ParseBytes, ReadsUnits) {
  EXPECT_EQ(parse_bytes("800000"), 800000u);
  EXPECT_EQ(parse_bytes("1"), 1u);
  EXPECT_EQ(parse_bytes("7B"), 7u);
  EXPECT_EQ(parse_bytes("512M"), 512ull << 20);
  EXPECT_EQ(parse_bytes("2G"), 2ull << 30);
  EXPECT_EQ(parse_bytes("1.5GiB"), 3ull << 29);
  EXPECT_EQ(parse_bytes("4KB"), 4096u);
  EXPECT_EQ(parse_bytes("3T"), 3ull << 40);
}

TEST(ParseBytes, RefusesAnythingElse) {
  for (const char* text : {"", "M", "12Q", "-1G", "0", "1e30G", "2 G", "nan", "inf", "5Gx"}) {
    try {
      const std::uint64_t bytes = parse_bytes(text);
      ADD_FAILURE() << '"' << text << "\" was read as " << bytes;
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::usage) << text;
      EXPECT_NE(std::string(error.what()).find(fmt::format("\"{}\"", text)), std::string::npos) << error.what();
    }
  }
}

TEST(FormatBytes, UsesTheUnitThatReadsBest) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
  EXPECT_EQ(format_bytes(20ull << 20), "20 MiB");
  EXPECT_EQ(format_bytes(3ull << 40), "3.0 TiB");
  EXPECT_EQ(format_bytes(~0ull), "16 EiB");
}

TEST(MemoryLimit, RefusesMoreThanTheLimitAndNamesEverything) {
  const MemoryLimit limit(1 << 20);
  EXPECT_EQ(limit.bytes(), 1u << 20);
  EXPECT_NO_THROW(limit.require(1 << 20, "op", "a table", "use less"));
  try {
    limit.require((1 << 20) + 1024 * 512, "op", "a table", "use less");
    FAIL() << "a demand over the limit was granted";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::memory);
    EXPECT_STREQ(error.what(), "[op] expected at most 1.0 MiB of memory, found 1.5 MiB needed for a table: use less");
  }
}

TEST(MemoryLimit, AccountsForWhatIsReservedUntilItEnds) {
  const MemoryLimit limit(1000);
  const MemoryLimit copy = limit;
  Reservation kept = limit.reserve(600, "op", "a table", "use less");
  EXPECT_EQ(copy.taken(), 600u);
  {
    const Reservation other = copy.reserve(400, "op", "another", "use less");
    EXPECT_EQ(limit.taken(), 1000u);
    EXPECT_THROW(static_cast<void>(limit.reserve(1, "op", "one more", "use less")), Error);
    EXPECT_THROW(limit.require(1, "op", "one more", "use less"), Error);
  }
  EXPECT_EQ(limit.taken(), 600u);
  Reservation moved = std::move(kept);
  kept = limit.reserve(100, "op", "a third", "use less");
  EXPECT_EQ(limit.taken(), 700u);
  moved = std::move(kept);  // what it had is given back
  EXPECT_EQ(limit.taken(), 100u);
  moved.release();
  moved.release();
  EXPECT_EQ(limit.taken(), 0u);
  const std::shared_ptr<std::string> value = share_reserved(std::string("held"), limit.reserve(300, "op", "a text", "use less"));
  std::shared_ptr<const std::string> other = value;
  EXPECT_EQ(*other, "held");
  EXPECT_EQ(limit.taken(), 300u);
}

TEST(MemoryLimit, SaysWhatIsInUseAlready) {
  const MemoryLimit limit(4096);
  limit.begin_with(3072);
  try {
    static_cast<void>(limit.reserve(2048, "op", "a table", "use less"));
    FAIL() << "a demand over what is left was granted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "[op] expected at most 4.0 KiB of memory, found 2.0 KiB needed for a table, beside 3.0 KiB in use: use less");
  }
  EXPECT_EQ(limit.taken(), 3072u);
}

TEST(ResidentMemory, CountsWhatIsTouched) {
  const std::uint64_t before = resident_memory();
  const std::vector<char> block(64 << 20, 1);
  EXPECT_GE(resident_memory(), before + (60 << 20));
  EXPECT_EQ(block.back(), 1);
}

TEST(MemoryLimit, DefaultIsMostOfWhatIsAvailable) {
  const std::uint64_t available = available_memory();
  ASSERT_GT(available, 0u);
  // Other programs take and give memory between the two readings: the order of size is what holds.
  const std::uint64_t limit = MemoryLimit().bytes();
  EXPECT_GT(limit, available / 2);
  EXPECT_LT(limit, available + available / 2);
}

}  // namespace
}  // namespace calor

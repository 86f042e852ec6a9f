// Numbers in text: against values worked out by hand, and a round trip of formatted doubles.
#include "calor/io/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace calor::io {
namespace {

TEST(ParseNumber, ReadsWholeTextsOnly) {
  EXPECT_EQ(parse_number("5"), 5.0);
  EXPECT_EQ(parse_number("-1.5e3"), -1500.0);
  EXPECT_EQ(parse_number("+2"), 2.0);
  EXPECT_EQ(parse_number(".5"), 0.5);
  EXPECT_EQ(parse_number("5."), 5.0);
  for (const char* text : {"", "+", "-", "+-2", "5 ", " 5", "5x", "1,5", "0x10", "1_000", "e5", "--5", "five"})
    EXPECT_FALSE(parse_number(text)) << text;
}

TEST(ParseNumber, SaturatesBeyondDouble) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(parse_number("1e999"), infinity);
  EXPECT_EQ(parse_number("-1e+999"), -infinity);
  EXPECT_EQ(parse_number("1e-999"), 0.0);
  EXPECT_EQ(parse_number("-1E-999"), 0.0);
  EXPECT_EQ(parse_number(std::string(400, '9')), infinity);
  EXPECT_EQ(parse_number("0." + std::string(400, '0') + "1"), 0.0);
  EXPECT_TRUE(std::isnan(*parse_number("nan")));
  EXPECT_EQ(parse_number("-inf"), -infinity);
}

TEST(FormatNumber, IsShortAndReadsBack) {
  EXPECT_EQ(format_number(3), "3");
  EXPECT_EQ(format_number(-0.25), "-0.25");
  EXPECT_EQ(format_number(0.1), "0.1");
  EXPECT_EQ(format_number(-0.0), "0");
  EXPECT_EQ(format_number(1e6), "1000000");
  for (const double value : {1.0 / 3, 1e300, 5e-324, 123456789.125, 0x1p60})
    EXPECT_EQ(parse_number(format_number(value)), value);
}

TEST(IsMissing, KnowsTheUsualMarks) {
  for (const char* text : {"", "?", "NA", "n/a", "NaN", "NULL", "None", "-", "."})
    EXPECT_TRUE(is_missing(text)) << text;
  for (const char* text : {"0", "no", "nano", "--", "nothing here"}) EXPECT_FALSE(is_missing(text)) << text;
}

TEST(IsUtf8, FollowsTheStandard) {
  for (const char* text : {"", "abc", "é", "€", "😀"}) EXPECT_TRUE(is_utf8(text)) << text;
  // Latin-1 e acute, stray and missing continuation, overlong slash, surrogate, beyond U+10FFFF.
  for (const char* text : {"\xE9", "\x80", "\xE2\x82", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                           "\xF8\x88\x80\x80\x80"})
    EXPECT_FALSE(is_utf8(text));
}

}  // namespace
}  // namespace calor::io

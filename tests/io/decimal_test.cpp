// The fast path of numbers: every double that it gives has the bits of strtod's, which glibc rounds exactly; what it leaves out is read by the slow
// one, so that the reader is tested beside it with the same texts.
#include "calor/io/decimal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "calor/core/random.h"
#include "calor/io/text_scanner.h"

namespace calor::io {
namespace {

std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }

// What the fast path makes of the text, which is exactly right or refused; whether it read it.
bool expect_exact(const std::string& text) {
  const std::string line = text + "\n";
  double value = 0;
  const char* const end = read_decimal(line.data(), line.data() + line.size(), '.', value);
  if (!end) return false;
  EXPECT_EQ(end, line.data() + text.size()) << text;
  EXPECT_EQ(bits_of(value), bits_of(std::strtod(text.c_str(), nullptr))) << text;
  // Where the memory ends with the text, the digits are read one by one.
  const std::vector<char> alone(text.begin(), text.end());
  double again = 0;
  EXPECT_EQ(read_decimal(alone.data(), alone.data() + alone.size(), '.', again), alone.data() + alone.size()) << text;
  EXPECT_EQ(bits_of(again), bits_of(value)) << text;
  return true;
}

const std::vector<std::string>& hard_texts() {
  static const std::vector<std::string> texts{
      "0", "-0", "0.0", "-0.000", ".5", "5.", "-.25", "00012.50", "1e5", "1E-5", "1e+05", "123456789012345678", "9007199254740991", "9007199254740992",
      "9007199254740993", "9007199254740994", "9007199254740995", "18014398509481985", "-9007199254740993",                  // 2^53 + 1: a tie, and its neighbours
      "9007199254740993.0", "900719925474099.3", "9.007199254740993", "4503599627370496.5", "4503599627370497.5", "0.5000000000000000277", "1.0000000000000001110",
      "1.000000000000000111", "1.0000000000000001111", "9999999999999999999", "18446744073709551615", "1844674407370955161.5", "9223372036854775808", "9223372036854775807",
      "1e22", "1e23", "1e27", "9007199254740993e5", "9007199254740993e-22", "9007199254740993e-27", "1234567890123456789e-27", "1234567890123456789e19", "1e-22", "1e-27", "3e-27",
      "7.2057594037927945e16", "6929495644600919.5", "3.7455744005952583e15", "0.000001", "0.1", "0.2", "0.3", "123.456", "1e-5", "179769.31348623157"};
  return texts;
}

TEST(Decimal, HardPlacesAreTheNearestDoubles) {
  for (const std::string& text : hard_texts()) EXPECT_TRUE(expect_exact(text) || text.size() > 19) << text;
}

// Halves between doubles, exactly and one digit beside: the halfway points of 53-bit numbers over powers of two end after few digits.
TEST(Decimal, HalvesBetweenDoublesGoToTheEvenOne) {
  std::int64_t read = 0;
  for (std::int64_t i = 0; i < 20'000; ++i) {
    Random random(static_cast<std::uint64_t>(i), Purpose::test, 11);
    const std::uint64_t odd = (std::uint64_t{1} << 53) + 2 * random.below(std::uint64_t{1} << 52) + 1;  // 54 bits, the last set
    for (const std::int64_t beside : {-1, 0, 1}) {
      const std::string text = std::to_string(static_cast<std::uint64_t>(static_cast<std::int64_t>(odd * 100) + beside));
      for (const char* exponent : {"e-2", "e-3", "e1", "e-9", "e-27"}) read += expect_exact(text + exponent);
      read += expect_exact(text.substr(0, text.size() - 2) + "." + text.substr(text.size() - 2));
    }
  }
  EXPECT_GT(read, 300'000);
}

// As printf writes them, which is what files hold; 17 digits come back to the same bits.
TEST(Decimal, PrintedDoublesAreReadAsStrtodDoes) {
  std::int64_t read = 0;
  char text[64];
  for (std::int64_t i = 0; i < 100'000; ++i) {
    Random random(static_cast<std::uint64_t>(i), Purpose::test, 12);
    const double size = std::ldexp(0.5 + static_cast<double>(random.below(std::uint64_t{1} << 52)) * 0x1p-53, static_cast<int>(random.below(120)) - 60);
    for (const char* form : {"%.6g", "%.15g", "%.16g", "%.17g", "%.18g", "%.10f", "%.19e"}) {
      std::snprintf(text, sizeof text, form, random.below(2) ? size : -size);
      read += expect_exact(text);
    }
  }
  EXPECT_GT(read, 300'000);
}

// A divisor that leaves the reciprocal's error across the half: the exact division decides.
TEST(Decimal, EveryPowerIsRoundedExactlyNextToHalves) {
  for (int power = 1; power <= 27; ++power) {
    Random random(static_cast<std::uint64_t>(power), Purpose::test, 13);
    std::int64_t read = 0;
    for (int i = 0; i < 5'000; ++i) {
      // The whole number nearest to a half between doubles times 10^power is as near to it as any text of 19 digits can be.
      const double low = std::ldexp(1.0 + static_cast<double>(random.below(std::uint64_t{1} << 52)) * 0x1p-52, static_cast<int>(std::floor((18 - power) * 3.3219)));
      const long double half = (static_cast<long double>(low) + static_cast<long double>(std::nextafter(low, 1e300))) / 2;
      const auto whole = static_cast<std::uint64_t>(half * std::pow(10.0L, power) + 0.5L);
      for (std::uint64_t near = whole - 1; near <= whole + 1; ++near) read += expect_exact(std::to_string(near) + "e-" + std::to_string(power));
    }
    EXPECT_GT(read, 10'000) << power;
  }
}

TEST(Decimal, LeavesOtherTextsAlone) {
  for (const char* text : {"", "-", "+1", "e5", ".", "-.", "1e", "1e+", "1e-", "nan", "inf", "--1", "\"1\"", "12345678901234567890", "0.00000000000000000001", "1e300", "1e-300", "1e99999"})
    EXPECT_FALSE(expect_exact(text)) << text;
  double value = 0;
  const std::string comma = "12,5;", point = "12.5;";
  EXPECT_EQ(read_decimal(comma.data(), comma.data() + 5, ',', value), comma.data() + 4);
  EXPECT_EQ(value, 12.5);
  EXPECT_EQ(read_decimal(point.data(), point.data() + 5, ',', value), point.data() + 2);
}

// The reader as a whole, on every text within float's range, far and long ones too.
TEST(Decimal, ACellIsTheNearestDoubleWhateverItsLength) {
  std::vector<std::string> texts = hard_texts();
  const std::string nines(40, '9'), zeros(300, '0');
  const std::vector<std::string> far{"1e-308", "2.2250738585072011e-308", "4.9e-324", "5e-324", "2.4703282292062328e-324", "1e38", "3.4028234e38", "0." + nines, "0.5" + zeros + "1",
                                     "1.00000000000000011102230246251565404236316680908203125", "1.0000000000000001110223024625156540423631668090820312" + nines,
                                     "9007199254740993" + std::string(22, '0') + "e-22", "0." + zeros + "1", "1" + std::string(30, '0'), "9007199254740992.99999999999999999999",
                                     "9007199254740993.00000000000000000001"};
  texts.insert(texts.end(), far.begin(), far.end());
  std::string row;
  for (const std::string& text : texts) row += (row.empty() ? "" : ",") + text;
  const std::string place = "here";
  std::vector<double> values(texts.size());
  TextScanner scanner(row, ',', '.', place, 1);
  ASSERT_TRUE(scanner.begin_row());
  ASSERT_EQ(scanner.number_cells(values.data(), values.size()), values.size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(bits_of(values[i]), bits_of(std::strtod(texts[i].c_str(), nullptr))) << texts[i];
}

}  // namespace
}  // namespace calor::io

#include "calor/io/decimal.h"

namespace calor::io::decimal_parts {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr Powers<std::uint64_t, largest_power + 1> fives(5);  // 5^27 is below 2^63

// 2^127 over the powers of five, each shifted up to its highest bit; rounded down.
struct Reciprocals {
  std::uint64_t of[largest_power + 1];
  constexpr Reciprocals() : of{} {
    for (int i = 0; i <= largest_power; ++i)
      of[i] = static_cast<std::uint64_t>(((Wide{1} << 127) - 1) / (fives.of[i] << std::countl_zero(fives.of[i])));
  }
};
constexpr Reciprocals reciprocals;

double power_of_two(int exponent) { return std::bit_cast<double>(static_cast<std::uint64_t>(1023 + exponent) << 52); }

constexpr int dropped_bits = 11;  // of 64, for a mantissa of 53
constexpr std::uint64_t half = std::uint64_t{1} << (dropped_bits - 1), dropped = 2 * half - 1;

// The double nearest to (bits + rest) 2^exponent, 0 <= rest < 1, where `more` says whether rest is not 0; bits is not 0, and has 54 bits at
// least where there is more.
double nearest(std::uint64_t bits, bool more, int exponent) {
  const int shift = std::countl_zero(bits);
  bits <<= shift;
  const std::uint64_t rest = bits & dropped;
  std::uint64_t mantissa = bits >> dropped_bits;
  if (rest > half || (rest == half && (more || mantissa % 2 == 1))) ++mantissa;
  return static_cast<double>(mantissa) * power_of_two(exponent - shift + dropped_bits);
}

}  // namespace

// 10^k = 5^k 2^k, and 5^k fits a word.
double scaled(std::uint64_t whole, int power) {
  if (whole == 0) return 0;
  if (power >= 0) {
    const Wide product = static_cast<Wide>(whole) * fives.of[power];
    const auto high = static_cast<std::uint64_t>(product >> 64), low = static_cast<std::uint64_t>(product);
    if (high == 0) return nearest(low, false, power);
    const int shift = std::countl_zero(high);
    return nearest(static_cast<std::uint64_t>((product << shift) >> 64), (low << shift) != 0, power + 64 - shift);
  }
  const std::uint64_t five = fives.of[-power];
  const int up = std::countl_zero(whole), five_up = std::countl_zero(five), exponent = power + five_up - up - 63;
  whole <<= up;
  // The quotient 2^63 whole / (five 2^five_up), 62 to 64 bits before its point, is less than 3 above this: seldom too near to a tie to round it.
  constexpr std::uint64_t error = 3;
  const auto below = static_cast<std::uint64_t>((static_cast<Wide>(whole) * reciprocals.of[-power]) >> 64);
  const int shift = std::countl_zero(below);
  const std::uint64_t rest = (below << shift) & dropped;
  if (rest > half || rest + (error << shift) < half) return nearest(below, true, exponent);
  const Wide numerator = static_cast<Wide>(whole) << 63;
  const std::uint64_t divisor = five << five_up;
  const auto quotient = static_cast<std::uint64_t>(numerator / divisor);
  return nearest(quotient, numerator != static_cast<Wide>(quotient) * divisor, exponent);
}

}  // namespace calor::io::decimal_parts

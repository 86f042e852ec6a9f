// Decimal numbers as most files have them, read fast.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace calor::io {

// Reads "-12.5e3" from `text`: at most 19 digits, and once the point is moved behind them a power of ten within 10^-27 and 10^27.  `limit` is the
// end of the memory that may be looked at.  Gives the nearest double (ties to even) and where the number ends; null for any other text, which
// may be a number nonetheless.
const char* read_decimal(const char* text, const char* limit, char decimal, double& value);

namespace decimal_parts {

static_assert(std::endian::native == std::endian::little, "the first of eight digits is the lowest byte");

template <class Number, int count>
struct Powers {
  Number of[count];
  constexpr explicit Powers(Number base) : of{} {
    Number power = 1;
    for (int i = 0; i < count; ++i) {
      of[i] = power;
      if (i + 1 < count) power *= base;
    }
  }
};

inline constexpr int exact_power = 22;  // 10^22 is a double
inline constexpr Powers<double, exact_power + 1> exact_tens(10.0);
inline constexpr Powers<std::uint64_t, 8> tens(10);

// whole 10^power, exactly rounded; |power| <= largest_power.
inline constexpr int largest_power = 27;
double scaled(std::uint64_t whole, int power);

inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// The digits at p, up to eight at once, of a multiple of `value`: pairs, quadruples and eight by multiplications.  Returns how many.
inline int add_eight(const char* p, std::uint64_t& value) {
  std::uint64_t bytes;
  std::memcpy(&bytes, p, sizeof bytes);
  bytes ^= 0x3030303030303030;
  const std::uint64_t others = ((bytes + 0x7676767676767676) | bytes) & 0x8080808080808080;
  const auto sum = [](std::uint64_t digits) {
    digits = (digits * (1 + (10 << 8))) >> 8;
    digits = ((digits & 0x00FF00FF00FF00FF) * (1 + (100 << 16))) >> 16;
    return ((digits & 0x0000FFFF0000FFFF) * (1 + (std::uint64_t{10000} << 32))) >> 32;
  };
  if (others == 0) {
    value = value * 100'000'000 + sum(bytes);
    return 8;
  }
  const int count = std::countr_zero(others) / 8;
  value = value * tens.of[count] + sum(bytes << (56 - 8 * count) << 8);
  return count;
}

}  // namespace decimal_parts

inline const char* read_decimal(const char* p, const char* limit, char decimal, double& value) {
  using namespace decimal_parts;
  constexpr std::ptrdiff_t most_digits = 19;  // below 2^64
  const bool negative = p != limit && *p == '-';
  p += negative;
  const char* const begin = p;
  std::uint64_t whole = 0;
  for (; p != limit && is_digit(*p); ++p) whole = 10 * whole + static_cast<std::uint64_t>(*p - '0');
  std::ptrdiff_t digits = p - begin;
  int power = 0;
  if (p != limit && *p == decimal) {
    const char* const fraction = ++p;
    int count = 8;
    while (count == 8 && limit - p >= 8) p += count = add_eight(p, whole);
    if (count == 8)
      for (; p != limit && is_digit(*p); ++p) whole = 10 * whole + static_cast<std::uint64_t>(*p - '0');
    power = -static_cast<int>(p - fraction);
    digits += p - fraction;
  }
  if (digits == 0 || digits > most_digits) return nullptr;
  if (p != limit && (*p == 'e' || *p == 'E')) {
    ++p;
    const bool down = p != limit && *p == '-';
    if (p != limit && (*p == '-' || *p == '+')) ++p;
    const char* const first = p;
    int exponent = 0;
    for (; p != limit && is_digit(*p); ++p) {
      if (p - first == 4) return nullptr;
      exponent = 10 * exponent + (*p - '0');
    }
    if (p == first) return nullptr;
    power += down ? -exponent : exponent;
  }
  double size;
  if (whole <= std::uint64_t{1} << 53 && power >= -exact_power && power <= exact_power) {  // one rounding (Clinger 1990)
    const auto exact = static_cast<double>(whole);
    size = power <= 0 ? exact / exact_tens.of[-power] : exact * exact_tens.of[power];
  } else {
    if (power < -largest_power || power > largest_power) return nullptr;
    size = scaled(whole, power);
  }
  value = std::bit_cast<double>(std::bit_cast<std::uint64_t>(size) | static_cast<std::uint64_t>(negative) << 63);
  return p;
}

}  // namespace calor::io

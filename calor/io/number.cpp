#include "calor/io/number.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace calor::io {

// Whether a number outside the range of double is too large (or else too small), from its notation.
static bool beyond_largest(std::string_view text) {
  const std::size_t exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) return text.substr(exponent + 1, 1) != "-";
  return text.find_first_of("123456789") < text.find('.');
}

std::optional<double> parse_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return {};
  if (error == std::errc::result_out_of_range) {
    value = beyond_largest(text) ? std::numeric_limits<double>::infinity() : 0.0;
    return text.front() == '-' ? -value : value;
  }
  return value;
}

std::string format_number(double value) {
  if (value == 0) return "0";
  std::array<char, 32> text;
  constexpr double exact_integers = 0x1p53;
  const auto result = std::trunc(value) == value && std::abs(value) <= exact_integers
                          ? std::to_chars(text.data(), text.data() + text.size(), static_cast<std::int64_t>(value))
                          : std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return lower;
}

bool is_missing(std::string_view text) {
  constexpr std::string_view marks[] = {"",    "?",    "-",    ".",       "na",    "n/a", "#n/a",
                                        "nan", "-nan", "null", "missing", "<na>", "none"};
  if (text.size() > 8) return false;
  return std::ranges::find(marks, lower_case(text)) != std::end(marks);
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned first = byte(i);
    if (first < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    const unsigned second = byte(i + 1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
        (first == 0xF4 && second > 0x8F))
      return false;
    i += length;
  }
  return true;
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto push = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  const auto rest = [&](int shift) { push(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) push(code);
  else if (code < 0x800) push(0xC0 | code >> 6), rest(0);
  else if (code < 0x10000) push(0xE0 | code >> 12), rest(6), rest(0);
  else push(0xF0 | (code >> 18 & 7)), rest(12), rest(6), rest(0);
}

}  // namespace calor::io

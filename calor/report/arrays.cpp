#include "calor/report/arrays.h"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <string>

namespace calor::report {
namespace {

// RFC 4648, section 4.
std::string base64(const std::string& bytes) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t group = 0;
    for (std::size_t b = 0; b < 3; ++b) group = group << 8 | (at + b < bytes.size() ? static_cast<unsigned char>(bytes[at + b]) : 0u);
    for (std::size_t d = 0; d < 4; ++d) text += at + d > bytes.size() ? '=' : digits[group >> (18 - 6 * d) & 63];
  }
  return text;
}

void append(std::string& bytes, std::uint32_t value, int width) {
  for (int b = 0; b < width; ++b) bytes += static_cast<char>(value >> (8 * b) & 255);
}

}  // namespace

nlohmann::json packed(std::span<const float> values) {
  std::string bytes;
  bytes.reserve(4 * values.size());
  for (const float value : values) append(bytes, std::bit_cast<std::uint32_t>(value), 4);
  return {{"type", "f32"}, {"data", base64(bytes)}};
}

nlohmann::json packed(std::span<const std::int64_t> values) {
  const std::int64_t greatest = values.empty() ? 0 : *std::max_element(values.begin(), values.end()) + 1;
  const int width = greatest < 256 ? 1 : greatest < 65536 ? 2 : 4;
  std::string bytes;
  bytes.reserve(static_cast<std::size_t>(width) * values.size());
  for (const std::int64_t value : values) append(bytes, static_cast<std::uint32_t>(value + 1), width);
  return {{"type", width == 1 ? "u8" : width == 2 ? "u16" : "i32"}, {"data", base64(bytes)}};
}

}  // namespace calor::report

// Long arrays in a page's document: bytes in base64 instead of numbers as text, a fifth of the size and read in milliseconds.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>

namespace calor::report {

// {"type": "f32", "data": base64 of little-endian IEEE numbers}; NaN stays NaN.
nlohmann::json packed(std::span<const float> values);

// {"type": "u8" | "u16" | "i32", "data": ...}: the narrowest that holds value + 1, in which 0 stands for -1 (not known).
// Values from -1 to 2^31 - 2.
nlohmann::json packed(std::span<const std::int64_t> values);

}  // namespace calor::report

// Rows of neighbours come from all over memory: they are asked for some edges ahead.
#pragma once

#include <algorithm>
#include <cstdint>

namespace calor::kernels {

inline constexpr std::int64_t edges_ahead = 8;

// Asks for numbers that will be read soon.
template <class T>
void fetch(const T* numbers, std::int64_t count) {
  constexpr std::int64_t line = 64 / sizeof(T), most = 1024 / sizeof(T);
  for (std::int64_t n = 0; n < std::min(count, most); n += line) __builtin_prefetch(numbers + n);
}

}  // namespace calor::kernels

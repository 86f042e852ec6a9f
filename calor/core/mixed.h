// Every bit of a number reaches every bit of the result.
#pragma once

#include <cstdint>

namespace calor {

// SplitMix64's finaliser (Steele, Lea, Flood 2014).
inline std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// The same for 32 bits (MurmurHash3's finaliser, Appleby), which compilers make vectors of.
inline std::uint32_t mixed32(std::uint32_t x) {
  x = (x ^ (x >> 16)) * 0x85ebca6bU;
  x = (x ^ (x >> 13)) * 0xc2b2ae35U;
  return x ^ (x >> 16);
}

}  // namespace calor

// Which weights of a graph's edges are left out: numbers of an edge and a head alone.
#pragma once

#include <cmath>
#include <cstdint>

#include "calor/core/mixed.h"

namespace calor::kernels {

class EdgeDropout {
 public:
  EdgeDropout(double share, std::uint64_t seed) : key_(mixed(seed + 0x9e3779b97f4a7c15ULL)), kept_(1 / (1 - share)), below_(static_cast<std::uint32_t>(std::ldexp(share, 32))), active_(share > 0) {}
  bool active() const { return active_; }
  // The factors of an edge's heads.
  template <class T>
  void factors(std::int64_t edge, std::int64_t heads, T* result) const {
    const std::uint64_t own = mixed(key_ + static_cast<std::uint64_t>(edge) * 0x9e3779b97f4a7c15ULL);
    const auto low = static_cast<std::uint32_t>(own), high = static_cast<std::uint32_t>(own >> 32);
    const auto kept = static_cast<T>(kept_);
    for (std::int64_t h = 0; h < heads; ++h) result[h] = (mixed32(low + static_cast<std::uint32_t>(h) * 0x9e3779b9U) ^ high) < below_ ? T(0) : kept;
  }

 private:
  std::uint64_t key_;
  double kept_;
  std::uint32_t below_;
  bool active_;
};

}  // namespace calor::kernels

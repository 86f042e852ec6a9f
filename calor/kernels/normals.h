// Many normal numbers at once.
#pragma once

#include <cstdint>
#include <span>

#include "calor/core/random.h"

namespace calor::kernels {

struct Stream {  // Random(seed, purpose, index)
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::noise;
  std::uint64_t index = 0;
};

// Of the numbers that the stream's normal() gives, those from `first` on, within 1e-15 of their size.
void normals(const Stream& stream, std::uint64_t first, std::span<double> numbers);

}  // namespace calor::kernels

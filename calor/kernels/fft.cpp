#include "calor/kernels/fft.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "calor/core/error.h"
#include "calor/kernels/descents.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {

Fft::Fft(std::int64_t size) : size_(size) {
  std::int64_t left = size, span = 1;
  for (const int radix : {4, 2, 3, 5})
    while (left >= 1 && left % radix == 0) {
      Pass pass{radix, left / radix, span, {}};
      for (std::int64_t group = 0; group < pass.groups; ++group)
        for (int k = 1; k < radix; ++k) {
          const double angle = -2 * std::numbers::pi * static_cast<double>(group * k % left) / static_cast<double>(left);
          pass.turns.push_back(static_cast<float>(std::cos(angle)));
          pass.turns.push_back(static_cast<float>(std::sin(angle)));
        }
      passes_.push_back(std::move(pass));
      left /= radix;
      span *= radix;
    }
  require(left == 1, Fault::internal, "[fft] expected a length of factors 2, 3 and 5, found {}", size);
}

void Fft::transform(float* re, float* im, float* scratch) const {
  const auto kernel = current_isa().descents().fft_pass;
  const std::int64_t count = size_ * fft_lanes;
  float *from[2] = {re, im}, *to[2] = {scratch, scratch + count};
  for (const Pass& pass : passes_) {
    kernel(pass.radix, pass.groups, pass.span, pass.turns.data(), from[0], from[1], to[0], to[1]);
    std::swap(from[0], to[0]);
    std::swap(from[1], to[1]);
  }
  if (from[0] == re) return;
  std::copy_n(from[0], count, re);
  std::copy_n(from[1], count, im);
}

std::int64_t smooth_length(std::int64_t n) {
  for (std::int64_t length = std::max<std::int64_t>(1, n);; ++length) {
    std::int64_t left = length;
    for (const int factor : {2, 3, 5})
      while (left % factor == 0) left /= factor;
    if (left == 1) return length;
  }
}

}  // namespace calor::kernels

// Fourier transforms of sixteen sequences at once, of any length without prime factors beyond 2, 3 and 5.
#pragma once

#include <cstdint>
#include <vector>

namespace calor::kernels {

inline constexpr std::int64_t fft_lanes = 16;

// X_k = sum_j x_j exp(-2 pi i j k / size), in float, by Stockham's passes of radix 4, 2, 3 and 5 (Van Loan 1992, section 1.7): an error of
// about eps log2(size) of the root mean square.  Exchange re and im for the conjugate transform, which divided by the size is the inverse.
class Fft {
 public:
  explicit Fft(std::int64_t size);  // Fault::internal for a length with another prime factor

  std::int64_t size() const { return size_; }
  std::int64_t scratch_floats() const { return 2 * size_ * fft_lanes; }
  // In place on re and im, [size][fft_lanes].
  void transform(float* re, float* im, float* scratch) const;

 private:
  struct Pass {
    int radix;
    std::int64_t groups, span;
    std::vector<float> turns;  // [groups][radix - 1][re, im]
  };
  std::int64_t size_;
  std::vector<Pass> passes_;
};

// The least length of at least n without prime factors beyond 2, 3 and 5.
std::int64_t smooth_length(std::int64_t n);

}  // namespace calor::kernels

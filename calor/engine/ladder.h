// Exponentials of the same scores at many scales.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "calor/engine/matrix.h"
#include "calor/kernels/left_out.h"

namespace calor::engine {

// The next multiple of what the kernels take at once.
inline std::int64_t padded(std::int64_t count) {
  constexpr std::int64_t step = kernels::left_out_step;
  return (count + step - 1) / step * step;
}

// exp((score - peak) / scale) of a tile's row, by one scale after the other.  Of half octaves most are squares of those two before: a square
// doubles the relative error, so that after four comes an exponential again.
template <class T>
class Ladder {
 public:
  explicit Ladder(const std::vector<double>& scales) : scales_(scales) {}

  void start(const Vector& scores, double peak) {
    const std::int64_t count = padded(scores.size());
    offsets_.resize(static_cast<std::size_t>(count));
    const double* score = scores.data();
    const double rate = 1 / scales_[0];
    for (Eigen::Index j = 0; j < scores.size(); ++j) offsets_[static_cast<std::size_t>(j)] = static_cast<T>((score[j] - peak) * rate);
    std::fill(offsets_.begin() + scores.size(), offsets_.end(), -std::numeric_limits<T>::infinity());
    for (std::vector<T>& powers : powers_) powers.resize(static_cast<std::size_t>(count));
  }

  // For s = 0, 1, ... in this order; returns their sum.
  double step(std::size_t s) {
    std::vector<T>& powers = powers_[s % 2];
    constexpr std::size_t squares = 4;
    const bool square = s / 2 % (squares + 1) > 0 && scales_[s - 2] == 2 * scales_[s];
    current_ = powers.data();
    return kernels::powers_of<T>(offsets_.data(), static_cast<T>(scales_[0] / scales_[s]), square ? powers.data() : nullptr, size(), powers.data());
  }
  const T* powers() const { return current_; }
  std::int64_t size() const { return static_cast<std::int64_t>(offsets_.size()); }

 private:
  const std::vector<double>& scales_;
  std::vector<T> offsets_, powers_[2];
  const T* current_ = nullptr;
};

}  // namespace calor::engine

// A set of whole numbers that is filled in any order and emptied in ascending order.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace calor::engine {

// Numbers 0..n-1, taken in any order and visited ascending.
class Marks {
 public:
  explicit Marks(std::int64_t n) : words_(static_cast<std::size_t>((n + 63) / 64), 0) {}
  void set(std::int32_t i) {
    const auto w = static_cast<std::size_t>(i) / 64;
    words_[w] |= std::uint64_t{1} << (i % 64);
    low_ = std::min(low_, w);
    high_ = std::max(high_, w + 1);
  }
  // Visits and forgets.
  template <class Visit>
  void take(Visit visit) {
    for (std::size_t w = low_; w < high_; ++w) {
      for (std::uint64_t left = words_[w]; left; left &= left - 1) visit(static_cast<std::int32_t>(w * 64 + static_cast<std::size_t>(std::countr_zero(left))));
      words_[w] = 0;
    }
    low_ = words_.size();
    high_ = 0;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t low_ = words_.size(), high_ = 0;
};

}  // namespace calor::engine

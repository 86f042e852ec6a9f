// What the fuzz of attention draws: sizes, options, layouts, and tensors as the library gets them, as large as their last element asks.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <type_traits>
#include <vector>

#include "calor/core/random.h"
#include "tests/kernels/problem.h"

namespace calor::kernels::test {

class Dice {
 public:
  Dice(std::uint64_t seed, std::uint64_t number) : random_(seed, Purpose::test, number) {}
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(n))); }
  bool one_in(std::int64_t n) { return below(n) == 0; }
  double uniform(double low, double high) { return random_.uniform(low, high); }
  template <class T>
  T among(std::initializer_list<T> list) {
    return list.begin()[below(static_cast<std::int64_t>(list.size()))];
  }

 private:
  Random random_;
};

// Small, around the edges of vectors, panels and blocks, or any up to `most`.
inline std::int64_t size_up_to(Dice& dice, std::int64_t most) {
  switch (dice.below(3)) {
    case 0: return 1 + dice.below(std::min<std::int64_t>(most, 24));
    case 1: return std::clamp<std::int64_t>(dice.among<std::int64_t>({8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 288, 512}) + dice.below(5) - 2, 1, most);
    default: return 1 + dice.below(most);
  }
}

// One in three has few numbers a row, so that it can have several blocks of queries and keys; the others' products are at most 10^2 to 10^5.  One in 60 has nothing in it.
inline Shape any_shape(Dice& dice) {
  const bool long_ones = dice.one_in(3);
  const std::int64_t most_dim = long_ones ? 20 : max_dim;
  const double most_work = std::pow(10, long_ones ? dice.uniform(4, 6.4) : dice.uniform(2, 5));
  Shape s;
  do {
    s = {1, 1, size_up_to(dice, long_ones ? 300 : 700), size_up_to(dice, 1100), size_up_to(dice, most_dim), size_up_to(dice, most_dim)};
    if (dice.one_in(3)) s.batch = 1 + dice.below(3);
    if (dice.one_in(3)) s.heads = 1 + dice.below(3);
  } while (static_cast<double>(s.batch * s.heads * s.queries * s.keys) * static_cast<double>(s.dim + s.value_dim) > most_work);
  if (dice.one_in(60)) (dice.one_in(3) ? s.batch : dice.one_in(2) ? s.queries : s.keys) = 0;
  return s;
}

inline Options any_options(Dice& dice, const Shape& s, std::uint64_t seed) {
  Options o;
  o.score = dice.one_in(2) ? Score::dot : Score::squared_distance;
  o.bias = dice.one_in(2), o.key_mask = dice.one_in(3), o.mask = dice.one_in(3), o.causal = dice.one_in(3);
  o.density = dice.among({0.02, 0.3, 0.7, 0.95});
  o.seed = seed;
  if (!dice.one_in(3)) return o;
  switch (dice.below(4)) {
    case 0: o.own_key = 0; break;
    case 1: o.own_key = dice.below(s.keys + 3); break;
    default: {  // of the first or last row of a block, at an edge of a block of keys or of a panel
      const std::int64_t edge = s.keys > 256 ? 256 * (1 + dice.below((s.keys - 1) / 256)) : dice.among<std::int64_t>({16, 32, 64});
      o.own_key = std::max<std::int64_t>(0, edge - dice.below(2) - dice.among<std::int64_t>({0, 95, 96, s.queries - 1}));
    }
  }
  return o;
}

// [batch, heads, rows] of runs of `dim` numbers: where they lie.  A stride of 0 repeats one run.
struct Layout {
  std::int64_t batch, heads, rows, dim, first = 0, size = 0;
  Strides strides;

  std::int64_t at(std::int64_t b, std::int64_t h, std::int64_t i) const { return first + b * strides.batch + h * strides.head + i * strides.row; }
  template <class Each>
  void for_each_run(const Each& each) const {
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t h = 0; h < heads; ++h)
        for (std::int64_t i = 0; i < rows; ++i) each(at(b, h, i), ((b * heads + h) * rows + i) * dim);
  }
};

// Axes in any order, with gaps; rows may lie backwards, and where `repeats` an axis may be one run.
inline Layout any_layout(Dice& dice, std::int64_t batch, std::int64_t heads, std::int64_t rows, std::int64_t dim, bool repeats) {
  Layout layout{batch, heads, rows, dim, dice.one_in(2) ? 0 : dice.below(20), 0, {}};
  struct Axis {
    std::int64_t size;
    std::int64_t* stride;
  };
  Axis axes[] = {{rows, &layout.strides.row}, {heads, &layout.strides.head}, {batch, &layout.strides.batch}};
  for (int n = 2; n > 0; --n)
    if (dice.one_in(2)) std::swap(axes[n], axes[dice.below(n + 1)]);
  const auto gap = [&] { return dice.one_in(2) ? 0 : dice.below(19); };
  std::int64_t extent = dim + gap(), last = dim;
  for (const Axis& axis : axes) {
    if (repeats && dice.one_in(6)) continue;
    *axis.stride = extent;
    last += extent * std::max<std::int64_t>(axis.size - 1, 0);
    extent = extent * std::max<std::int64_t>(axis.size, 1) + gap();
  }
  layout.size = layout.first + last;
  if (rows > 1 && dice.one_in(8)) {
    layout.first += (rows - 1) * layout.strides.row;
    layout.strides.row = -layout.strides.row;
  }
  return layout;
}

// Makes equal what a layout's strides of 0 repeat.
template <class T>
void repeat(const Layout& layout, std::vector<T>& numbers) {
  const auto one = [](std::int64_t stride, std::int64_t index) { return stride == 0 ? 0 : index; };
  for (std::int64_t b = 0; b < layout.batch; ++b)
    for (std::int64_t h = 0; h < layout.heads; ++h)
      for (std::int64_t i = 0; i < layout.rows; ++i) {
        const std::int64_t to = (b * layout.heads + h) * layout.rows + i;
        const std::int64_t from = (one(layout.strides.batch, b) * layout.heads + one(layout.strides.head, h)) * layout.rows + one(layout.strides.row, i);
        if (from != to) std::copy_n(numbers.begin() + from * layout.dim, layout.dim, numbers.begin() + to * layout.dim);
      }
}

template <class T>
class Tensor {
 public:
  Tensor() = default;
  // Of these numbers, contiguous; `gaps` between its runs.
  Tensor(const Layout& layout, const std::vector<T>& numbers, T gaps) : layout_(layout), buffer_(static_cast<std::size_t>(layout.size), gaps) {
    layout.for_each_run([&](std::int64_t at, std::int64_t from) { std::copy_n(numbers.begin() + from, layout_.dim, buffer_.begin() + at); });
  }
  // For results: nothing in it yet.
  explicit Tensor(const Layout& layout) : layout_(layout), buffer_(static_cast<std::size_t>(layout.size), std::numeric_limits<T>::quiet_NaN()), own_(buffer_.size(), 0) {
    layout.for_each_run([&](std::int64_t at, std::int64_t) { std::fill_n(own_.begin() + at, layout_.dim, char{1}); });
  }

  T* data() { return buffer_.data() + layout_.first; }
  const T* data() const { return buffer_.data() + layout_.first; }
  const Strides& strides() const { return layout_.strides; }
  const Layout& layout() const { return layout_; }

  std::vector<T> contiguous() const {
    std::vector<T> numbers(static_cast<std::size_t>(layout_.batch * layout_.heads * layout_.rows * layout_.dim));
    layout_.for_each_run([&](std::int64_t at, std::int64_t to) { std::copy_n(buffer_.begin() + at, layout_.dim, numbers.begin() + to); });
    return numbers;
  }
  // The buffer as numbers of another type, and from them.
  template <class Row>
  std::vector<Row> rows() const {
    std::vector<Row> numbers;
    numbers.reserve(buffer_.size());
    for (const T x : buffer_) {
      if constexpr (std::is_same_v<T, Row>) numbers.push_back(x);
      else numbers.push_back(Row(static_cast<float>(x)));
    }
    return numbers;
  }
  template <class Row>
  void set(const std::vector<Row>& numbers) {
    for (std::size_t n = 0; n < buffer_.size(); ++n) {
      if constexpr (std::is_same_v<T, Row>) buffer_[n] = numbers[n];
      else buffer_[n] = static_cast<T>(static_cast<float>(numbers[n]));
    }
  }
  // Whether nothing was written outside the runs of a result.
  bool gaps_are_whole() const {
    for (std::size_t n = 0; n < buffer_.size(); ++n)
      if (!own_[n] && !std::isnan(buffer_[n])) return false;
    return true;
  }
  // Numbers that nothing may read: those of runs (or, `single`, of their elements) that are used at none of their places.
  void spoil(const std::vector<char>& used, bool single, const std::function<T()>& wild) {
    std::vector<char> needed(buffer_.size(), 1);
    const std::int64_t together = single ? 1 : layout_.dim;
    layout_.for_each_run([&](std::int64_t at, std::int64_t) { std::fill_n(needed.begin() + at, layout_.dim, char{0}); });
    layout_.for_each_run([&](std::int64_t at, std::int64_t from) {
      for (std::int64_t c = 0; c < layout_.dim; ++c) needed[static_cast<std::size_t>(at + c)] |= used[static_cast<std::size_t>((from + c) / together)];
    });
    for (std::size_t n = 0; n < buffer_.size(); ++n)
      if (!needed[n]) buffer_[n] = wild();
  }

 private:
  Layout layout_{};
  std::vector<T> buffer_;
  std::vector<char> own_;
};

}  // namespace calor::kernels::test

#include "calor/kernels/packed_doubles.h"

#include <algorithm>
#include <cmath>

#include "calor/core/threads.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {

namespace {

constexpr double most_whole = 32767;

// Adding it leaves no digits behind the point.
constexpr double rounding = 3LL << 51;

bool is_whole(double x) { return std::abs(x) <= most_whole && (x + rounding) - rounding == x; }

// What the instruction set has for a form of points.
template <class T>
struct Form;
template <>
struct Form<double> {
  static constexpr std::int64_t dimensions = 1;  // of a step
  static std::int64_t width(const Products& pairs) { return pairs.double_panel_width; }
  static auto kernel(const Products& pairs) { return pairs.double_products; }
  static double step(const double* x, const double* centre, std::int64_t, double& square) {
    const double z = x[0] - (centre ? centre[0] : 0);
    square += z * z;
    return z;
  }
};
template <>
struct Form<std::int32_t> {
  static constexpr std::int64_t dimensions = 2;
  static std::int64_t width(const Products& pairs) { return pairs.whole_panel_width; }
  static auto kernel(const Products& pairs) { return pairs.whole_products; }
  static std::int32_t step(const double* x, const double*, std::int64_t left, double& square) {
    const auto whole = [&square](double z) {
      const double kept = is_whole(z) ? z : 0;
      square += kept * kept;
      return static_cast<std::uint16_t>(static_cast<std::int16_t>(kept));
    };
    const std::uint32_t even = whole(x[0]), odd = left > 1 ? whole(x[1]) : 0;
    return static_cast<std::int32_t>(odd << 16 | even);
  }
};

}  // namespace

template <class T>
PackedPanels<T>::PackedPanels(const PointsView& points, const double* centre, const Context& context)
    : pairs_(&current_isa().products()), steps_((points.dim + Form<T>::dimensions - 1) / Form<T>::dimensions), width_(Form<T>::width(*pairs_)) {
  const std::int64_t panels = (points.count + width_ - 1) / width_;
  panels_ = memory_.take<T>(panels * width_ * steps_);
  squares_.assign(static_cast<std::size_t>(points.count), 0.0);
  parallel_for(panels, context.threads, [&](std::int64_t p) {
    T* panel = panels_ + p * width_ * steps_;
    for (std::int64_t lane = 0; lane < width_; ++lane) {
      const std::int64_t i = p * width_ + lane;
      double square = 0;
      for (std::int64_t s = 0; s < steps_; ++s) {
        const std::int64_t c = s * Form<T>::dimensions;
        panel[s * width_ + lane] = i < points.count ? Form<T>::step(points.point(i) + c, centre ? centre + c : nullptr, points.dim - c, square) : 0;
      }
      if (i < points.count) squares_[i] = square;
    }
  });
}

template <class T>
void products(const PackedPanels<T>& rows, std::int64_t row, std::int64_t row_count, const PackedPanels<T>& columns, std::int64_t column,
              std::int64_t column_count, double* tile, std::int64_t stride) {
  // Products of 128 x 128 stay in the second-level cache; they begin where panels do.
  constexpr std::int64_t block = 128, block_stride = block + 8;
  const std::int64_t width = rows.width_, steps = rows.steps_;
  const WorkspaceScope scratch(WorkspaceScope::Use::piece);
  T* part = scratch->take<T>(block * block_stride);
  const auto for_blocks = [&](std::int64_t begin, std::int64_t end, const auto& visit) {
    for (std::int64_t first = begin / width * width; first < end; first += block)
      visit(first, std::max(first, begin), std::min(first + block, end));
  };
  for_blocks(row, row + row_count, [&](std::int64_t row_first, std::int64_t row_begin, std::int64_t row_end) {
    for_blocks(column, column + column_count, [&](std::int64_t column_first, std::int64_t column_begin, std::int64_t column_end) {
      Form<T>::kernel(*rows.pairs_)(rows.panels_ + row_first * steps, row_end - row_first, columns.panels_ + column_first * steps,
                                    (column_end - column_first + width - 1) / width, steps, part, block_stride);
      for (std::int64_t i = row_begin; i < row_end; ++i)
        std::copy_n(part + (i - row_first) * block_stride + (column_begin - column_first), column_end - column_begin,
                    tile + (i - row) * stride + (column_begin - column));
    });
  });
}

// Rows that a register tile takes at once on every instruction set (products-inl.h).
static constexpr std::int64_t register_rows = 6;

template <class T>
void listed_products(const PackedPanels<T>& rows, const std::int64_t* listed, std::int64_t row_count, const PackedPanels<T>& columns, std::int64_t column,
                     std::int64_t column_count, double* tile, std::int64_t stride) {
  // A block of columns stays in the second-level cache while the rows go by.
  constexpr std::int64_t cache_numbers = (256 << 10) / sizeof(T), most_columns = 256;
  const std::int64_t width = rows.width_, steps = rows.steps_, end = column + column_count;
  const std::int64_t block = std::clamp(cache_numbers / std::max<std::int64_t>(1, steps) / width, std::int64_t{1}, most_columns / width) * width, block_stride = block + 8;
  const std::int64_t group = std::min<std::int64_t>(width, register_rows), groups = (row_count + group - 1) / group;
  const WorkspaceScope scratch(WorkspaceScope::Use::piece);
  T* part = scratch->take<T>(group * block_stride);
  T* panels = scratch->take<T>(groups * width * steps);
  for (std::int64_t r = 0; r < row_count; ++r) {
    const T* from = rows.panels_ + listed[r] / width * width * steps + listed[r] % width;
    T* to = panels + r / group * width * steps + r % group;
    for (std::int64_t s = 0; s < steps; ++s) to[s * width] = from[s * width];
  }
  for (std::int64_t begin = column / width * width; begin < end; begin += block) {
    const std::int64_t stop = std::min(begin + block, end), from = std::max(begin, column);
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::int64_t first = g * group, count = std::min(group, row_count - first);
      Form<T>::kernel(*rows.pairs_)(panels + g * width * steps, count, columns.panels_ + begin * steps, (stop - begin + width - 1) / width, steps, part, block_stride);
      for (std::int64_t r = 0; r < count; ++r)
        std::copy_n(part + r * block_stride + (from - begin), stop - from, tile + (first + r) * stride + (from - column));
    }
  }
}

#define CALOR_PACKED(T)                                                                                                                                  \
  template class PackedPanels<T>;                                                                                                                        \
  template void products(const PackedPanels<T>&, std::int64_t, std::int64_t, const PackedPanels<T>&, std::int64_t, std::int64_t, double*, std::int64_t); \
  template void listed_products(const PackedPanels<T>&, const std::int64_t*, std::int64_t, const PackedPanels<T>&, std::int64_t, std::int64_t, double*, std::int64_t);
CALOR_PACKED(double)
CALOR_PACKED(std::int32_t)
#undef CALOR_PACKED

double largest_whole(const PointsView& points) {
  double largest = 0;
  for (std::int64_t i = 0; i < points.count; ++i) {
    const double* x = points.point(i);
    bool all = true;
    for (std::int64_t c = 0; c < points.dim; ++c) {
      all &= is_whole(x[c]);
      largest = std::max(largest, std::abs(x[c]));
    }
    if (!all) return -1;
  }
  return largest;
}

bool products_stay_whole(double row_largest, double column_largest, std::int64_t dim) {
  return row_largest >= 0 && column_largest >= 0 && row_largest * column_largest * static_cast<double>(dim) < 0x1p31;
}

bool distances_from_products(const double* products, std::int64_t count, double row_square, const double* column_squares, double share,
                             double* out) {
  return current_isa().products().distances_from_products(products, count, row_square, column_squares, share, out);
}

void add_weighted_rows(const double* values, std::int64_t row_count, std::int64_t stride, std::int64_t count, const double* weights, std::int64_t width,
                       double* sums) {
  current_isa().products().add_weighted_rows(values, row_count, stride, count, weights, width, sums);
}

void exponentials(double* x, std::int64_t count) { current_isa().softmax().exponentials(x, count); }

}  // namespace calor::kernels

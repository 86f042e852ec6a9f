#include "calor/kernels/packed_doubles.h"

#include <algorithm>

#include "calor/core/threads.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {

PackedDoubles::PackedDoubles(const PointsView& points, const double* centre, const Context& context)
    : pairs_(&current_isa().products()), dim_(points.dim), width_(pairs_->double_panel_width) {
  const std::int64_t panels = (points.count + width_ - 1) / width_;
  panels_ = memory_.take<double>(panels * width_ * dim_);
  squares_.assign(static_cast<std::size_t>(points.count), 0.0);
  parallel_for(panels, context.threads, [&](std::int64_t p) {
    double* panel = panels_ + p * width_ * dim_;
    for (std::int64_t lane = 0; lane < width_; ++lane) {
      const std::int64_t i = p * width_ + lane;
      double square = 0;
      for (std::int64_t c = 0; c < dim_; ++c) {
        const double z = i < points.count ? points.point(i)[c] - (centre ? centre[c] : 0) : 0;
        panel[c * width_ + lane] = z;
        square += z * z;
      }
      if (i < points.count) squares_[i] = square;
    }
  });
}

void products(const PackedDoubles& rows, std::int64_t row, std::int64_t row_count, const PackedDoubles& columns, std::int64_t column,
              std::int64_t column_count, double* tile, std::int64_t stride) {
  // Products of 128 x 128 stay in the second-level cache; they begin where panels do.
  constexpr std::int64_t block = 128, block_stride = block + 8;
  const std::int64_t width = rows.width_, dim = rows.dim_;
  const WorkspaceScope scratch(WorkspaceScope::Use::piece);
  auto* part = scratch->take<double>(block * block_stride);
  const auto for_blocks = [&](std::int64_t begin, std::int64_t end, const auto& visit) {
    for (std::int64_t first = begin / width * width; first < end; first += block)
      visit(first, std::max(first, begin), std::min(first + block, end));
  };
  for_blocks(row, row + row_count, [&](std::int64_t row_first, std::int64_t row_begin, std::int64_t row_end) {
    for_blocks(column, column + column_count, [&](std::int64_t column_first, std::int64_t column_begin, std::int64_t column_end) {
      rows.pairs_->double_products(rows.panels_ + row_first * dim, row_end - row_first, columns.panels_ + column_first * dim,
                                   (column_end - column_first + width - 1) / width, dim, part, block_stride);
      for (std::int64_t i = row_begin; i < row_end; ++i)
        std::copy_n(part + (i - row_first) * block_stride + (column_begin - column_first), column_end - column_begin,
                    tile + (i - row) * stride + (column_begin - column));
    });
  });
}

// Rows that a register tile takes at once on every instruction set (products-inl.h).
static constexpr std::int64_t register_rows = 6;

void listed_products(const PackedDoubles& rows, const std::int64_t* listed, std::int64_t row_count, const PackedDoubles& columns, std::int64_t column,
              std::int64_t column_count, double* tile, std::int64_t stride) {
  // A block of columns stays in the second-level cache while the rows go by.
  constexpr std::int64_t cache_bytes = 256 << 10, most_columns = 256;
  const std::int64_t width = rows.width_, dim = rows.dim_, end = column + column_count;
  const std::int64_t block = std::clamp(cache_bytes / 8 / std::max<std::int64_t>(1, dim) / width, std::int64_t{1}, most_columns / width) * width, block_stride = block + 8;
  const std::int64_t group = std::min<std::int64_t>(width, register_rows), groups = (row_count + group - 1) / group;
  const WorkspaceScope scratch(WorkspaceScope::Use::piece);
  auto* part = scratch->take<double>(group * block_stride);
  auto* panels = scratch->take<double>(groups * width * dim);
  for (std::int64_t r = 0; r < row_count; ++r) {
    const double* from = rows.panels_ + listed[r] / width * width * dim + listed[r] % width;
    double* to = panels + r / group * width * dim + r % group;
    for (std::int64_t c = 0; c < dim; ++c) to[c * width] = from[c * width];
  }
  for (std::int64_t begin = column / width * width; begin < end; begin += block) {
    const std::int64_t stop = std::min(begin + block, end), from = std::max(begin, column);
    for (std::int64_t g = 0; g < groups; ++g) {
      const std::int64_t first = g * group, count = std::min(group, row_count - first);
      rows.pairs_->double_products(panels + g * width * dim, count, columns.panels_ + begin * dim, (stop - begin + width - 1) / width, dim, part, block_stride);
      for (std::int64_t r = 0; r < count; ++r)
        std::copy_n(part + r * block_stride + (from - begin), stop - from, tile + (first + r) * stride + (from - column));
    }
  }
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

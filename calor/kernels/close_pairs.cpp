#include "calor/kernels/close_pairs.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>

#include "calor/core/threads.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {

std::vector<std::vector<std::int32_t>> close_pairs(const ClosePairsProblem& problem, const Context& context) {
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(problem.rows.count));
  if (problem.rows.count == 0 || problem.columns.count == 0) return lists;
  constexpr std::int64_t block = ProductTile::block;
  // The caller's own rounding of a distance and of a reach.
  constexpr double slack = 1e-12;
  const Products& pairs = current_isa().products();
  const Frame frame(problem.rows, problem.columns, problem.directions, context);
  const PackedPoints rows(pairs, problem.rows, frame, context), columns(pairs, problem.columns, frame, context);
  const double area = frame.scale * frame.scale;
  const std::int64_t padded = (columns.count() + columns.panel_width() - 1) / columns.panel_width() * columns.panel_width();
  std::vector<float> bounds(static_cast<std::size_t>(padded), std::numeric_limits<float>::infinity());
  for (std::int64_t j = 0; j < columns.count(); ++j)
    bounds[j] = rounded_down(columns.half(j) - 0.5 * std::min(problem.reach[j] * area * (1 + slack), 0x1p100));

  const std::int64_t blocks = (rows.count() + block - 1) / block;
  std::atomic<std::int64_t> done{0};
  std::mutex guard;
  std::uint64_t total = 0;
  parallel_for(blocks, context.threads, [&](std::int64_t b) {
    for (std::int64_t c = 0; c < columns.count(); c += block) {
      context.check_stop("pairs within reach");
      const WorkspaceScope scratch(WorkspaceScope::Use::piece);
      const ProductTile tile = product_tile(pairs, rows, b * block, columns, c, *scratch);
      std::uint64_t more = 0;
      std::int32_t found[block];
      for (std::int64_t i = tile.row; i < tile.row + tile.rows; ++i) {
        const float* products = tile.at + (i - tile.row) * ProductTile::stride;
        const std::int64_t count = pairs.survivors(products, tile.width, std::numeric_limits<float>::infinity(), columns.rounded_halves() + c,
                                                   rows.rounded_halves()[i], bounds.data() + c, found);
        for (std::int64_t s = 0; s < count; ++s) {
          const std::int64_t j = c + found[s];
          if (problem.leave_itself_out && i == j) continue;
          const double squares = rows.square(i) + columns.square(j);
          const double most = squares - 2 * static_cast<double>(products[found[s]]) + frame.relative * squares + frame.absolute;
          if (!(most <= problem.reach[j] * area * (1 - slack)) && !problem.close(i, j)) continue;
          lists[i].push_back(static_cast<std::int32_t>(j));
          ++more;
        }
      }
      const std::lock_guard lock(guard);
      total += more;
      if (problem.grown) problem.grown(total);
    }
    context.advance(static_cast<double>(++done), static_cast<double>(blocks), "pairs within reach");
  });
  return lists;
}

}  // namespace calor::kernels

#include "calor/kernels/close_pairs.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>

#include "calor/core/threads.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/screened_points.h"

namespace calor::kernels {

std::vector<std::vector<std::int32_t>> close_pairs(const ClosePairsProblem& problem, const Context& context) {
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(problem.rows.count));
  if (problem.rows.count == 0 || problem.columns.count == 0) return lists;
  constexpr std::int64_t block = ScreenedPoints::block;
  // The caller's own rounding of a distance and of a reach.
  constexpr double slack = 1e-12;
  const Products& products = current_isa().products();
  const Frame frame(problem.rows, problem.columns, problem.directions, context);
  const bool ordered = worth_ordering(problem.rows.count, problem.columns.count, problem.rows.dim);
  const ScreenedPoints rows(products, problem.rows, frame, problem.leading, ordered, context), columns(products, problem.columns, frame, problem.leading, ordered, context);
  const double area = frame.scale * frame.scale;
  const std::int64_t row_blocks = rows.blocks().count(), column_blocks = columns.blocks().count();
  // By place; what fills up the last block is within nobody's reach.
  std::vector<float> bounds(static_cast<std::size_t>(column_blocks * block), std::numeric_limits<float>::infinity());
  std::vector<double> reach(static_cast<std::size_t>(problem.columns.count)), farthest(static_cast<std::size_t>(column_blocks), 0.0);
  for (std::int64_t j = 0; j < problem.columns.count; ++j) {
    reach[j] = std::min(problem.reach[columns.place(j)] * area, 0x1p100);
    bounds[j] = rounded_down(columns.packed().half(j) - 0.5 * reach[j] * (1 + slack));
    farthest[j / block] = std::max(farthest[j / block], reach[j] * (1 + slack));
  }

  std::atomic<std::int64_t> done{0};
  std::mutex guard;
  std::uint64_t total = 0;
  parallel_for(row_blocks, context.threads, [&](std::int64_t a) {
    for (std::int64_t b = 0; b < column_blocks; ++b) {
      context.check_stop("pairs within reach");
      if (rows.blocks().gap(a, columns.blocks(), b) > farthest[b]) continue;
      std::uint64_t more = 0;
      for (const ScreenedPair& pair : screened_pairs(products, rows, a, columns, b, frame, nullptr, bounds.data() + b * block, problem.leave_itself_out)) {
        const std::int64_t i = rows.place(pair.row), j = columns.place(pair.column);
        if (!(pair.upper <= reach[pair.column] * (1 - slack)) && !problem.close(i, j)) continue;
        lists[i].push_back(static_cast<std::int32_t>(j));
        ++more;
      }
      const std::lock_guard lock(guard);
      total += more;
      if (problem.grown) problem.grown(total);
    }
    for (std::int64_t i = a * block; i < std::min(problem.rows.count, (a + 1) * block); ++i) std::sort(lists[rows.place(i)].begin(), lists[rows.place(i)].end());
    context.advance(static_cast<double>(++done), static_cast<double>(row_blocks), "pairs within reach");
  });
  return lists;
}

}  // namespace calor::kernels

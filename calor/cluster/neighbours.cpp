#include "calor/cluster/neighbours.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "calor/core/threads.h"

namespace calor::cluster {

using engine::Csr, engine::NeighbourOptions;

namespace {

// The nearest of a row so far by (order, column), in that order.
using List = std::vector<std::pair<double, std::int32_t>>;

NeighbourOptions within_block(const NeighbourOptions& options, bool own, std::int64_t first, std::int64_t rows, std::vector<std::uint8_t>& allowed) {
  NeighbourOptions result = options;
  result.k = std::min(options.k, rows);
  result.leave_itself_out = own && options.leave_itself_out;
  if (!options.allowed) return result;
  allowed.assign(options.allowed->begin() + first, options.allowed->begin() + first + rows);
  result.allowed = &allowed;
  return result;
}

void merge(List& list, const Csr& found, std::int64_t i, const Matrix& rows, const Matrix& block, std::int64_t first, const NeighbourOptions& options) {
  for (std::int64_t e = found.begin[i]; e < found.begin[i + 1]; ++e)
    list.emplace_back(engine::order_of(rows, i, block, found.column[e], options.metric), static_cast<std::int32_t>(first + found.column[e]));
  std::sort(list.begin(), list.end());
  if (static_cast<std::int64_t>(list.size()) > options.k) list.resize(static_cast<std::size_t>(options.k));
}

}  // namespace

Csr nearest(const Part& part, const NeighbourOptions& options) {
  const Matrix& own = *part.state.points;
  std::vector<List> lists(static_cast<std::size_t>(own.rows()));
  part.context.memory.require(static_cast<std::uint64_t>(own.rows()) * static_cast<std::uint64_t>(options.k) * 2 * sizeof(List::value_type), "knn", "the neighbours of two blocks",
                              "use more processes, give a smaller k, or raise --max-memory");
  part.processes.each_block(part.state.points, part.rows, [&](int owner, const Processes::Block& block) {
    std::vector<std::uint8_t> allowed;
    const std::int64_t first = part.rows.first(owner);
    const NeighbourOptions inside = within_block(options, owner == part.processes.rank(), first, block->rows(), allowed);
    if (own.rows() == 0 || block->rows() == 0) return;
    const Csr found = engine::nearest(own, *block, inside, part.context);
    constexpr std::int64_t piece = 256;
    parallel_for((own.rows() + piece - 1) / piece, part.context.threads, [&](std::int64_t p) {
      for (std::int64_t i = p * piece; i < std::min(own.rows(), (p + 1) * piece); ++i) merge(lists[static_cast<std::size_t>(i)], found, i, own, *block, first, options);
    });
  });
  std::vector<std::vector<std::int32_t>> columns;
  for (const List& list : lists) {
    auto& row = columns.emplace_back();
    for (const auto& [order, column] : list) row.push_back(column);
    std::sort(row.begin(), row.end());
  }
  return engine::graph_of_lists(part.rows.rows(), columns);
}

}  // namespace calor::cluster

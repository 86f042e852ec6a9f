#include "calor/cluster/neighbours.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "calor/cluster/kept_neighbours.h"
#include "calor/core/error.h"
#include "calor/core/threads.h"

namespace calor::cluster {

using engine::Csr, engine::NeighbourOptions;

namespace {

// Rows of a matrix without a copy where all are meant.
class Some {
 public:
  Some(const Matrix& all, std::int64_t first, std::int64_t rows) : all_(all), are_all_(first == 0 && rows == all.rows()) {
    if (!are_all_) some_ = all.middleRows(first, rows);
  }
  const Matrix& rows() const { return are_all_ ? all_ : some_; }

 private:
  const Matrix& all_;
  bool are_all_;
  Matrix some_;
};

// The rows [first, first + rows) of all against columns [begin, end) of all: what the engine is asked for.  Where both share some rows but are not the same
// it is asked for one more, since a row may find itself.
NeighbourOptions asked(const NeighbourOptions& options, std::int64_t first, std::int64_t rows, std::int64_t begin, std::int64_t end, std::vector<std::uint8_t>& allowed) {
  NeighbourOptions result = options;
  const bool same = first == begin && first + rows == end, overlap = first < end && begin < first + rows;
  result.leave_itself_out = same && options.leave_itself_out;
  result.k = std::min(options.k + (overlap && !same && options.leave_itself_out), end - begin);
  if (!options.allowed) return result;
  allowed.assign(options.allowed->begin() + begin, options.allowed->begin() + end);
  result.allowed = &allowed;
  return result;
}

void merge(NearList& list, const Csr& found, std::int64_t i, std::int64_t row, const Matrix& rows, const Matrix& columns, std::int64_t first_column, const NeighbourOptions& options) {
  for (std::int64_t e = found.begin[i]; e < found.begin[i + 1]; ++e) {
    const std::int64_t column = first_column + found.column[e];
    if (options.leave_itself_out && column == row) continue;
    list.emplace_back(engine::order_of(rows, i, columns, found.column[e], options.metric), static_cast<std::int32_t>(column));
  }
  std::sort(list.begin(), list.end());
  if (static_cast<std::int64_t>(list.size()) > options.k) list.resize(static_cast<std::size_t>(options.k));
}

// Looks for the neighbours of a group in the columns [begin, end), of a block that begins with column `block_first`.
void search(const Part& part, KeptRows& group, const Matrix& block, std::int64_t block_first, std::int64_t begin, std::int64_t end, const NeighbourOptions& options) {
  const Some rows(*part.state.points, group.first - part.first_row(), group.rows()), columns(block, begin - block_first, end - begin);
  std::vector<std::uint8_t> allowed;
  const NeighbourOptions inside = asked(options, group.first, group.rows(), begin, end, allowed);
  const Csr found = engine::nearest(rows.rows(), columns.rows(), inside, part.context);
  constexpr std::int64_t piece = 256;
  parallel_for((group.rows() + piece - 1) / piece, part.context.threads, [&](std::int64_t p) {
    for (std::int64_t i = p * piece; i < std::min(group.rows(), (p + 1) * piece); ++i)
      merge(group.lists[static_cast<std::size_t>(i)], found, i, group.first + i, rows.rows(), columns.rows(), begin, options);
  });
}

}  // namespace

Csr nearest(Part& part, const NeighbourOptions& options) {
  part.context.memory.require(static_cast<std::uint64_t>(part.own_rows()) * static_cast<std::uint64_t>(options.k) * 2 * sizeof(NearList::value_type), "knn", "the neighbours of two blocks",
                              "use more processes, give a smaller k, or raise --max-memory");
  const KeptNeighbours kept(part);
  std::vector<KeptRows> groups = kept.begin();
  const std::int64_t all = part.rows.rows();
  const auto seen_all = [&](const KeptRows& group) { return group.seen.size() == all; };
  if (!part.checkpoint.on() || !part.processes.all(std::all_of(groups.begin(), groups.end(), seen_all)))
    part.processes.each_block(part.state.points, part.rows, [&](int owner, const Processes::Block& block) {
      const std::int64_t first = part.rows.first(owner), end = first + block->rows();
      for (KeptRows& group : groups) {
        for (const auto& [from, to] : group.seen.missing(first, end)) search(part, group, *block, first, from, to, options);
        group.seen.add(first, end);
      }
      kept.keep(groups);
    });
  kept.end(groups);
  std::vector<std::vector<std::int32_t>> columns;
  for (const KeptRows& group : groups)
    for (const NearList& list : group.lists) {
      auto& row = columns.emplace_back();
      for (const auto& [order, column] : list) row.push_back(column);
      std::sort(row.begin(), row.end());
    }
  return engine::graph_of_lists(all, columns);
}

}  // namespace calor::cluster

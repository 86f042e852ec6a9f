#include "calor/kernels/neighbours.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "calor/core/threads.h"
#include "calor/kernels/candidate_lists.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/screened_points.h"

namespace calor::kernels {
namespace {

constexpr std::int64_t block = ScreenedPoints::block;
constexpr std::int64_t square = 8;  // blocks: of 784 numbers a point they are 6 MB

class Search {
 public:
  Search(const NeighboursProblem& problem, const Context& context)
      : problem_(problem), context_(context), pairs_(current_isa().products()), symmetric_(is_symmetric(problem)),
        frame_(problem.rows, problem.columns, problem.directions, context),
        columns_(pairs_, problem.columns, frame_, problem.leading, ordered(problem), context) {
    if (!symmetric_) own_rows_.emplace(pairs_, problem.rows, frame_, problem.leading, ordered(problem), context);
    problem_.rows = rows().points();
    problem_.columns = columns_.points();
    lists_.emplace(problem_, rows().packed(), frame_.scale);
    if (!problem.reach) return;
    for (std::int64_t i = 0; i < problem_.rows.count; ++i)
      lists_->limit(i, rounded_up(std::min(problem.reach[rows().place(i)] * frame_.scale * frame_.scale, 1e30)));
  }

  static bool is_symmetric(const NeighboursProblem& problem) {
    return problem.rows.at == problem.columns.at && !problem.rows.listed && !problem.columns.listed && problem.leave_itself_out;
  }

  static bool ordered(const NeighboursProblem& problem) { return worth_ordering(problem.rows.count, problem.columns.count, problem.rows.dim); }

  Neighbours run() {
    if (symmetric_) over_block_pairs();
    else over_row_blocks();
    const std::int64_t n = problem_.rows.count, k = problem_.k;
    Neighbours result{std::vector<std::int32_t>(static_cast<std::size_t>(n * k), -1), std::vector<double>(static_cast<std::size_t>(n), 0.0), {}};
    parallel_for(ScreenedPoints::blocks_of(n), context_.threads, [&](std::int64_t b) {
      context_.check_stop("knn");
      for (std::int64_t i = b * block; i < std::min(n, (b + 1) * block); ++i) {
        const std::int64_t row = rows().place(i);
        result.farthest[row] = lists_->finish(i, result.columns.data() + row * k);
      }
    });
    if (rows().blocks().ordered()) result.order = rows().blocks().order();
    return result;
  }

 private:
  const ScreenedPoints& rows() const { return symmetric_ ? columns_ : *own_rows_; }

  // The nearest blocks of columns come first.
  void over_row_blocks() {
    const std::int64_t blocks = ScreenedPoints::blocks_of(problem_.rows.count);
    std::atomic<std::int64_t> done{0};
    parallel_for(blocks, context_.threads, [&](std::int64_t b) {
      for (const std::int32_t c : rows().blocks().nearest(b, columns_.blocks(), columns_.blocks().count())) {
        context_.check_stop("knn");
        if (rows().blocks().gap(b, columns_.blocks(), c) > farthest_threshold(b)) continue;
        for (const ScreenedPair& pair : screened(b, c, false)) offer(pair, false);
      }
      context_.advance(static_cast<double>(++done), static_cast<double>(blocks), "nearest neighbours");
    });
  }

  // Blocks with themselves and with the nearest ones give every row a bound; then all others, those that follow each other in the order first.
  void over_block_pairs() {
    const std::int64_t blocks = ScreenedPoints::blocks_of(problem_.rows.count), tiles = blocks * (blocks + 1) / 2;
    guards_ = std::vector<std::mutex>(static_cast<std::size_t>(blocks));
    farthest_ = std::vector<std::atomic<float>>(static_cast<std::size_t>(blocks));
    for (auto& reach : farthest_) reach = std::numeric_limits<float>::infinity();
    std::atomic<std::int64_t> done{0};
    const auto visit = [&](std::int64_t a, std::int64_t b) {
      context_.check_stop("knn");
      if (columns_.blocks().gap(a, columns_.blocks(), b) <= std::max(farthest_[a].load(), farthest_[b].load())) take(a, b);
      context_.advance(static_cast<double>(++done), static_cast<double>(tiles), "nearest neighbours");
    };
    parallel_for(blocks, context_.threads, [&](std::int64_t a) {
      limit(a, a);
      visit(a, a);
    });

    const std::vector<std::pair<std::int32_t, std::int32_t>> first = near_pairs();
    parallel_for(static_cast<std::int64_t>(first.size()), context_.threads, [&](std::int64_t n) { visit(first[n].first, first[n].second); });
    parallel_for(blocks, context_.threads, [&](std::int64_t b) {
      for (std::int64_t i = b * block; i < std::min(problem_.rows.count, (b + 1) * block); ++i) lists_->tighten(i);
      farthest_[b] = farthest_threshold(b);
    });

    // Squares of blocks, so that what a pair reads is still at hand for the next; those that follow each other in the order first.
    const std::int64_t squares = (blocks + square - 1) / square, pairs = squares * (squares + 1) / 2;
    parallel_for(pairs * square * square, context_.threads, [&](std::int64_t t) {
      const std::int64_t at = t / (square * square), within = t % (square * square);
      const std::int64_t left = at % squares, right = (left + at / squares) % squares;  // round the ring; half of it where the last step comes back
      const std::int64_t a = left * square + within % square, b = right * square + (within / square + within) % square;  // no two of a diagonal share a block
      if (std::max(a, b) >= blocks || (left == right && a >= b)) return;
      const std::pair pair{static_cast<std::int32_t>(std::min(a, b)), static_cast<std::int32_t>(std::max(a, b))};
      if (!std::binary_search(first.begin(), first.end(), pair)) visit(pair.first, pair.second);
    });
  }

  // Bounds of the rows of a block from what looks nearest in one of columns.
  void limit(std::int64_t a, std::int64_t b) {
    if (!rows().rounded()) return;
    const std::vector<float> limits = near_limits(pairs_, rows(), a, columns_, b, frame_, problem_.k, problem_.leave_itself_out);
    for (std::size_t r = 0; r < limits.size(); ++r) lists_->limit(a * block + static_cast<std::int64_t>(r), limits[r]);
  }

  // Each block with the blocks nearest to it, the lower one first; none where that would be a good part of all pairs.
  std::vector<std::pair<std::int32_t, std::int32_t>> near_pairs() const {
    constexpr std::int64_t near = 8;
    const NearBlocks& blocks = columns_.blocks();
    if (!blocks.ordered() || blocks.count() <= 4 * near) return {};
    std::vector<std::vector<std::int32_t>> others(static_cast<std::size_t>(blocks.count()));
    parallel_for(blocks.count(), context_.threads, [&](std::int64_t a) {
      context_.check_stop("knn");
      others[a] = blocks.nearest(a, blocks, near + 1);
    });
    std::vector<std::pair<std::int32_t, std::int32_t>> result;
    for (std::int32_t a = 0; a < static_cast<std::int32_t>(others.size()); ++a)
      for (const std::int32_t b : others[a])
        if (b != a) result.emplace_back(std::min(a, b), std::max(a, b));
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
    return result;
  }

  void take(std::int64_t a, std::int64_t b) {
    const bool both = a != b;
    const std::vector<ScreenedPair> pairs = screened(a, b, both);
    const auto offer_all = [&] {
      for (const ScreenedPair& pair : pairs) offer(pair, both);
      farthest_[a] = farthest_threshold(a);
      farthest_[b] = farthest_threshold(b);
    };
    if (both) {
      const std::scoped_lock lock(guards_[a], guards_[b]);
      offer_all();
    } else {
      const std::lock_guard lock(guards_[a]);
      offer_all();
    }
  }

  void offer(const ScreenedPair& pair, bool both) {
    lists_->offer(pair.row, pair.lower, pair.upper, problem_.columns.listed[pair.column]);
    if (both) lists_->offer(pair.column, pair.lower, pair.upper, problem_.rows.listed[pair.row]);
  }

  float farthest_threshold(std::int64_t b) const {
    float most = 0;
    for (std::int64_t i = b * block; i < std::min(problem_.rows.count, (b + 1) * block); ++i) most = std::max(most, lists_->threshold(i));
    return most;
  }

  // What two blocks have for the lists of the rows and, with `both`, of the columns.
  std::vector<ScreenedPair> screened(std::int64_t a, std::int64_t b, bool both) {
    // Bounds as they are now: they only come down.
    float row_bounds[block], column_bounds[block];
    const auto copy_bounds = [&](std::int64_t from, std::int64_t count, float* to) {
      std::fill_n(std::copy_n(lists_->bounds() + from * block, std::min(block, count - from * block), to), std::max<std::int64_t>(0, (from + 1) * block - count),
                  std::numeric_limits<float>::infinity());
    };
    if (both) {
      const std::scoped_lock lock(guards_[a], guards_[b]);
      copy_bounds(a, problem_.rows.count, row_bounds);
      copy_bounds(b, problem_.columns.count, column_bounds);
    } else {
      copy_bounds(a, problem_.rows.count, row_bounds);
    }
    return screened_pairs(pairs_, rows(), a, columns_, b, frame_, row_bounds, both ? column_bounds : nullptr, problem_.leave_itself_out);
  }

  NeighboursProblem problem_;  // its points in the order of the blocks
  const Context& context_;
  const Products& pairs_;
  const bool symmetric_;
  const Frame frame_;
  const ScreenedPoints columns_;
  std::optional<ScreenedPoints> own_rows_;
  std::optional<CandidateLists> lists_;
  std::vector<std::mutex> guards_;            // of the lists of each block
  std::vector<std::atomic<float>> farthest_;  // the greatest threshold of each block, or what it was
};

}  // namespace

Neighbours nearest_columns(const NeighboursProblem& problem, const Context& context) {
  if (problem.rows.count == 0 || problem.columns.count == 0)
    return {std::vector<std::int32_t>(static_cast<std::size_t>(problem.rows.count * problem.k), -1), std::vector<double>(static_cast<std::size_t>(problem.rows.count), 0.0), {}};
  return Search(problem, context).run();
}

std::uint64_t neighbours_bytes(std::int64_t rows, std::int64_t other_columns, std::int64_t dim, std::int64_t k) {
  return static_cast<std::uint64_t>(rows + other_columns) * screened_bytes(dim) + CandidateLists::bytes(rows, k) + static_cast<std::uint64_t>(rows * 4 * k);
}

std::uint64_t neighbours_bytes(const NeighboursProblem& problem) {
  return neighbours_bytes(problem.rows.count, Search::is_symmetric(problem) ? 0 : problem.columns.count, problem.rows.dim, problem.k);
}

double squared_distance(const double* x, const double* y, std::int64_t dim) {
  return current_isa().products().squared_distance(x, y, dim);
}

}  // namespace calor::kernels

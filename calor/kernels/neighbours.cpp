#include "calor/kernels/neighbours.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "calor/core/threads.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {
namespace {

constexpr std::int64_t block = ProductTile::block;

struct Candidate {
  float lower, upper;  // bounds of the squared distance
  std::int32_t column;
};

// Candidates of each row.  A list that is full drops those that cannot be among the k nearest any more.
class Lists {
 public:
  Lists(const NeighboursProblem& problem, const Frame& frame, const PackedPoints& rows)
      : problem_(problem), frame_(frame), rows_(rows), k_(problem.k), capacity_(capacity(problem.k)) {
    const std::int64_t padded = (problem.rows.count + rows.panel_width() - 1) / rows.panel_width() * rows.panel_width();
    candidates_.resize(static_cast<std::size_t>(problem.rows.count * capacity_));
    sizes_.assign(static_cast<std::size_t>(problem.rows.count), 0);
    thresholds_.assign(static_cast<std::size_t>(problem.rows.count), std::numeric_limits<float>::infinity());
    // Finite, so that it gives way to the infinite half of what fills up a panel.
    bounds_.assign(static_cast<std::size_t>(padded), std::numeric_limits<float>::lowest());
    std::fill(bounds_.begin() + problem.rows.count, bounds_.end(), std::numeric_limits<float>::infinity());
  }

  static std::int64_t capacity(std::int64_t k) { return 2 * k + 32; }

  // A column whose product with row i is at least bounds()[i] + its half may be a neighbour.
  const float* bounds() const { return bounds_.data(); }

  void offer(std::int64_t i, float lower, float upper, std::int64_t column) {
    if (lower > thresholds_[i]) return;
    Candidate* list = candidates_.data() + i * capacity_;
    list[sizes_[i]++] = {lower, upper, static_cast<std::int32_t>(column)};
    if (sizes_[i] < capacity_) return;
    drop(i);
    if (sizes_[i] > k_ + (capacity_ - k_) / 2) settle(i);
    bounds_[i] = rounded_down(rows_.half(i) - 0.5 * thresholds_[i]);
  }

  // The k nearest, ascending.
  void finish(std::int64_t i, std::int32_t* result) {
    if (sizes_[i] > k_) drop(i);
    if (sizes_[i] > k_) settle(i);
    const Candidate* list = candidates_.data() + i * capacity_;
    for (std::int64_t e = 0; e < sizes_[i]; ++e) result[e] = list[e].column;
    std::sort(result, result + sizes_[i]);
  }

 private:
  void drop(std::int64_t i) {
    Candidate* const list = candidates_.data() + i * capacity_;
    Candidate* const end = list + sizes_[i];
    std::nth_element(list, list + k_ - 1, end, [](const Candidate& a, const Candidate& b) { return a.upper < b.upper; });
    thresholds_[i] = list[k_ - 1].upper;
    sizes_[i] = std::remove_if(list, end, [&](const Candidate& c) { return c.lower > thresholds_[i]; }) - list;
  }

  // Keeps the k nearest by measure.
  void settle(std::int64_t i) {
    Candidate* const list = candidates_.data() + i * capacity_;
    std::vector<std::pair<double, std::int32_t>> measured(static_cast<std::size_t>(sizes_[i]));
    for (std::int64_t e = 0; e < sizes_[i]; ++e)
      measured[e] = {problem_.measure(problem_.rows.number(i), list[e].column) * (frame_.scale * frame_.scale), list[e].column};
    std::nth_element(measured.begin(), measured.begin() + k_ - 1, measured.end());
    for (std::int64_t e = 0; e < k_; ++e)
      list[e] = {rounded_down(measured[e].first), rounded_up(measured[e].first), measured[e].second};
    sizes_[i] = k_;
    thresholds_[i] = rounded_up(measured[k_ - 1].first);
  }

  const NeighboursProblem& problem_;
  const Frame& frame_;
  const PackedPoints& rows_;
  const std::int64_t k_, capacity_;
  std::vector<Candidate> candidates_;
  std::vector<std::int64_t> sizes_;
  std::vector<float> thresholds_;  // a neighbour's lower bound is at most this
  std::vector<float> bounds_;
};

class Search {
 public:
  Search(const NeighboursProblem& problem, const Context& context)
      : problem_(problem), context_(context), pairs_(current_isa().products()), symmetric_(is_symmetric(problem)),
        frame_(problem.rows, problem.columns, problem.directions, context), columns_(pairs_, problem.columns, frame_, context) {
    if (!symmetric_) own_rows_.emplace(pairs_, problem.rows, frame_, context);
    lists_.emplace(problem_, frame_, rows());
  }

  static bool is_symmetric(const NeighboursProblem& problem) {
    return problem.rows.at == problem.columns.at && !problem.rows.listed && !problem.columns.listed && problem.leave_itself_out;
  }

  std::vector<std::int32_t> run() {
    if (symmetric_) over_block_pairs();
    else over_row_blocks();
    const std::int64_t n = problem_.rows.count, k = problem_.k;
    std::vector<std::int32_t> result(static_cast<std::size_t>(n * k), -1);
    parallel_for((n + block - 1) / block, context_.threads, [&](std::int64_t b) {
      context_.check_stop("knn");
      for (std::int64_t i = b * block; i < std::min(n, (b + 1) * block); ++i) lists_->finish(i, result.data() + i * k);
    });
    return result;
  }

 private:
  const PackedPoints& rows() const { return symmetric_ ? columns_ : *own_rows_; }

  void over_row_blocks() {
    const std::int64_t blocks = (problem_.rows.count + block - 1) / block;
    std::atomic<std::int64_t> done{0};
    parallel_for(blocks, context_.threads, [&](std::int64_t b) {
      for (std::int64_t c = 0; c < problem_.columns.count; c += block) {
        context_.check_stop("knn");
        const WorkspaceScope scratch(WorkspaceScope::Use::piece);
        take(product_tile(pairs_, rows(), b * block, columns_, c, *scratch), false);
      }
      context_.advance(static_cast<double>(++done), static_cast<double>(blocks), "nearest neighbours");
    });
  }

  // The blocks on the diagonal come first and give every row a bound.
  void over_block_pairs() {
    const std::int64_t blocks = (problem_.rows.count + block - 1) / block, tiles = blocks * (blocks + 1) / 2;
    std::vector<std::mutex> guards(static_cast<std::size_t>(blocks));
    std::atomic<std::int64_t> done{0};
    parallel_for(tiles, context_.threads, [&](std::int64_t t) {
      context_.check_stop("knn");
      const auto [a, b] = t < blocks ? std::pair{t, t} : pair_of(t - blocks);
      const WorkspaceScope scratch(WorkspaceScope::Use::piece);
      const ProductTile tile = product_tile(pairs_, rows(), a * block, columns_, b * block, *scratch);
      if (a == b) {
        const std::lock_guard lock(guards[a]);
        take(tile, false);
      } else {
        const std::scoped_lock lock(guards[a], guards[b]);
        take(tile, true);
      }
      context_.advance(static_cast<double>(++done), static_cast<double>(tiles), "nearest neighbours");
    });
  }

  // (a, b) with a < b at place b (b - 1) / 2 + a.
  static std::pair<std::int64_t, std::int64_t> pair_of(std::int64_t place) {
    auto b = static_cast<std::int64_t>((1 + std::sqrt(1 + 8 * static_cast<double>(place))) / 2);
    while (b * (b - 1) / 2 > place) --b;
    while (b * (b + 1) / 2 <= place) ++b;
    return {place - b * (b - 1) / 2, b};
  }

  // Offers what a tile has for the lists of its rows and, with `both`, of its columns.
  void take(const ProductTile& tile, bool both) {
    std::int32_t found[block];
    for (std::int64_t a = 0; a < tile.rows; ++a) {
      const std::int64_t i = tile.row + a, row_number = problem_.rows.number(i);
      const float* products = tile.at + a * ProductTile::stride;
      const std::int64_t count =
          pairs_.survivors(products, tile.width, lists_->bounds()[i], columns_.rounded_halves() + tile.column, rows().rounded_halves()[i],
                           both ? lists_->bounds() + tile.column : nullptr, found);
      for (std::int64_t s = 0; s < count; ++s) {
        const std::int64_t j = tile.column + found[s], column_number = problem_.columns.number(j);
        if (problem_.leave_itself_out && row_number == column_number) continue;
        const double squares = rows().square(i) + columns_.square(j);
        const double estimate = squares - 2 * static_cast<double>(products[found[s]]);
        const double error = frame_.relative * squares + frame_.absolute;
        const float lower = rounded_down(estimate - error), upper = rounded_up(estimate + error);
        lists_->offer(i, lower, upper, column_number);
        if (both) lists_->offer(j, lower, upper, row_number);
      }
    }
  }

  const NeighboursProblem& problem_;
  const Context& context_;
  const Products& pairs_;
  const bool symmetric_;
  const Frame frame_;
  const PackedPoints columns_;
  std::optional<PackedPoints> own_rows_;
  std::optional<Lists> lists_;
};

}  // namespace

std::vector<std::int32_t> nearest_columns(const NeighboursProblem& problem, const Context& context) {
  if (problem.rows.count == 0 || problem.columns.count == 0) {
    return std::vector<std::int32_t>(static_cast<std::size_t>(problem.rows.count * problem.k), -1);
  }
  return Search(problem, context).run();
}

std::uint64_t neighbours_bytes(std::int64_t rows, std::int64_t other_columns, std::int64_t dim, std::int64_t k) {
  return static_cast<std::uint64_t>((rows + other_columns) * (dim * 4 + 20)) +
         static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(Lists::capacity(k) * static_cast<std::int64_t>(sizeof(Candidate)) + 4 * k + 16);
}

std::uint64_t neighbours_bytes(const NeighboursProblem& problem) {
  return neighbours_bytes(problem.rows.count, Search::is_symmetric(problem) ? 0 : problem.columns.count, problem.rows.dim, problem.k);
}

double squared_distance(const double* x, const double* y, std::int64_t dim) {
  return current_isa().products().squared_distance(x, y, dim);
}

}  // namespace calor::kernels

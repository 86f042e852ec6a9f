#include "calor/kernels/neighbours.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "calor/core/threads.h"
#include "calor/kernels/candidate_lists.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/near_blocks.h"

namespace calor::kernels {
namespace {

constexpr std::int64_t block = ProductTile::block;

std::int64_t blocks_of(std::int64_t count) { return (count + block - 1) / block; }

// Points as a search has them: in blocks of near ones, packed for the products that screen pairs.
class Side {
 public:
  // `ordered`: by their own coordinates, where no leading ones are given.
  Side(const Products& pairs, const PointsView& points, const Frame& frame, const LeadingDirections* leading, bool ordered, const Context& context)
      : points_(points) {
    if (leading) {
      constexpr std::int64_t ordering = 16;  // coordinates; boxes of more seldom lie apart in more of them
      const LeadingPoints coordinates(points, frame, *leading, context);
      double most = 0;
      for (std::int64_t i = 0; i < points.count; ++i) most = std::max(most, coordinates.square(i));
      put_in_blocks({coordinates.point(0), points.count, coordinates.dim(), std::min(leading->count, ordering),
                     (0x1p-23 + coordinates.slack()) * std::sqrt(most)});
      if (leading->screen) {
        packed_.emplace(pairs, coordinates, blocks_.order(), frame, context);
        rounded_.emplace(points_, frame, context);
      }
    } else if (ordered) {
      const RoundedPoints coordinates(points, frame, context);
      double most = 0;
      for (std::int64_t i = 0; i < points.count; ++i) most = std::max(most, coordinates.square(i));
      put_in_blocks({coordinates.at(), points.count, points.dim, points.dim, 0x1p-23 * std::sqrt(most)});
    } else {
      put_in_blocks({nullptr, points.count, 0, 0, 0});
    }
    if (!packed_) packed_.emplace(pairs, points_, frame, context);
  }

  Side(const Side&) = delete;

  const PointsView& points() const { return points_; }  // in the order of the blocks
  const NearBlocks& blocks() const { return blocks_; }
  const PackedPoints& packed() const { return *packed_; }
  const RoundedPoints* rounded() const { return rounded_ ? &*rounded_ : nullptr; }  // where the packed ones are leading coordinates
  // Which row of the problem is at a place.
  std::int64_t place(std::int64_t i) const { return blocks_.order()[static_cast<std::size_t>(i)]; }

 private:
  void put_in_blocks(const CoordinatesView& coordinates) {
    blocks_ = NearBlocks(coordinates, block);
    for (std::int64_t i = 0; i < points_.count; ++i) numbers_.push_back(static_cast<std::int32_t>(points_.number(place(i))));
    points_.listed = numbers_.data();
  }

  PointsView points_;
  NearBlocks blocks_;
  std::vector<std::int32_t> numbers_;
  std::optional<PackedPoints> packed_;
  std::optional<RoundedPoints> rounded_;
};

// A pair that may be neighbours, and bounds of its squared distance.
struct Pair {
  std::int32_t row, column;  // places
  float lower, upper;
};

class Search {
 public:
  Search(const NeighboursProblem& problem, const Context& context)
      : problem_(problem), context_(context), pairs_(current_isa().products()), symmetric_(is_symmetric(problem)),
        frame_(problem.rows, problem.columns, problem.directions, context),
        columns_(pairs_, problem.columns, frame_, problem.leading, order_themselves(problem), context) {
    if (!symmetric_) own_rows_.emplace(pairs_, problem.rows, frame_, problem.leading, order_themselves(problem), context);
    problem_.rows = rows().points();
    problem_.columns = columns_.points();
    lists_.emplace(problem_, rows().packed(), frame_.scale);
  }

  static bool is_symmetric(const NeighboursProblem& problem) {
    return problem.rows.at == problem.columns.at && !problem.rows.listed && !problem.columns.listed && problem.leave_itself_out;
  }

  // Few rows are done before columns are in order.
  static bool order_themselves(const NeighboursProblem& problem) {
    return problem.rows.dim <= most_own_coordinates && std::min(problem.rows.count, problem.columns.count) > 8 * block;
  }

  std::vector<std::int32_t> run() {
    if (symmetric_) over_block_pairs();
    else over_row_blocks();
    const std::int64_t n = problem_.rows.count, k = problem_.k;
    std::vector<std::int32_t> result(static_cast<std::size_t>(n * k), -1);
    parallel_for(blocks_of(n), context_.threads, [&](std::int64_t b) {
      context_.check_stop("knn");
      for (std::int64_t i = b * block; i < std::min(n, (b + 1) * block); ++i) lists_->finish(i, result.data() + rows().place(i) * k);
    });
    return result;
  }

 private:
  const Side& rows() const { return symmetric_ ? columns_ : *own_rows_; }

  // The nearest blocks of columns come first.
  void over_row_blocks() {
    const std::int64_t blocks = blocks_of(problem_.rows.count);
    std::atomic<std::int64_t> done{0};
    parallel_for(blocks, context_.threads, [&](std::int64_t b) {
      for (const std::int32_t c : rows().blocks().nearest(b, columns_.blocks(), columns_.blocks().count())) {
        context_.check_stop("knn");
        if (rows().blocks().gap(b, columns_.blocks(), c) > farthest_threshold(b)) continue;
        for (const Pair& pair : screened(b, c, false)) offer(pair, false);
      }
      context_.advance(static_cast<double>(++done), static_cast<double>(blocks), "nearest neighbours");
    });
  }

  // Blocks with themselves and with the nearest ones give every row a bound; then all others, those that follow each other in the order first.
  void over_block_pairs() {
    constexpr std::int64_t near = 16;  // blocks
    const std::int64_t blocks = blocks_of(problem_.rows.count), tiles = blocks * (blocks + 1) / 2;
    guards_ = std::vector<std::mutex>(static_cast<std::size_t>(blocks));
    farthest_ = std::vector<std::atomic<float>>(static_cast<std::size_t>(blocks));
    for (auto& reach : farthest_) reach = std::numeric_limits<float>::infinity();
    std::atomic<std::int64_t> done{0};
    const auto visit = [&](std::int64_t a, std::int64_t b) {
      context_.check_stop("knn");
      if (columns_.blocks().gap(a, columns_.blocks(), b) <= std::max(farthest_[a].load(), farthest_[b].load())) take(a, b);
      context_.advance(static_cast<double>(++done), static_cast<double>(tiles), "nearest neighbours");
    };
    parallel_for(blocks, context_.threads, [&](std::int64_t a) { visit(a, a); });

    std::vector<std::pair<std::int32_t, std::int32_t>> first;
    if (columns_.blocks().ordered() && blocks > 4 * near)
      for (std::int64_t a = 0; a < blocks; ++a)
        for (const std::int32_t b : columns_.blocks().nearest(a, columns_.blocks(), near + 1))
          if (b != a) first.emplace_back(std::min<std::int32_t>(static_cast<std::int32_t>(a), b), std::max<std::int32_t>(static_cast<std::int32_t>(a), b));
    std::sort(first.begin(), first.end());
    first.erase(std::unique(first.begin(), first.end()), first.end());
    parallel_for(static_cast<std::int64_t>(first.size()), context_.threads, [&](std::int64_t n) { visit(first[n].first, first[n].second); });
    parallel_for(blocks, context_.threads, [&](std::int64_t b) {
      for (std::int64_t i = b * block; i < std::min(problem_.rows.count, (b + 1) * block); ++i) lists_->tighten(i);
      farthest_[b] = farthest_threshold(b);
    });

    // (a, a + step) round the ring; half of it where the last step comes back to the same pairs.
    parallel_for(blocks * (blocks - 1) / 2, context_.threads, [&](std::int64_t t) {
      const std::int64_t a = t % blocks, b = (a + t / blocks + 1) % blocks;
      const std::pair pair{static_cast<std::int32_t>(std::min(a, b)), static_cast<std::int32_t>(std::max(a, b))};
      if (!std::binary_search(first.begin(), first.end(), pair)) visit(pair.first, pair.second);
    });
  }

  void take(std::int64_t a, std::int64_t b) {
    const bool both = a != b;
    const std::vector<Pair> pairs = screened(a, b, both);
    const auto offer_all = [&] {
      for (const Pair& pair : pairs) offer(pair, both);
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

  void offer(const Pair& pair, bool both) {
    lists_->offer(pair.row, pair.lower, pair.upper, problem_.columns.listed[pair.column]);
    if (both) lists_->offer(pair.column, pair.lower, pair.upper, problem_.rows.listed[pair.row]);
  }

  float farthest_threshold(std::int64_t b) const {
    float most = 0;
    for (std::int64_t i = b * block; i < std::min(problem_.rows.count, (b + 1) * block); ++i) most = std::max(most, lists_->threshold(i));
    return most;
  }

  // What a tile has for the lists of its rows and, with `both`, of its columns.
  std::vector<Pair> screened(std::int64_t a, std::int64_t b, bool both) {
    const WorkspaceScope scratch(WorkspaceScope::Use::piece);
    const ProductTile tile = product_tile(pairs_, rows().packed(), a * block, columns_.packed(), b * block, *scratch);
    // As they are now: they only come down.
    float row_bounds[block], column_bounds[block];
    const auto copy_bounds = [&] {
      std::copy_n(lists_->bounds() + tile.row, tile.rows, row_bounds);
      if (both) std::copy_n(lists_->bounds() + tile.column, tile.width, column_bounds);
    };
    if (both) {
      const std::scoped_lock lock(guards_[a], guards_[b]);
      copy_bounds();
    } else {
      copy_bounds();
    }
    std::vector<Pair> result;
    std::int32_t found[block];
    float values[block];
    const RoundedPoints *const whole_row = rows().rounded(), *const whole_column = columns_.rounded();
    for (std::int64_t r = 0; r < tile.rows; ++r) {
      const std::int64_t i = tile.row + r;
      const float* products = tile.at + r * ProductTile::stride;
      std::int64_t count = pairs_.survivors(products, tile.width, row_bounds[r], columns_.packed().rounded_halves() + tile.column,
                                            rows().packed().rounded_halves()[i], both ? column_bounds : nullptr, found);
      if (problem_.leave_itself_out)
        count = std::remove_if(found, found + count, [&](std::int32_t c) { return problem_.columns.listed[tile.column + c] == problem_.rows.listed[i]; }) - found;
      if (whole_row) {
        const std::int64_t dim = whole_row->dim();
        pairs_.listed_dots(whole_row->at() + i * dim, whole_column->at() + tile.column * dim, dim, found, count, values);
      } else {
        for (std::int64_t s = 0; s < count; ++s) values[s] = products[found[s]];
      }
      for (std::int64_t s = 0; s < count; ++s) {
        const std::int64_t j = tile.column + found[s];
        const double squares = whole_row ? whole_row->square(i) + whole_column->square(j) : rows().packed().square(i) + columns_.packed().square(j);
        const double estimate = squares - 2 * static_cast<double>(values[s]), error = frame_.relative * squares + frame_.absolute;
        result.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(j), rounded_down(estimate - error), rounded_up(estimate + error)});
      }
    }
    return result;
  }

  NeighboursProblem problem_;  // its points in the order of the blocks
  const Context& context_;
  const Products& pairs_;
  const bool symmetric_;
  const Frame frame_;
  const Side columns_;
  std::optional<Side> own_rows_;
  std::optional<CandidateLists> lists_;
  std::vector<std::mutex> guards_;            // of the lists of each block
  std::vector<std::atomic<float>> farthest_;  // the greatest threshold of each block, or what it was
};

}  // namespace

std::vector<std::int32_t> nearest_columns(const NeighboursProblem& problem, const Context& context) {
  if (problem.rows.count == 0 || problem.columns.count == 0) {
    return std::vector<std::int32_t>(static_cast<std::size_t>(problem.rows.count * problem.k), -1);
  }
  return Search(problem, context).run();
}

std::uint64_t neighbours_bytes(std::int64_t rows, std::int64_t other_columns, std::int64_t dim, std::int64_t k) {
  // Packed points, and the coordinates that order and screen them.
  const std::int64_t coordinates = dim <= most_own_coordinates ? dim : 2 * std::min(dim / 2, most_leading) + 2;
  return static_cast<std::uint64_t>((rows + other_columns) * (4 * (dim + coordinates) + 52)) + CandidateLists::bytes(rows, k) +
         static_cast<std::uint64_t>(rows * 4 * k);
}

std::uint64_t neighbours_bytes(const NeighboursProblem& problem) {
  return neighbours_bytes(problem.rows.count, Search::is_symmetric(problem) ? 0 : problem.columns.count, problem.rows.dim, problem.k);
}

double squared_distance(const double* x, const double* y, std::int64_t dim) {
  return current_isa().products().squared_distance(x, y, dim);
}

}  // namespace calor::kernels

#include "calor/engine/pruned_product.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/linked_order.h"
#include "calor/engine/marks.h"
#include "calor/engine/product_factor.h"
#include "calor/kernels/isa.h"

namespace calor::engine {
namespace {

using kernels::quartet;
constexpr std::int64_t lanes = kernels::walk_lanes;
constexpr std::int64_t tile = 2048;  // columns whose sums of sixteen lanes, 256 KiB, stay in a processor's own cache

template <std::int64_t number>
struct alignas(8 * number) Lanes {
  std::array<double, number> of;
};

class Workspace {
 public:
  Workspace(const SparseRows& a, ProductFactor& factor, const Pruning& pruning)
      : a_(a), b_(factor.rows()), factor_(factor), pruner_(pruning), through_(std::ssize(b_.rows)), reached_(b_.columns),
        place_(static_cast<std::size_t>(std::max(std::ssize(b_.rows), b_.columns)), 0) {}

  // The rows `group` of a, at most `lanes`, times b.
  void multiply(std::span<const std::int32_t> group) {
    join(group);
    std::int64_t together = 0, apart = 0;
    for (const std::int32_t k : inner_) together += factor_.edges(k);
    for (const std::int32_t i : group) apart += factor_.visits(a_.rows[i]);
    constexpr std::int64_t worth = 4;  // a visit of all lanes takes as long as about so many of one
    if (apart >= worth * together) {
      weigh(group);
      if (together >= b_.columns) in_tiles(static_cast<std::int64_t>(group.size()));
      else in_places(static_cast<std::int64_t>(group.size()));
      return;
    }
    const bool wide = factor_.packs() && 2 * quartet * apart >= lanes * b_.columns;  // four rows lead to half of the columns and more
    for (std::size_t first = 0; first < group.size(); first += quartet) {
      const auto four = group.subspan(first, std::min<std::size_t>(quartet, group.size() - first));
      if (wide) in_quartet(four, std::span(found_.data() + first, four.size()));
      else
        for (std::size_t l = 0; l < four.size(); ++l) in_turn(four[l], found_[first + l]);
    }
  }

  // What is kept of one of them.
  void prune(std::int64_t lane, SparseRow& row) { pruner_.prune(found_[lane], row); }

 private:
  // The rows of b that the group's rows lead to, ascending.
  void join(std::span<const std::int32_t> group) {
    for (const std::int32_t i : group)
      for (const std::int32_t k : a_.rows[i].column) through_.set(k);
    inner_.clear();
    through_.take([&](std::int32_t k) { inner_.push_back(k); });
  }

  // Their weights, a lane for each row of the group.
  void weigh(std::span<const std::int32_t> group) {
    for (std::size_t s = 0; s < inner_.size(); ++s) place_[inner_[s]] = static_cast<std::int32_t>(s);
    weights_.assign(inner_.size(), Lanes<lanes>{});
    for (std::size_t l = 0; l < group.size(); ++l) {
      const SparseRow& row = a_.rows[group[l]];
      for (std::size_t e = 0; e < row.column.size(); ++e) weights_[place_[row.column[e]]].of[l] = row.value[e];
    }
  }

  // A row that leads to few, by itself.
  void in_turn(std::int32_t i, Found& found) {
    sum_.resize(static_cast<std::size_t>(b_.columns), 0);
    const SparseRow& row = a_.rows[i];
    const std::int64_t reached = factor_.visits(row);
    const bool many = reached >= b_.columns;
    constexpr std::size_t ahead = 4;
    for (std::size_t e = 0; e < row.column.size(); ++e) {
      if (e + ahead < row.column.size()) {  // rows lie anywhere in memory
        const SparseRow& later = b_.rows[row.column[e + ahead]];
        __builtin_prefetch(later.column.data());
        __builtin_prefetch(later.value.data());
      }
      const SparseRow& through = b_.rows[row.column[e]];
      const double weight = row.value[e];
      for (std::size_t f = 0; f < through.column.size(); ++f) sum_[through.column[f]] += weight * through.value[f];
      if (!many)
        for (const std::int32_t to : through.column) reached_.set(to);
    }
    found.begin(std::min(reached, b_.columns));
    const auto take = [&](std::int32_t to) {
      found.add(to, sum_[to]);
      sum_[to] = 0;
    };
    if (!many) reached_.take(take);
    else
      for (std::int32_t to = 0; to < b_.columns; ++to) take(to);
  }

  // Four rows that lead to many columns, of which pruning may keep few.
  void in_quartet(std::span<const std::int32_t> four, std::span<Found> found) {
    const PackedRows& rows = factor_.packed();
    by_place_.resize(static_cast<std::size_t>(rows.rows()), Lanes<quartet>{});
    for (std::size_t l = 0; l < four.size(); ++l) {
      const SparseRow& row = a_.rows[four[l]];
      double total = 0;
      for (std::size_t e = 0; e < row.column.size(); ++e) {
        const std::int32_t p = rows.place(row.column[e]);
        through_.set(p);
        by_place_[p].of[l] = row.value[e];
        total += row.value[e] * rows.sum(p);
      }
      total_[l] = total;
    }
    inner_.clear();
    through_.take([&](std::int32_t p) { inner_.push_back(p); });
    if (!list_few(rows, found)) list_all(rows, found);
    for (const std::int32_t p : inner_) by_place_[p] = Lanes<quartet>{};
    for (Found& one : found) in_column_order(one);
  }

  // Adds up the first bins of the rows on the way, as many as `visited` says, for the columns of a tile.
  template <class Visited>
  void add_up(const PackedRows& rows, std::int64_t t, Visited visited) {
    const auto add = kernels::current_isa().walk_sums().add_quartet;
    four_.assign(static_cast<std::size_t>(std::min(PackedRows::tile, b_.columns - t * PackedRows::tile)), Lanes<quartet>{});
    listed_.resize(four_.size() + 1);
    constexpr std::size_t ahead = 4;  // pieces on their way from memory
    for (std::size_t s = 0; s < std::min(ahead, inner_.size()); ++s) rows.piece(t, inner_[s], visited(s)).fetch();
    for (std::size_t s = 0; s < inner_.size(); ++s) {
      if (s + ahead < inner_.size()) rows.piece(t, inner_[s + ahead], visited(s + ahead)).fetch();
      const auto piece = rows.piece(t, inner_[s], visited(s));
      add(piece.column, piece.value, piece.count, by_place_[inner_[s]].of.data(), four_.data()->of.data());
    }
  }
  std::int64_t reaching(double least) {
    return kernels::current_isa().walk_sums().reaching(four_.data()->of.data(), std::ssize(four_), std::max(least, std::numeric_limits<double>::denorm_min()), listed_.data());
  }

  // All sums that pruning may keep, or where it recovers some, all sums.
  void list_all(const PackedRows& rows, std::span<Found> found) {
    for (Found& one : found) one.begin(b_.columns);
    const double least = recovering_ ? 0 : pruner_.least();
    for (std::int64_t t = 0; t < rows.tiles(); ++t) {
      add_up(rows, t, [](std::size_t) { return PackedRows::bins; });
      const std::int64_t number = reaching(least);
      for (std::size_t l = 0; l < found.size(); ++l)
        for (std::int64_t at = 0; at < number; ++at) {
          const double sum = four_[listed_[at]].of[l];
          found[l].add(static_cast<std::int32_t>(t * PackedRows::tile) + listed_[at], sum >= least ? sum : 0);
        }
    }
    const bool complete = recovering_;
    recovering_ = recovers(found);
    if (recovering_ && !complete) list_all(rows, found);
  }

  // How many bins of each row to visit, so that the others together add at most `most` to a sum; the bound on what they add.
  double pass_over(const PackedRows& rows, double most) {
    for (double share = 4;; share /= 2) {  // most rows' rests are below the bound on each, so that more than a share each may do
      double beyond = 0;
      visited_.clear();
      for (const std::int32_t p : inner_) {
        const auto& weight = by_place_[p].of;
        double rest = 0;
        visited_.push_back(rows.bins_above(p, *std::max_element(weight.begin(), weight.end()), share * most / static_cast<double>(inner_.size()), rest));
        beyond += rest;
      }
      if (share <= 1 || beyond <= most) return beyond;
    }
  }

  // The same with less work where much is small: what is passed over adds at most half of the least value that is kept, so only columns that reach the other
  // half are added up whole.  False where this does not pay, or where some sums are recovered.
  bool list_few(const PackedRows& rows, std::span<Found> found) {
    const double least = pruner_.least();
    if (!(least > 0) || recovering_ || few_pause_ > 0) {
      few_pause_ -= few_pause_ > 0;
      return false;
    }
    const double beyond = pass_over(rows, least / 2);
    std::int64_t all = 0, some = 0;
    for (std::size_t s = 0; s < inner_.size(); ++s) {
      all += rows.edges(inner_[s]);
      some += rows.edges(inner_[s], visited_[s]);
    }
    if (2 * some > all) return false;
    const PackedColumns& columns = factor_.packed_columns();
    few_.clear();
    std::int64_t again = 0;
    for (std::int64_t t = 0; t < rows.tiles(); ++t) {
      add_up(rows, t, [&](std::size_t s) { return visited_[s]; });
      const std::int64_t number = reaching((least - beyond) * (1 - 1e-9));
      for (std::int64_t at = 0; at < number; ++at) {
        few_.push_back(static_cast<std::int32_t>(t * PackedRows::tile) + listed_[at]);
        again += std::ssize(columns.column(few_.back()).row);
      }
    }
    constexpr int pause = 16;  // rows further on are of the same kind
    if (some + again > all) {
      few_pause_ = pause;
      return false;
    }
    const auto add_column = kernels::current_isa().walk_sums().add_column;
    for (Found& one : found) one.begin(b_.columns);
    for (const std::int32_t to : few_) {
      const PackedColumns::Column column = columns.column(to);
      Lanes<quartet> sums;
      add_column(column.row.data(), column.value, std::ssize(column.row), by_place_.data()->of.data(), sums.of.data());
      for (std::size_t l = 0; l < found.size(); ++l) found[l].add(to, sums.of[l] >= least ? sums.of[l] : 0);
    }
    return !recovers(found);
  }

  // Whether a sum that is not listed may be kept.  Rows have their totals from the weights, so that they are the same however much is listed.
  bool recovers(std::span<Found> found) const {
    bool any = false;
    for (std::size_t l = 0; l < found.size(); ++l) {
      found[l].total = total_[l];
      any |= pruner_.recovers(found[l]);
    }
    return any;
  }

  // From places in the packed order to columns, ascending.
  void in_column_order(Found& found) {
    const auto columns = found.columns();
    const auto values = found.values();
    sum_.resize(static_cast<std::size_t>(b_.columns), 0);
    for (std::size_t e = 0; e < columns.size(); ++e) {
      const std::int32_t to = factor_.order()[columns[e]];
      sum_[to] = values[e];
      reached_.set(to);
    }
    std::size_t e = 0;
    reached_.take([&](std::int32_t to) {
      columns[e] = to;
      values[e++] = sum_[to];
      sum_[to] = 0;
    });
  }

  // Rows that lead to the same, to many columns: all of these in turn, a tile at once.
  void in_tiles(std::int64_t count) {
    const auto add_row = kernels::current_isa().walk_sums().add_row;
    next_.assign(inner_.size(), 0);
    for (std::int64_t l = 0; l < count; ++l) found_[l].begin(b_.columns);
    for (std::int64_t first = 0; first < b_.columns; first += tile) {
      const std::int64_t width = std::min(tile, b_.columns - first);
      sums_.assign(static_cast<std::size_t>(width), Lanes<lanes>{});
      double* const origin = sums_.data()->of.data() - first * lanes;
      for (std::size_t s = 0; s < inner_.size(); ++s) {
        const SparseRow& row = b_.rows[inner_[s]];
        const std::int64_t done = next_[s], left = static_cast<std::int64_t>(row.column.size()) - done;
        if (left == 0 || row.column[done] >= first + width) continue;
        next_[s] += add_row(row.column.data() + done, row.value.data() + done, left, static_cast<std::int32_t>(first + width), weights_[s].of.data(), origin);
      }
      collect(width, count, [&](std::int64_t c) { return static_cast<std::int32_t>(first + c); });
    }
  }

  // To few: the columns that are reached, side by side.
  void in_places(std::int64_t count) {
    const auto add_row = kernels::current_isa().walk_sums().add_row;
    for (const std::int32_t k : inner_)
      for (const std::int32_t to : b_.rows[k].column) reached_.set(to);
    outer_.clear();
    reached_.take([&](std::int32_t to) {
      place_[to] = static_cast<std::int32_t>(outer_.size());
      outer_.push_back(to);
    });
    sums_.assign(outer_.size(), Lanes<lanes>{});
    for (std::size_t s = 0; s < inner_.size(); ++s) {
      const SparseRow& row = b_.rows[inner_[s]];
      places_.clear();
      for (const std::int32_t to : row.column) places_.push_back(place_[to]);
      add_row(places_.data(), row.value.data(), static_cast<std::int64_t>(places_.size()), std::numeric_limits<std::int32_t>::max(), weights_[s].of.data(),
              sums_.data()->of.data());
    }
    const auto reached = static_cast<std::int64_t>(outer_.size());
    for (std::int64_t l = 0; l < count; ++l) found_[l].begin(reached);
    collect(reached, count, [&](std::int64_t c) { return outer_[c]; });
  }

  // The sums of a few columns at once, a lane after the other, so that each lane's are written in one run.
  template <class Column>
  void collect(std::int64_t width, std::int64_t count, Column column) {
    constexpr std::int64_t at_once = 64;
    for (std::int64_t first = 0; first < width; first += at_once) {
      const std::int64_t end = std::min(width, first + at_once);
      for (std::int64_t l = 0; l < count; ++l)
        for (std::int64_t c = first; c < end; ++c) found_[l].add(column(c), sums_[c].of[l]);
    }
  }

  const SparseRows &a_, &b_;
  ProductFactor& factor_;
  RowPruner pruner_;
  Marks through_, reached_;
  std::vector<std::int32_t> place_, inner_, outer_, places_, listed_;
  std::vector<std::int64_t> next_;
  std::vector<Lanes<lanes>> weights_, sums_;
  std::vector<Lanes<quartet>> by_place_, four_;  // weights, by place in the packed order, and sums
  std::array<double, quartet> total_{};
  std::vector<std::int64_t> visited_;
  std::vector<std::int32_t> few_;
  std::array<Found, lanes> found_;
  std::vector<double> sum_;
  bool recovering_ = false;  // how the last rows were; what is found does not depend on it, nor on the next
  int few_pause_ = 0;
};

// Rows that share much come together, where there is enough to do: finding the order reads all edges once.
std::vector<std::int32_t> order_of(const SparseRows& a, const ProductFactor& factor) {
  std::int64_t visits = 0;
  for (const SparseRow& row : a.rows) visits += factor.visits(row);
  constexpr std::int64_t worth = 32;
  if (a.columns == static_cast<std::int64_t>(a.rows.size()) && visits >= worth * a.edges()) return linked_order(a);
  std::vector<std::int32_t> order(a.rows.size());
  std::iota(order.begin(), order.end(), 0);
  return order;
}

bool nonnegative(const SparseRows& matrix) {
  return std::all_of(matrix.rows.begin(), matrix.rows.end(), [](const SparseRow& row) { return std::all_of(row.value.begin(), row.value.end(), [](double value) { return value >= 0; }); });
}

// Workspaces that threads take and give back.
class Pool {
 public:
  explicit Pool(std::function<std::unique_ptr<Workspace>()> make) : make_(std::move(make)) {}
  std::unique_ptr<Workspace> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return make_();
    std::unique_ptr<Workspace> one = std::move(free_.back());
    free_.pop_back();
    return one;
  }
  void give(std::unique_ptr<Workspace> one) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(one));
  }

 private:
  std::function<std::unique_ptr<Workspace>()> make_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace

SparseRows pruned_product(const SparseRows& a, const SparseRows& b, const Pruning& pruning, const std::function<void(std::int64_t row, SparseRow&)>& finish,
                          const char* op, const Context& context) {
  const auto n = static_cast<std::int64_t>(a.rows.size());
  ProductFactor factor(b, op, context);
  const std::vector<std::int32_t> order = order_of(a, factor);
  const bool square = b.rows.size() == order.size() && b.columns == n;
  if (square && nonnegative(a) && nonnegative(b)) factor.pack_by(order);
  SparseRows result;
  result.columns = b.columns;
  result.rows.resize(a.rows.size());
  Pool pool([&] { return std::make_unique<Workspace>(a, factor, pruning); });
  std::atomic<std::uint64_t> bytes{0};
  parallel_for((n + lanes - 1) / lanes, context.threads, [&](std::int64_t group) {
    context.check_stop(op);
    const auto rows = std::span(order).subspan(static_cast<std::size_t>(group * lanes), static_cast<std::size_t>(std::min(lanes, n - group * lanes)));
    std::unique_ptr<Workspace> work = pool.take();
    work->multiply(rows);
    std::uint64_t more = 0;
    for (std::size_t l = 0; l < rows.size(); ++l) {
      SparseRow& row = result.rows[rows[l]];
      work->prune(static_cast<std::int64_t>(l), row);
      finish(rows[l], row);
      more += 12 * row.column.size();
    }
    pool.give(std::move(work));
    context.memory.require(bytes += more, op, "the values that the pruning keeps", "give a sparser graph or prune more (expand.prune, expand.keep), or raise --max-memory");
  });
  return result;
}

}  // namespace calor::engine

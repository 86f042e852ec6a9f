#include "calor/engine/pruned_product.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <numeric>
#include <span>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/kernels/isa.h"

namespace calor::engine {
namespace {

constexpr std::int64_t lanes = kernels::walk_lanes;
constexpr std::int64_t tile = 2048;  // columns whose sums, 256 KiB, stay in a processor's own cache
constexpr double slack = 1 - 1e-9;   // values that differ by less are equal but for rounding

// Numbers 0..n-1, taken in any order and visited ascending.
class Marks {
 public:
  explicit Marks(std::int64_t n) : words_(static_cast<std::size_t>((n + 63) / 64), 0) {}
  void set(std::int32_t i) {
    const auto w = static_cast<std::size_t>(i) / 64;
    words_[w] |= std::uint64_t{1} << (i % 64);
    low_ = std::min(low_, w);
    high_ = std::max(high_, w + 1);
  }
  // Visits and forgets.
  template <class Visit>
  void take(Visit visit) {
    for (std::size_t w = low_; w < high_; ++w) {
      for (std::uint64_t left = words_[w]; left; left &= left - 1) visit(static_cast<std::int32_t>(w * 64 + static_cast<std::size_t>(std::countr_zero(left))));
      words_[w] = 0;
    }
    low_ = words_.size();
    high_ = 0;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t low_ = words_.size(), high_ = 0;
};

struct alignas(64) Lanes {
  std::array<double, lanes> of;
};

// The sums of one row that are not 0, columns ascending.
struct Found {
  std::vector<std::int32_t> column;
  std::vector<double> value;
  std::int64_t count = 0;
  void begin(std::int64_t most) {
    count = 0;
    if (static_cast<std::int64_t>(value.size()) >= most) return;
    column.resize(static_cast<std::size_t>(most));
    value.resize(static_cast<std::size_t>(most));
  }
  void add(std::int32_t to, double sum) {  // no branch: which sums are 0 cannot be foretold
    column[count] = to;
    value[count] = sum;
    count += sum != 0;
  }
  std::span<const double> values() const { return {value.data(), static_cast<std::size_t>(count)}; }
};

// The k-th largest size of numbers that are not 0, k at most their count; `greatest` is the largest.  They are sorted by octave and seven digits first.
double largest(std::span<const double> values, double greatest, std::int64_t k, std::vector<std::int32_t>& counts, std::vector<double>& same) {
  constexpr int shift = 45;
  constexpr std::uint64_t bins = 4096;  // 32 octaves; what is smaller shares the last
  const std::uint64_t top = std::bit_cast<std::uint64_t>(greatest) >> shift;
  const auto bin_of = [top](double value) { return static_cast<std::size_t>(std::min(top - (std::bit_cast<std::uint64_t>(std::abs(value)) >> shift), bins - 1)); };
  counts.assign(bins, 0);
  for (const double value : values) ++counts[bin_of(value)];
  std::size_t bin = 0;
  for (; k > counts[bin]; ++bin) k -= counts[bin];
  same.clear();
  for (const double value : values)
    if (bin_of(value) == bin) same.push_back(std::abs(value));
  std::nth_element(same.begin(), same.begin() + (k - 1), same.end(), std::greater<>());
  return same[static_cast<std::size_t>(k - 1)];
}

class Workspace {
 public:
  explicit Workspace(std::int64_t inner, std::int64_t columns) : through_(inner), reached_(columns), place_(static_cast<std::size_t>(std::max(inner, columns)), 0) {}

  // The rows `group` (at most `lanes`) of a * b into `found`.
  void multiply(const SparseRows& a, const SparseRows& b, const std::int32_t* group, std::int64_t count) {
    join(a, group, count);
    std::int64_t together = 0, apart = 0;
    for (const std::int32_t k : inner_) together += static_cast<std::int64_t>(b.rows[k].column.size());
    for (std::int64_t l = 0; l < count; ++l)
      for (const std::int32_t k : a.rows[group[l]].column) apart += static_cast<std::int64_t>(b.rows[k].column.size());
    constexpr std::int64_t worth = 4;  // a visit of all lanes takes as long as about so many of one
    if (apart < worth * together) in_turn(a, b, group, count);
    else if (together >= b.columns) in_tiles(b, count);
    else in_places(b, count);
  }

  // What is kept of one of them.
  void prune(std::int64_t lane, const Pruning& pruning, SparseRow& row) {
    const Found& found = found_[lane];
    const double from = threshold(found, pruning);
    std::size_t kept = 0;
    for (const double value : found.values()) kept += std::abs(value) >= from;
    row.column.reserve(kept);
    row.value.reserve(kept);
    for (std::int64_t e = 0; e < found.count; ++e)
      if (std::abs(found.value[e]) >= from) {
        row.column.push_back(found.column[e]);
        row.value.push_back(found.value[e]);
      }
  }

 private:
  // The rows of b that the group's rows lead to, ascending, with the weight of each lane.
  void join(const SparseRows& a, const std::int32_t* group, std::int64_t count) {
    for (std::int64_t l = 0; l < count; ++l)
      for (const std::int32_t k : a.rows[group[l]].column) through_.set(k);
    inner_.clear();
    through_.take([&](std::int32_t k) {
      place_[k] = static_cast<std::int32_t>(inner_.size());
      inner_.push_back(k);
    });
    weights_.assign(inner_.size(), Lanes{});
    for (std::int64_t l = 0; l < count; ++l) {
      const SparseRow& row = a.rows[group[l]];
      for (std::size_t e = 0; e < row.column.size(); ++e) weights_[place_[row.column[e]]].of[l] = row.value[e];
    }
  }

  // Rows that have little in common, one by one.
  void in_turn(const SparseRows& a, const SparseRows& b, const std::int32_t* group, std::int64_t count) {
    sum_.resize(static_cast<std::size_t>(b.columns), 0);
    for (std::int64_t l = 0; l < count; ++l) {
      const SparseRow& row = a.rows[group[l]];
      std::int64_t visits = 0;
      for (const std::int32_t k : row.column) visits += static_cast<std::int64_t>(b.rows[k].column.size());
      const bool many = visits >= b.columns;
      for (std::size_t e = 0; e < row.column.size(); ++e) {
        const SparseRow& through = b.rows[row.column[e]];
        const double weight = row.value[e];
        for (std::size_t f = 0; f < through.column.size(); ++f) sum_[through.column[f]] += weight * through.value[f];
        if (!many)
          for (const std::int32_t to : through.column) reached_.set(to);
      }
      Found& found = found_[l];
      found.begin(std::min(visits, b.columns) + 1);
      const auto take = [&](std::int32_t to) {
        found.add(to, sum_[to]);
        sum_[to] = 0;
      };
      if (!many) reached_.take(take);
      else
        for (std::int32_t to = 0; to < b.columns; ++to) take(to);
    }
  }

  // Many sums: all columns in turn, a tile at once.
  void in_tiles(const SparseRows& b, std::int64_t count) {
    const auto add_row = kernels::current_isa().walk_sums().add_row;
    next_.assign(inner_.size(), 0);
    for (std::int64_t l = 0; l < count; ++l) found_[l].begin(b.columns + 1);
    for (std::int64_t first = 0; first < b.columns; first += tile) {
      const std::int64_t width = std::min(tile, b.columns - first);
      sums_.assign(static_cast<std::size_t>(width), Lanes{});
      double* const origin = sums_.data()->of.data() - first * lanes;
      for (std::size_t s = 0; s < inner_.size(); ++s) {
        const SparseRow& row = b.rows[inner_[s]];
        const std::int64_t done = next_[s], left = static_cast<std::int64_t>(row.column.size()) - done;
        if (left == 0 || row.column[done] >= first + width) continue;
        next_[s] += add_row(row.column.data() + done, row.value.data() + done, left, static_cast<std::int32_t>(first + width), weights_[s].of.data(), origin);
      }
      collect(width, count, [&](std::int64_t c) { return static_cast<std::int32_t>(first + c); });
    }
  }

  // Few: the columns that are reached, side by side.
  void in_places(const SparseRows& b, std::int64_t count) {
    const auto add_row = kernels::current_isa().walk_sums().add_row;
    for (const std::int32_t k : inner_)
      for (const std::int32_t to : b.rows[k].column) reached_.set(to);
    outer_.clear();
    reached_.take([&](std::int32_t to) {
      place_[to] = static_cast<std::int32_t>(outer_.size());
      outer_.push_back(to);
    });
    sums_.assign(outer_.size(), Lanes{});
    for (std::size_t s = 0; s < inner_.size(); ++s) {
      const SparseRow& row = b.rows[inner_[s]];
      places_.clear();
      for (const std::int32_t to : row.column) places_.push_back(place_[to]);
      add_row(places_.data(), row.value.data(), static_cast<std::int64_t>(places_.size()), std::numeric_limits<std::int32_t>::max(), weights_[s].of.data(),
              sums_.data()->of.data());
    }
    const auto reached = static_cast<std::int64_t>(outer_.size());
    for (std::int64_t l = 0; l < count; ++l) found_[l].begin(reached + 1);
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

  // The least size that is kept.
  double threshold(const Found& found, const Pruning& pruning) {
    const std::span<const double> values = found.values();
    double total = 0, left = 0, greatest = 0;
    std::int64_t number = 0;
    const double least = pruning.least * slack;
    for (const double value_found : values) {
      const double value = std::abs(value_found);
      const bool stays = value >= least;
      total += value;
      left += stays ? value : 0;
      number += stays;
      greatest = std::max(greatest, value);
    }
    const std::int64_t recover = pruning.recover > 0 ? std::max(pruning.recover, pruning.keep) : 0;
    const auto kth = [&](std::int64_t k) { return k >= found.count ? 0 : largest(values, greatest, k, counts_, same_) * slack; };
    if (left < pruning.mass * total && number < recover) return kth(recover);
    if (pruning.keep == 0 || number <= pruning.keep) return least;
    const double from = kth(pruning.keep);
    left = 0;
    for (const double value : values) left += std::abs(value) >= from ? std::abs(value) : 0;
    return left < pruning.mass * total && recover > 0 ? kth(recover) : from;
  }

  Marks through_, reached_;
  std::vector<std::int32_t> place_, inner_, outer_, places_, counts_;
  std::vector<std::int64_t> next_;
  std::vector<Lanes> weights_, sums_;
  std::array<Found, lanes> found_;
  std::vector<double> sum_, same_;
};

// Rows whose flow runs to the same place go together: each row points to the column of its largest value, those point on, and so to an end.
std::vector<std::int32_t> grouped_rows(const SparseRows& a) {
  const std::size_t n = a.rows.size();
  std::vector<std::int32_t> largest(n), end(n), order(n);
  for (std::size_t i = 0; i < n; ++i) {
    const SparseRow& row = a.rows[i];
    largest[i] = row.value.empty() ? static_cast<std::int32_t>(i) : row.column[static_cast<std::size_t>(std::max_element(row.value.begin(), row.value.end()) - row.value.begin())];
  }
  constexpr int steps = 32;  // of a cycle any node will do
  for (std::size_t i = 0; i < n; ++i) {
    std::int32_t at = static_cast<std::int32_t>(i);
    for (int step = 0; step < steps && static_cast<std::size_t>(at) < n && largest[at] != at; ++step) at = largest[at];
    end[i] = at;
  }
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::int32_t i, std::int32_t j) {
    if (end[i] != end[j]) return end[i] < end[j];
    return largest[i] != largest[j] ? largest[i] < largest[j] : i < j;
  });
  return order;
}

// Workspaces that threads take and give back.
class Pool {
 public:
  Pool(std::int64_t inner, std::int64_t columns) : inner_(inner), columns_(columns) {}
  std::unique_ptr<Workspace> take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::make_unique<Workspace>(inner_, columns_);
    std::unique_ptr<Workspace> one = std::move(free_.back());
    free_.pop_back();
    return one;
  }
  void give(std::unique_ptr<Workspace> one) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(one));
  }

 private:
  std::int64_t inner_, columns_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workspace>> free_;
};

}  // namespace

std::int64_t Pruning::most(std::int64_t columns) const {
  std::int64_t most = columns;
  if (least > 0) most = std::min(most, std::max(recover, static_cast<std::int64_t>(std::min(1 / least, 1e18))));
  if (keep > 0) most = std::min(most, std::max(keep, recover));
  return most;
}

std::int64_t SparseRows::edges() const {
  std::int64_t count = 0;
  for (const SparseRow& row : rows) count += static_cast<std::int64_t>(row.column.size());
  return count;
}

SparseRows rows_of(const Csr& graph) {
  SparseRows result;
  result.columns = graph.columns;
  result.rows.resize(static_cast<std::size_t>(graph.rows));
  for (std::int64_t i = 0; i < graph.rows; ++i) {
    result.rows[i].column.assign(graph.column.begin() + graph.begin[i], graph.column.begin() + graph.begin[i + 1]);
    result.rows[i].value.assign(graph.values.begin() + graph.begin[i], graph.values.begin() + graph.begin[i + 1]);
  }
  return result;
}

Csr csr_of(const SparseRows& rows) {
  Csr graph;
  graph.rows = static_cast<std::int64_t>(rows.rows.size());
  graph.columns = rows.columns;
  for (const SparseRow& row : rows.rows) {
    graph.column.insert(graph.column.end(), row.column.begin(), row.column.end());
    graph.values.insert(graph.values.end(), row.value.begin(), row.value.end());
    graph.begin.push_back(graph.edges());
  }
  return graph;
}

SparseRows pruned_product(const SparseRows& a, const SparseRows& b, const Pruning& pruning, const std::function<void(std::int64_t row, SparseRow&)>& finish,
                          const char* op, const Context& context) {
  const auto n = static_cast<std::int64_t>(a.rows.size());
  const std::vector<std::int32_t> order = grouped_rows(a);
  SparseRows result;
  result.columns = b.columns;
  result.rows.resize(a.rows.size());
  Pool pool(static_cast<std::int64_t>(b.rows.size()), b.columns);
  std::atomic<std::uint64_t> bytes{0};
  parallel_for((n + lanes - 1) / lanes, context.threads, [&](std::int64_t group) {
    context.check_stop(op);
    const std::int64_t first = group * lanes, count = std::min(lanes, n - first);
    std::unique_ptr<Workspace> work = pool.take();
    work->multiply(a, b, order.data() + first, count);
    std::uint64_t more = 0;
    for (std::int64_t l = 0; l < count; ++l) {
      SparseRow& row = result.rows[order[first + l]];
      work->prune(l, pruning, row);
      finish(order[first + l], row);
      more += 12 * row.column.size();
    }
    pool.give(std::move(work));
    context.memory.require(bytes += more, op, "the values that the pruning keeps", "give a sparser graph or prune more (expand.prune, expand.keep), or raise --max-memory");
  });
  return result;
}

}  // namespace calor::engine

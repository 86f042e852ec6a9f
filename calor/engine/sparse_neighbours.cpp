// Sparse points: every distance is base(row) + base(column) + factor * overlap, where the overlap adds up over the columns in which
// both have entries.  The entries by column give a row's overlaps with all others at once, in the order of its columns.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/nearest_list.h"
#include "calor/engine/neighbours.h"

namespace calor::engine {
namespace {

using io::SparseMatrix;

constexpr std::int64_t lanes = 16;       // estimates that are looked through at once
constexpr std::int64_t piece = 16;       // rows of a thread's turn
constexpr double cancelled = 1.0 / 64;   // a distance below this share of its terms is summed from differences

// Rows of their own length for cosines; a zero row stays.
SparseMatrix unit_rows(SparseMatrix points) {
  for (std::int64_t i = 0; i < points.rows; ++i) {
    double square = 0;
    for (std::int64_t e = points.begin[i]; e < points.begin[i + 1]; ++e) square += points.value[e] * points.value[e];
    if (const double norm = std::sqrt(square); norm > 0)
      for (std::int64_t e = points.begin[i]; e < points.begin[i + 1]; ++e) points.value[e] /= norm;
  }
  return points;
}

std::vector<double> bases(const SparseMatrix& points, Metric metric) {
  std::vector<double> result(static_cast<std::size_t>(points.rows), metric == Metric::cosine ? 0.5 : 0);
  if (metric == Metric::cosine) return result;
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::int64_t e = points.begin[i]; e < points.begin[i + 1]; ++e)
      result[i] += metric == Metric::manhattan ? std::abs(points.value[e]) : points.value[e] * points.value[e];
  return result;
}

std::int64_t longest_row(const SparseMatrix& points) {
  std::int64_t most = 0;
  for (std::int64_t i = 0; i < points.rows; ++i) most = std::max(most, points.begin[i + 1] - points.begin[i]);
  return most;
}

double largest(const SparseMatrix& points) {
  double most = 0;
  for (const double value : points.value) most = std::max(most, std::abs(value));
  return most;
}

// The power of two that brings the largest magnitude to 1 where squares would leave the range of doubles, else 1.
double tame_scale(const SparseMatrix& rows, const SparseMatrix& columns) {
  const double most = std::max(largest(rows), largest(columns));
  return most > 0x1p400 || (most > 0 && most < 0x1p-400) ? std::ldexp(1.0, -std::ilogb(most) - 1) : 1;
}

SparseMatrix scaled(SparseMatrix points, double scale) {
  for (double& value : points.value) value *= scale;
  return points;
}

// The measures of rows against the listed columns: squared distances, or distances by the other metrics.
class Measures {
 public:
  Measures(const SparseMatrix& rows, const SparseMatrix& columns, Metric metric, std::vector<std::int32_t> listed, const char* op,
           const Context& context)
      : rows_(rows), columns_(columns), metric_(metric), listed_(std::move(listed)), row_bases_(bases(rows, metric)) {
    const std::uint64_t entries = static_cast<std::uint64_t>(columns.entries()), threads = static_cast<std::uint64_t>(context.threads > 0 ? context.threads : available_threads());
    context.memory.require(12 * entries + 8 * static_cast<std::uint64_t>(columns.columns) + (16 + 8 * threads) * static_cast<std::uint64_t>(columns.rows) +
                               (metric == Metric::cosine ? 24 * entries + 12 * static_cast<std::uint64_t>(rows.entries()) : 0),
                           op, "the entries by column", "give fewer points, or raise --max-memory");
    if (metric == Metric::cosine) unit_rows_ = unit_rows(rows);
    const std::vector<double> all = bases(columns, metric);
    for (const std::int32_t j : listed_) bases_.push_back(all[j]);
    bases_.resize(static_cast<std::size_t>(padded()), 0);
    // Sums of up to so many products, of the bases and of their difference.
    error_ = 4 * static_cast<double>(std::max(longest_row(rows), longest_row(columns)) + 4) * std::numeric_limits<double>::epsilon();
    turn_round(metric == Metric::cosine ? unit_rows(columns) : columns);
  }

  std::int64_t count() const { return static_cast<std::int64_t>(listed_.size()); }
  std::int64_t padded() const { return (count() + lanes - 1) / lanes * lanes; }
  std::int32_t number(std::int64_t p) const { return listed_[static_cast<std::size_t>(p)]; }

  // Row i against all: an array of padded() numbers.
  void estimate(std::int64_t i, double* estimates) const {
    std::fill_n(estimates, padded(), 0.0);
    const SparseMatrix& rows = metric_ == Metric::cosine ? unit_rows_ : rows_;
    for (std::int64_t e = rows.begin[i]; e < rows.begin[i + 1]; ++e) {
      const double own = rows.value[e];
      const std::int64_t begin = begin_[rows.column[e]], end = begin_[rows.column[e] + 1];
      const std::int32_t* point = point_.data();
      const double* value = value_.data();
      if (metric_ == Metric::manhattan)
        for (std::int64_t f = begin; f < end; ++f) estimates[point[f]] += std::abs(own - value[f]) - std::abs(own) - std::abs(value[f]);
      else
        for (std::int64_t f = begin; f < end; ++f) estimates[point[f]] += own * value[f];
    }
    const double factor = metric_ == Metric::euclidean ? -2 : metric_ == Metric::cosine ? -1 : 1, base = row_bases_[i];
    for (std::int64_t p = 0; p < padded(); ++p) estimates[p] = base + bases_[p] + factor * estimates[p];
  }

  // What the estimate may be wrong by.
  double slack(std::int64_t i, std::int64_t p) const { return error_ * (row_bases_[i] + bases_[p]); }

  // visit(p, estimate) wherever the measure may be at most reach(p).
  template <class Reach, class Visit>
  void look_through(std::int64_t i, const double* estimates, const Reach& reach, const Visit& visit) const {
    const double base = row_bases_[i], error = error_;
    const double* bases = bases_.data();
    for (std::int64_t first = 0; first < padded(); first += lanes) {
      int hits = 0;
      for (std::int64_t p = first; p < first + lanes; ++p) hits += estimates[p] - error * (base + bases[p]) <= reach(p);
      if (hits == 0) continue;
      for (std::int64_t p = first; p < std::min(first + lanes, count()); ++p)
        if (estimates[p] - slack(i, p) <= reach(p)) visit(p, estimates[p]);
    }
  }

  double measure(std::int64_t i, std::int64_t p, double estimate) const {
    if (estimate > cancelled * (row_bases_[i] + bases_[p])) return estimate;
    return metric_ == Metric::euclidean ? squared_distance(rows_, i, columns_, number(p)) : distance(i, p);
  }

  double distance(std::int64_t i, std::int64_t p) const { return engine::distance(rows_, i, columns_, number(p), metric_); }

 private:
  // The entries of the listed columns' points by their column, in order of points.
  void turn_round(const SparseMatrix& columns) {
    begin_.assign(static_cast<std::size_t>(columns.columns) + 1, 0);
    for (const std::int32_t j : listed_)
      for (std::int64_t e = columns.begin[j]; e < columns.begin[j + 1]; ++e) ++begin_[columns.column[e] + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    point_.resize(static_cast<std::size_t>(begin_.back()));
    value_.resize(point_.size());
    for (std::int64_t p = 0; p < count(); ++p)
      for (std::int64_t e = columns.begin[number(p)]; e < columns.begin[number(p) + 1]; ++e) {
        const std::int64_t at = begin_[columns.column[e]]++;
        point_[at] = static_cast<std::int32_t>(p);
        value_[at] = columns.value[e];
      }
    std::copy_backward(begin_.begin(), begin_.end() - 1, begin_.end());  // each begin had moved to the next
    begin_[0] = 0;
  }

  const SparseMatrix &rows_, &columns_;
  const Metric metric_;
  const std::vector<std::int32_t> listed_;
  SparseMatrix unit_rows_;
  std::vector<double> row_bases_, bases_;
  double error_ = 0;
  std::vector<std::int64_t> begin_;
  std::vector<std::int32_t> point_;
  std::vector<double> value_;
};

// each(row, its estimates) for every row, from several threads.
template <class Each>
void over_rows(std::int64_t rows, const Measures& measures, const char* op, const char* what, const Context& context, const Each& each) {
  std::atomic<std::int64_t> done{0};
  parallel_for((rows + piece - 1) / piece, context.threads, [&](std::int64_t t) {
    context.check_stop(op);
    std::vector<double> estimates(static_cast<std::size_t>(measures.padded()));
    for (std::int64_t i = t * piece; i < std::min(rows, (t + 1) * piece); ++i) {
      measures.estimate(i, estimates.data());
      each(i, estimates.data());
    }
    context.advance(static_cast<double>(done += piece), static_cast<double>(rows), what);
  });
}

std::vector<std::int32_t> listed(std::int64_t columns, const std::vector<std::uint8_t>* allowed) {
  std::vector<std::int32_t> result;
  for (std::int64_t j = 0; j < columns; ++j)
    if (!allowed || (*allowed)[static_cast<std::size_t>(j)]) result.push_back(static_cast<std::int32_t>(j));
  return result;
}

}  // namespace

Csr nearest(const SparseMatrix& rows, const SparseMatrix& columns, const NeighbourOptions& options, const Context& context) {
  if (const double scale = options.metric == Metric::euclidean ? tame_scale(rows, columns) : 1; scale != 1)
    return nearest(scaled(rows, scale), scaled(columns, scale), options, context);
  const Measures measures(rows, columns, options.metric, listed(columns.rows, options.allowed), "knn", context);
  std::vector<std::int32_t> result(static_cast<std::size_t>(rows.rows * options.k), -1);
  over_rows(rows.rows, measures, "knn", "nearest neighbours", context, [&](std::int64_t i, const double* estimates) {
    NearestList list(options.k);
    double reach = list.reach();
    measures.look_through(i, estimates, [&](std::int64_t) { return reach; }, [&](std::int64_t p, double estimate) {
      if (options.may_be(i, measures.number(p))) list.offer(measures.measure(i, p, estimate), measures.number(p));
      reach = list.reach();
    });
    list.take(result.data() + i * options.k);
  });
  return graph_of_nearest(rows.rows, columns.rows, options.k, std::move(result));
}

Csr within(const SparseMatrix& rows, const SparseMatrix& columns, const Vector& reach, const ReachOptions& options, const Context& context) {
  const bool squared = options.metric == Metric::euclidean;
  if (const double scale = squared ? tame_scale(rows, columns) : 1; scale != 1)
    return within(scaled(rows, scale), scaled(columns, scale), reach * scale, options, context);
  const Measures measures(rows, columns, options.metric, listed(columns.rows, nullptr), options.op, context);
  Vector limit = Vector::Zero(measures.padded());
  limit.head(reach.size()) = squared ? Vector(reach.cwiseAbs2()) : reach;
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(rows.rows));
  std::mutex guard;
  std::uint64_t found = 0;
  over_rows(rows.rows, measures, options.op, "points within reach", context, [&](std::int64_t i, const double* estimates) {
    std::vector<std::int32_t>& list = lists[static_cast<std::size_t>(i)];
    measures.look_through(i, estimates, [&](std::int64_t p) { return limit[p]; }, [&](std::int64_t p, double estimate) {
      if (options.leave_itself_out && p == i) return;
      if (estimate + measures.slack(i, p) <= limit[p] || measures.distance(i, p) <= reach[p]) list.push_back(static_cast<std::int32_t>(p));
    });
    const std::lock_guard lock(guard);
    options.check(found += list.size(), context);
  });
  return graph_of_lists(columns.rows, lists);
}

}  // namespace calor::engine

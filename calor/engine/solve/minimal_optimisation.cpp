#include "calor/engine/solve/minimal_optimisation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "calor/core/error.h"
#include "calor/engine/solve/kernel_rows.h"
#include "calor/kernels/isa.h"

namespace calor::engine {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t iterations_between_shrinking = 1000;  // at most; libsvm's
constexpr double near_the_end = 10;                          // tolerances from it, everything is looked at once more; libsvm's
constexpr double worth_moving = 0.75;                        // memory is compacted when at most this share is still active

// The variables in use stand in arrays one after the other, `ids` says which each is; those shrunk since stay until it is worth moving.
class Solver {
 public:
  Solver(const Similarity& kernel, const DualProblem& problem, const DualOptions& options, const Context& context)
      : problem_(problem), options_(options), context_(context), count_(static_cast<std::int64_t>(problem.sign.size())),
        rows_(kernel, options.cache_bytes, context),
        kernels_(kernels::current_isa().working_set()), variables_(problem.start), pulls_of_all_(problem.sign.size()) {
    ids_.resize(static_cast<std::size_t>(count_));
    std::iota(ids_.begin(), ids_.end(), 0);
    load_all();
    for (std::int64_t t = 0; t < count_; ++t) pulls_of_all_[t] = -problem_.sign[t] * problem_.linear[t];
    catch_up({ids_, std::vector<double>(problem.sign.size(), 0.0)});
    load_pulls();
  }

  DualSolution solve() {
    const std::int64_t most = options_.max_iterations > 0 ? options_.max_iterations : std::max<std::int64_t>(1'000'000, 100 * count_);
    std::int64_t until_shrinking = std::min(count_, iterations_between_shrinking) + 1;
    kernels::Extremes extremes = look();
    DualSolution result;
    for (; result.iterations < most; ++result.iterations) {
      if (--until_shrinking == 0) {
        until_shrinking = std::min(count_, iterations_between_shrinking);
        context_.check_stop("weigh");
        // The violation falls about by powers of ten.
        const double start = std::max(first_violation_, options_.tolerance * 2), now = std::clamp(extremes.greatest - extremes.least, options_.tolerance, start);
        context_.advance(std::log(start / now), std::log(start / options_.tolerance), "support vectors");
        shrink(extremes);
        extremes = look();
      }
      std::int64_t i = -1, j = -1;
      if (!choose(extremes, i, j)) {
        use_all();
        extremes = look();
        if (!choose(extremes, i, j)) {
          result.converged = true;
          break;
        }
        until_shrinking = 1;
      }
      extremes = move(i, j);
    }
    use_all();
    extremes = look();
    result.violation = std::max(0.0, extremes.first < 0 || extremes.least == infinity ? 0.0 : extremes.greatest - extremes.least);
    for (std::int64_t t = 0; t < count_; ++t) variables_[ids_[t]] = alpha_[t];
    for (std::int64_t t = 0; t < count_; ++t) result.objective += variables_[t] * (problem_.linear[t] - problem_.sign[t] * pulls_[t]) / 2;
    result.offset = offset();
    result.rows_computed = rows_.computed();
    result.indefinite = indefinite_;
    result.variables = variables_;
    return result;
  }

 private:
  std::int64_t active_count() const { return static_cast<std::int64_t>(ids_.size()); }
  std::int64_t point_of(std::int64_t variable) const { return problem_.point.empty() ? variable : problem_.point[variable]; }
  bool one_to_one() const { return problem_.point.empty(); }

  // Everything but the pulls, of the variables that ids_ names.
  void load_all() {
    const std::size_t n = ids_.size();
    sign_.resize(n), bound_.resize(n), alpha_.resize(n), diagonal_.resize(n), pulls_.resize(n), may_rise_.resize(n), may_fall_.resize(n);
    place_.resize(n);
    shrunk_.assign(n, 0);
    for (std::size_t t = 0; t < n; ++t) {
      const std::int64_t id = ids_[t];
      sign_[t] = problem_.sign[id];
      bound_[t] = problem_.bound[id];
      alpha_[t] = variables_[id];
      diagonal_[t] = rows_.diagonal()[static_cast<std::size_t>(point_of(id))];
      place_[t] = one_to_one() ? static_cast<std::int64_t>(t) : point_of(id);
      set_ways(static_cast<std::int64_t>(t));
    }
  }
  void load_pulls() {
    for (std::size_t t = 0; t < ids_.size(); ++t) pulls_[t] = pulls_of_all_[ids_[t]];
  }

  // Whether y a can grow, and shrink.
  void set_ways(std::int64_t t) {
    const bool below = alpha_[t] < bound_[t], above = alpha_[t] > 0, positive = sign_[t] > 0;
    const bool rise = !shrunk_[t] && (positive ? below : above), fall = !shrunk_[t] && (positive ? above : below);
    may_rise_[t] = rise ? 0.0F : -std::numeric_limits<float>::infinity();
    may_fall_[t] = fall ? 0.0F : std::numeric_limits<float>::infinity();
  }

  // Variables out of use, and what all were when their pulls were last right.
  struct Left {
    std::vector<std::int64_t> ids;
    std::vector<double> variables;
  };

  // Their pulls, by what has changed since: at the end those of few others.
  void catch_up(const Left& left) {
    std::vector<std::int64_t> rows, columns;
    std::vector<double> weights(rows_.diagonal().size(), 0.0);
    for (std::int64_t t = 0; t < count_; ++t) weights[point_of(t)] += problem_.sign[t] * (variables_[t] - left.variables[t]);
    for (std::size_t p = 0; p < weights.size(); ++p)
      if (weights[p] != 0) columns.push_back(static_cast<std::int64_t>(p));
    if (columns.empty()) return;
    Vector numbers(static_cast<Eigen::Index>(columns.size()));
    for (Eigen::Index c = 0; c < numbers.size(); ++c) numbers[c] = weights[columns[c]];
    for (const std::int64_t t : left.ids) rows.push_back(point_of(t));
    const Vector sums = rows_.sums(rows, columns, numbers);
    for (std::size_t n = 0; n < left.ids.size(); ++n) pulls_of_all_[left.ids[n]] -= sums[static_cast<Eigen::Index>(n)];
  }

  kernels::Extremes look() {
    kernels::Extremes found{-infinity, infinity, -1};
    for (std::int64_t t = 0; t < active_count(); ++t) {
      if (const double rising = pulls_[t] + static_cast<double>(may_rise_[t]); rising > -infinity && rising >= found.greatest) {
        found.greatest = rising;
        found.first = t;
      }
      found.least = std::min(found.least, pulls_[t] + static_cast<double>(may_fall_[t]));
    }
    first_violation_ = std::max(first_violation_, found.first >= 0 && found.least < infinity ? found.greatest - found.least : 0.0);
    return found;
  }

  // Rows that are likely to be asked for next: of the greatest violations that are not kept.
  void likely(std::vector<std::int64_t>& rows) const {
    const std::int64_t most = rows_.beside();
    std::vector<std::pair<double, std::int64_t>> best;  // ascending
    const auto offer = [&](double violation, std::int64_t t) {
      if (static_cast<std::int64_t>(best.size()) >= most - 1 && violation <= best.front().first) return;
      if (rows_.has(place_[t]) || place_[t] == rows.front()) return;
      if (static_cast<std::int64_t>(best.size()) >= most - 1) best.erase(best.begin());
      best.insert(std::upper_bound(best.begin(), best.end(), std::pair{violation, t}), {violation, t});
    };
    double middle = 0;
    std::int64_t both = 0;
    for (std::int64_t t = 0; t < active_count(); ++t)
      if (may_rise_[t] == 0 && may_fall_[t] == 0) {
        middle += pulls_[t];
        ++both;
      }
    if (both) middle /= static_cast<double>(both);
    for (std::int64_t t = 0; t < active_count(); ++t) {
      if (may_rise_[t] == 0) offer(pulls_[t] - middle, t);
      if (may_fall_[t] == 0) offer(middle - pulls_[t], t);
    }
    for (const auto& [violation, t] : best)
      if (std::find(rows.begin(), rows.end(), place_[t]) == rows.end()) rows.push_back(place_[t]);
  }

  // Row of the kernel against the variables in use; `buffer` for where several variables share a point.
  const float* row(std::int64_t t, std::vector<float>& buffer) {
    const float* found = rows_.row(place_[t], [this](std::vector<std::int64_t>& rows) { likely(rows); });
    if (one_to_one()) return found;
    buffer.resize(ids_.size());
    for (std::size_t s = 0; s < ids_.size(); ++s) buffer[s] = found[place_[s]];
    return buffer.data();
  }

  bool choose(const kernels::Extremes& extremes, std::int64_t& i, std::int64_t& j) {
    if (extremes.first < 0 || extremes.greatest - extremes.least < options_.tolerance) return false;
    i = extremes.first;
    row_of_first_ = row(i, first_buffer_);
    j = kernels_.second({pulls_.data(), may_fall_.data(), row_of_first_, diagonal_.data(), extremes.greatest, diagonal_[i]}, active_count());
    return j >= 0;
  }

  // The best step of two variables within their bounds, as libsvm clips it.
  kernels::Extremes move(std::int64_t i, std::int64_t j) {
    const float* left = row_of_first_;
    const float* right = row(j, second_buffer_);
    const double before_i = alpha_[i], before_j = alpha_[j], ci = bound_[i], cj = bound_[j];
    const double gi = -sign_[i] * pulls_[i], gj = -sign_[j] * pulls_[j];
    double curvature = diagonal_[i] + diagonal_[j] - 2 * static_cast<double>(left[j]);
    if (curvature < -1e-6 * (std::abs(diagonal_[i]) + std::abs(diagonal_[j]))) indefinite_ = true;
    if (curvature <= 0) curvature = kernels::least_curvature;
    double &ai = alpha_[i], &aj = alpha_[j];
    if (sign_[i] != sign_[j]) {
      const double delta = (-gi - gj) / curvature, difference = ai - aj;
      ai += delta;
      aj += delta;
      if (difference > 0) {
        if (aj < 0) aj = 0, ai = difference;
      } else if (ai < 0) {
        ai = 0, aj = -difference;
      }
      if (difference > ci - cj) {
        if (ai > ci) ai = ci, aj = ci - difference;
      } else if (aj > cj) {
        aj = cj, ai = cj + difference;
      }
    } else {
      const double delta = (gi - gj) / curvature, sum = ai + aj;
      ai -= delta;
      aj += delta;
      if (sum > ci) {
        if (ai > ci) ai = ci, aj = sum - ci;
      } else if (aj < 0) {
        aj = 0, ai = sum;
      }
      if (sum > cj) {
        if (aj > cj) aj = cj, ai = sum - cj;
      } else if (ai < 0) {
        ai = 0, aj = sum;
      }
    }
    set_ways(i);
    set_ways(j);
    return kernels_.step(pulls_.data(), left, sign_[i] * (ai - before_i), right, sign_[j] * (aj - before_j), may_rise_.data(), may_fall_.data(), active_count());
  }

  void shrink(const kernels::Extremes& extremes) {
    const double greatest = extremes.greatest, least = extremes.least;
    if (!looked_again_ && greatest - least <= options_.tolerance * near_the_end) {
      looked_again_ = true;
      use_all();
    }
    std::int64_t active = 0;
    for (std::int64_t t = 0; t < active_count(); ++t) {
      const bool rise = may_rise_[t] == 0, fall = may_fall_[t] == 0;
      if (rise != fall && (rise ? pulls_[t] < least : pulls_[t] > greatest)) {
        shrunk_[t] = 1;
        set_ways(t);
      }
      active += !shrunk_[t];
    }
    if (static_cast<double>(active) <= worth_moving * static_cast<double>(active_count())) compact();
  }

  void compact() {
    save();
    std::vector<std::int64_t> places, ids, others;
    for (std::int64_t t = 0; t < active_count(); ++t)
      if (!shrunk_[t]) {
        places.push_back(t);
        ids.push_back(ids_[t]);
      } else {
        others.push_back(ids_[t]);
      }
    if (ids.empty()) return;
    left_.push_back({std::move(others), variables_});
    ids_.swap(ids);
    if (one_to_one()) rows_.keep(places);
    load_all();
    load_pulls();
  }

  void save() {
    for (std::size_t t = 0; t < ids_.size(); ++t) {
      variables_[ids_[t]] = alpha_[t];
      pulls_of_all_[ids_[t]] = pulls_[t];
    }
  }

  // All variables with their pulls, those that were left out from the others as they are now.
  void use_all() {
    save();
    if (active_count() < count_) {
      for (const Left& left : left_) catch_up(left);
      left_.clear();
      ids_.resize(static_cast<std::size_t>(count_));
      std::iota(ids_.begin(), ids_.end(), 0);
      rows_.restore();
    }
    load_all();
    load_pulls();
  }

  double offset() const {
    double upper = infinity, lower = -infinity, sum = 0;
    std::int64_t free = 0;
    for (std::int64_t t = 0; t < count_; ++t) {
      const double value = -pulls_[t];
      const bool at_bound = alpha_[t] >= bound_[t], at_zero = alpha_[t] <= 0;
      if (at_bound || at_zero) (at_bound == (sign_[t] < 0) ? upper : lower) = at_bound == (sign_[t] < 0) ? std::min(upper, value) : std::max(lower, value);
      else {
        ++free;
        sum += value;
      }
    }
    if (free) return sum / static_cast<double>(free);
    if (std::isinf(upper)) return std::isinf(lower) ? 0 : lower;
    return std::isinf(lower) ? upper : (upper + lower) / 2;
  }

  const DualProblem& problem_;
  const DualOptions& options_;
  const Context& context_;
  std::int64_t count_;
  KernelRows rows_;
  const kernels::WorkingSet& kernels_;
  std::vector<double> variables_, pulls_of_all_;  // of all, as of the last save
  std::vector<std::int64_t> ids_, place_;         // of the variables in use: which, and their row of the kernel
  std::vector<double> sign_, bound_, alpha_, diagonal_, pulls_;
  std::vector<float> may_rise_, may_fall_, first_buffer_, second_buffer_;
  std::vector<std::uint8_t> shrunk_;
  std::vector<Left> left_;
  const float* row_of_first_ = nullptr;
  double first_violation_ = 0;
  bool looked_again_ = false, indefinite_ = false;
};

}  // namespace

DualSolution solve_dual(const Similarity& kernel, const DualProblem& problem, const DualOptions& options, const Context& context) {
  return Solver(kernel, problem, options, context).solve();
}

}  // namespace calor::engine

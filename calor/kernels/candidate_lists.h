// Candidates of each row of a search for neighbours.  A list that is full drops those that cannot be among the k nearest any more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "calor/kernels/neighbours.h"

namespace calor::kernels {

class CandidateLists {
 public:
  // `screened` are the problem's rows as they are multiplied; `scale` that of their frame.
  CandidateLists(const NeighboursProblem& problem, const PackedPoints& screened, double scale)
      : problem_(problem), screened_(screened), area_(scale * scale), k_(problem.k), capacity_(capacity(problem.k)) {
    candidates_.resize(static_cast<std::size_t>(problem.rows.count * capacity_));
    sizes_.assign(static_cast<std::size_t>(problem.rows.count), 0);
    full_.assign(static_cast<std::size_t>(problem.rows.count), static_cast<std::int32_t>(k_ + few));
    thresholds_.assign(static_cast<std::size_t>(problem.rows.count), std::numeric_limits<float>::infinity());
    // Finite, so that it gives way to the infinite half of what fills up a panel.
    bounds_.assign(static_cast<std::size_t>(problem.rows.count), std::numeric_limits<float>::lowest());
  }

  static std::uint64_t bytes(std::int64_t rows, std::int64_t k) {
    return static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(capacity(k) * static_cast<std::int64_t>(sizeof(Candidate)) + 16);
  }

  // A column whose product with row i is at least bounds()[i] + its half may be a neighbour.
  const float* bounds() const { return bounds_.data(); }
  // One whose squared distance is above this is none.
  float threshold(std::int64_t i) const { return thresholds_[i]; }

  // The k-th nearest is no farther.
  void limit(std::int64_t i, float farthest) {
    if (farthest >= thresholds_[i]) return;
    thresholds_[i] = farthest;
    set_bound(i);
  }

  void offer(std::int64_t i, float lower, float upper, std::int32_t column) {
    if (lower > thresholds_[i]) return;
    Candidate* list = candidates_.data() + i * capacity_;
    list[sizes_[i]++] = {lower, upper, column};
    if (sizes_[i] < full_[i]) return;
    tighten(i);
    if (sizes_[i] <= k_ + (capacity_ - k_) / 2) return;
    settle(i, list);
    set_bound(i);
  }

  // Drops what cannot be a neighbour.
  void tighten(std::int64_t i) {
    if (sizes_[i] < k_) return;
    Candidate* const list = candidates_.data() + i * capacity_;
    Candidate* const end = list + sizes_[i];
    std::nth_element(list, list + k_ - 1, end, [](const Candidate& a, const Candidate& b) { return a.upper < b.upper; });
    thresholds_[i] = std::min(thresholds_[i], list[k_ - 1].upper);
    sizes_[i] = std::remove_if(list, end, [&](const Candidate& c) { return c.lower > thresholds_[i]; }) - list;
    set_bound(i);
    full_[i] = static_cast<std::int32_t>(std::min(capacity_, sizes_[i] + few));
  }

  // The k nearest, ascending.  Only what bounds leave open is measured.  Returns the measure of the farthest of them, 0 of none.
  double finish(std::int64_t i, std::int32_t* result) {
    tighten(i);
    Candidate* const list = candidates_.data() + i * capacity_;
    if (sizes_[i] > k_) {
      std::nth_element(list, list + k_, list + sizes_[i], [](const Candidate& a, const Candidate& b) { return a.lower < b.lower; });
      const float next = list[k_].lower;
      Candidate* const open = std::partition(list, list + k_, [&](const Candidate& c) { return c.upper < next; });
      settle(i, open);
    }
    float least = 0;  // of the farthest
    for (std::int64_t e = 0; e < sizes_[i]; ++e) least = std::max(least, list[e].lower);
    double farthest = 0;
    for (std::int64_t e = 0; e < sizes_[i]; ++e) {
      result[e] = list[e].column;
      if (list[e].upper >= least) farthest = std::max(farthest, problem_.measure(problem_.rows.number(i), list[e].column));
    }
    std::sort(result, result + sizes_[i]);
    return farthest;
  }

 private:
  struct Candidate {
    float lower, upper;  // bounds of the squared distance
    std::int32_t column;
  };
  static std::int64_t capacity(std::int64_t k) { return k + k / 2 + 32; }

  void set_bound(std::int64_t i) { bounds_[i] = rounded_down(screened_.half(i) - 0.5 * thresholds_[i]); }

  // Keeps the k nearest, those before `open` and the nearest of the others by measure.
  void settle(std::int64_t i, Candidate* open) {
    Candidate* const list = candidates_.data() + i * capacity_;
    const std::int64_t wanted = list + k_ - open;
    std::vector<std::pair<double, std::int32_t>> measured;
    for (const Candidate* c = open; c < list + sizes_[i]; ++c)
      measured.emplace_back(problem_.measure(problem_.rows.number(i), c->column) * area_, c->column);
    std::nth_element(measured.begin(), measured.begin() + wanted - 1, measured.end());
    for (std::int64_t e = 0; e < wanted; ++e) open[e] = {rounded_down(measured[e].first), rounded_up(measured[e].first), measured[e].second};
    sizes_[i] = k_;
    thresholds_[i] = std::min(thresholds_[i], rounded_up(measured[wanted - 1].first));
  }

  const NeighboursProblem& problem_;
  const PackedPoints& screened_;
  const double area_;
  const std::int64_t k_, capacity_;
  std::vector<Candidate> candidates_;
  static constexpr std::int64_t few = 8;
  std::vector<std::int64_t> sizes_;
  std::vector<std::int32_t> full_;  // the size at which a list is looked through: each few candidates bring the bound down
  std::vector<float> thresholds_;  // a neighbour's lower bound is at most this
  std::vector<float> bounds_;
};

}  // namespace calor::kernels

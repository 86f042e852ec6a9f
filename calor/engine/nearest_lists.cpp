#include "calor/engine/nearest_lists.h"

#include <algorithm>

#include "calor/core/threads.h"

namespace calor::engine {

NearestLists::NearestLists(std::int64_t n, std::int64_t k, const std::int32_t* numbers)
    : n_(n), k_(k), numbers_(numbers), distances_(static_cast<std::size_t>(n * k)), points_(static_cast<std::size_t>(n * k)),
      sizes_(static_cast<std::size_t>(n), 0), fresh_(static_cast<std::size_t>(n * k), 0) {}

std::uint64_t NearestLists::bytes(std::int64_t n, std::int64_t k, std::int64_t looked_at) {
  return static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(13 * k + 24 * looked_at + 32);
}

bool NearestLists::offer(std::int64_t i, double distance, std::int32_t point) {
  if (distance > reach(i)) return false;
  const std::int64_t first = i * k_;
  const auto before = [&](std::int64_t at) {
    return distances_[at] != distance ? distances_[at] < distance : numbers_[points_[at]] < numbers_[point];
  };
  std::int64_t at = first + sizes_[i];
  while (at > first && !before(at - 1)) --at;
  if (at < first + sizes_[i] && points_[at] == point) return false;
  if (at == first + k_) return false;
  const std::int64_t last = std::min(first + sizes_[i], first + k_ - 1);
  std::copy_backward(distances_.begin() + at, distances_.begin() + last, distances_.begin() + last + 1);
  std::copy_backward(points_.begin() + at, points_.begin() + last, points_.begin() + last + 1);
  std::copy_backward(fresh_.begin() + at, fresh_.begin() + last, fresh_.begin() + last + 1);
  distances_[at] = distance;
  points_[at] = point;
  fresh_[at] = 1;
  sizes_[i] = static_cast<std::int32_t>(std::min<std::int64_t>(k_, sizes_[i] + 1));
  return true;
}

NearestLists::Around NearestLists::around(std::int64_t most, const Context& context) {
  // The edges to the nearest, seen from their ends: who has a point among its nearest, at which rank.
  std::vector<std::int64_t> begin(static_cast<std::size_t>(n_) + 1, 0);
  const auto shown = [&](std::int64_t i) { return std::min<std::int64_t>(most, sizes_[i]); };
  for (std::int64_t i = 0; i < n_; ++i)
    for (std::int64_t e = i * k_; e < i * k_ + shown(i); ++e) ++begin[static_cast<std::size_t>(points_[e]) + 1];
  for (std::int64_t i = 0; i < n_; ++i) begin[i + 1] += begin[i];
  std::vector<std::int64_t> edges(static_cast<std::size_t>(begin.back())), next(begin.begin(), begin.end() - 1);
  for (std::int64_t i = 0; i < n_; ++i)
    for (std::int64_t e = i * k_; e < i * k_ + shown(i); ++e) edges[static_cast<std::size_t>(next[points_[e]]++)] = e;

  Around result;
  result.lists_ = this;
  result.begin_.resize(static_cast<std::size_t>(n_) + 1, 0);
  for (std::int64_t i = 0; i < n_; ++i) result.begin_[i + 1] = result.begin_[i] + shown(i) + std::min(most, begin[i + 1] - begin[i]);
  result.points_.resize(static_cast<std::size_t>(result.begin_.back()));
  constexpr std::int64_t piece = 4096;
  parallel_for((n_ + piece - 1) / piece, context.threads, [&](std::int64_t p) {
    context.check_stop("knn");
    for (std::int64_t i = p * piece; i < std::min(n_, (p + 1) * piece); ++i) {
      auto to = result.points_.begin() + result.begin_[i];
      for (std::int64_t e = i * k_; e < i * k_ + shown(i); ++e) *to++ = static_cast<std::uint32_t>(points_[e]) | (fresh_[e] ? Around::fresh : 0);
      const auto from = edges.begin() + begin[i], end = edges.begin() + begin[i + 1];
      if (end - from > most)
        std::nth_element(from, from + most, end, [&](std::int64_t a, std::int64_t b) { return distances_[a] != distances_[b] ? distances_[a] < distances_[b] : a < b; });
      for (auto e = from; e != from + std::min<std::int64_t>(most, end - from); ++e) *to++ = static_cast<std::uint32_t>(*e / k_) | (fresh_[*e] ? Around::fresh : 0);
    }
  });
  // Only what was shown has been seen.
  for (std::int64_t i = 0; i < n_; ++i) std::fill_n(fresh_.begin() + i * k_, shown(i), std::uint8_t{0});
  return result;
}

void NearestLists::Around::candidates(std::int64_t i, Set& met, std::vector<std::int32_t>& result) const {
  met.clear();
  met.insert(static_cast<std::int32_t>(i));
  for (const std::int32_t own : lists_->of(i)) met.insert(own);
  for (std::int64_t e = begin_[i]; e < begin_[i + 1]; ++e) {
    const std::uint32_t over = points_[e] & ~fresh, met_now = points_[e] & fresh;
    if (met_now && met.insert(static_cast<std::int32_t>(over))) result.push_back(static_cast<std::int32_t>(over));
    for (std::int64_t f = begin_[over]; f < begin_[over + 1]; ++f)
      if (((points_[f] | met_now) & fresh) && met.insert(static_cast<std::int32_t>(points_[f] & ~fresh))) result.push_back(static_cast<std::int32_t>(points_[f] & ~fresh));
  }
}

}  // namespace calor::engine

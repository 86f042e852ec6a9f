#include "calor/engine/near_parts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "calor/core/random.h"
#include "calor/kernels/isa.h"

namespace calor::engine {
namespace {

constexpr std::int64_t sample = 128, steps = 4;  // of 2-means
constexpr std::size_t bins = 256;

class Cutting {
 public:
  Cutting(const float* at, std::int64_t n, std::int64_t dim, std::uint64_t seed, std::uint32_t tree, const Context& context)
      : at_(at), dim_(dim), seed_(seed), tree_(tree), context_(context), dots_(kernels::current_isa().products().listed_dots),
        order_(static_cast<std::size_t>(n)), projections_(static_cast<std::size_t>(n)), spare_(static_cast<std::size_t>(n)) {
    std::iota(order_.begin(), order_.end(), 0);
  }

  NearParts run(std::int64_t most) {
    NearParts parts;
    std::vector<Range> open{{0, static_cast<std::int64_t>(order_.size()), 1}};
    while (!open.empty()) {
      const Range range = open.back();
      open.pop_back();
      if (range.last - range.first <= most) {
        parts.begin.push_back(range.last);
        continue;
      }
      context_.check_stop("knn");
      const std::int64_t middle = cut(range);
      open.push_back({middle, range.last, 2 * range.number + 1});
      open.push_back({range.first, middle, 2 * range.number});
    }
    parts.order = std::move(order_);
    return parts;
  }

 private:
  struct Range {
    std::int64_t first, last;
    std::uint64_t number;  // the root is 1, the halves of m are 2 m and 2 m + 1
  };

  const float* point(std::int64_t place) const { return at_ + order_[static_cast<std::size_t>(place)] * dim_; }

  // From one of two centres to the other; zeros where the sample is all in one place.
  std::vector<float> direction(const Range& range) {
    Random random(seed_, Purpose::permutation, (range.number << 8) + tree_ + 1);
    std::array<const float*, sample> chosen;
    for (auto& one : chosen) one = point(range.first + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(range.last - range.first))));
    const auto width = static_cast<std::size_t>(dim_);
    std::vector<float> along(width, 0.0F);
    const auto other = std::find_if(chosen.begin(), chosen.end(), [&](const float* one) { return !std::equal(one, one + dim_, chosen[0]); });
    if (other == chosen.end()) return along;
    std::vector<double> one(chosen[0], chosen[0] + dim_), two(*other, *other + dim_), sums[2];
    for (std::int64_t step = 0; step < steps; ++step) {
      std::int64_t counts[2] = {0, 0};
      for (auto& sum : sums) sum.assign(width, 0.0);
      for (const float* x : chosen) {
        double nearer_two = 0;
        for (std::size_t c = 0; c < width; ++c) nearer_two += (x[c] - one[c]) * (x[c] - one[c]) - (x[c] - two[c]) * (x[c] - two[c]);
        const int side = nearer_two > 0;
        ++counts[side];
        for (std::size_t c = 0; c < width; ++c) sums[side][c] += x[c];
      }
      if (counts[0] == 0 || counts[1] == 0) break;
      for (std::size_t c = 0; c < width; ++c) {
        one[c] = sums[0][c] / static_cast<double>(counts[0]);
        two[c] = sums[1][c] / static_cast<double>(counts[1]);
      }
    }
    for (std::size_t c = 0; c < width; ++c) along[c] = static_cast<float>(two[c] - one[c]);
    return along;
  }

  // Where the second half of the range begins.
  std::int64_t cut(const Range& range) {
    const std::int64_t count = range.last - range.first;
    const std::vector<float> along = direction(range);
    float* const projections = projections_.data() + range.first;
    dots_(along.data(), at_, dim_, order_.data() + range.first, count, projections);
    const auto [least, greatest] = std::minmax_element(projections, projections + count);
    const double low = *least, step = (static_cast<double>(*greatest) - low) / bins;
    const auto bin = [&](float p) { return std::min(bins - 1, static_cast<std::size_t>((p - low) / step)); };
    const std::size_t emptiest = step > 0 ? emptiest_boundary(projections, count, bin) : 0;
    if (emptiest == 0) return halve(range);
    // Both halves keep the order they had.
    std::int32_t* const points = order_.data() + range.first;
    std::int64_t below = 0, above = 0;
    for (std::int64_t i = 0; i < count; ++i)
      if (bin(projections[i]) < emptiest) points[below++] = points[i];
      else spare_[static_cast<std::size_t>(above++)] = points[i];
    std::copy_n(spare_.begin(), above, points + below);
    return range.first + below;
  }

  // The bin before which to cut, such that a quarter of the points at least is on either side and few are beside it; 0 if there is none.
  template <class Bin>
  static std::size_t emptiest_boundary(const float* projections, std::int64_t count, const Bin& bin) {
    std::array<std::int64_t, bins + 4> counts{};  // two empty ones on each side
    for (std::int64_t i = 0; i < count; ++i) ++counts[bin(projections[i]) + 2];
    std::size_t best = 0;
    std::pair<std::int64_t, std::int64_t> least{};
    std::int64_t below = 0;
    for (std::size_t b = 1; b < bins; ++b) {
      below += counts[b + 1];
      if (4 * below < count || 4 * below > 3 * count) continue;
      const std::pair<std::int64_t, std::int64_t> beside{counts[b] + counts[b + 1] + counts[b + 2] + counts[b + 3], std::abs(2 * below - count)};
      if (best == 0 || beside < least) {
        best = b;
        least = beside;
      }
    }
    return best;
  }

  // In the middle of the projections, of equal ones by number: most points may be in one place.
  std::int64_t halve(const Range& range) {
    std::vector<std::pair<float, std::int32_t>> all;
    for (std::int64_t i = range.first; i < range.last; ++i) all.emplace_back(projections_[static_cast<std::size_t>(i)], order_[static_cast<std::size_t>(i)]);
    const std::int64_t half = static_cast<std::int64_t>(all.size()) / 2;
    std::nth_element(all.begin(), all.begin() + half, all.end());
    std::sort(all.begin(), all.begin() + half, [](const auto& a, const auto& b) { return a.second < b.second; });
    std::sort(all.begin() + half, all.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    for (std::size_t i = 0; i < all.size(); ++i) order_[static_cast<std::size_t>(range.first) + i] = all[i].second;
    return range.first + half;
  }

  const float* at_;
  const std::int64_t dim_;
  const std::uint64_t seed_;
  const std::uint32_t tree_;
  const Context& context_;
  decltype(kernels::Products::listed_dots) dots_;
  std::vector<std::int32_t> order_;
  std::vector<float> projections_;  // of the range that is being cut
  std::vector<std::int32_t> spare_;
};

}  // namespace

NearParts near_parts(const float* at, std::int64_t n, std::int64_t dim, std::int64_t most, std::uint64_t seed, std::uint32_t tree, const Context& context) {
  return Cutting(at, n, dim, seed, tree, context).run(most);
}

}  // namespace calor::engine

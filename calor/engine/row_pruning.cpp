#include "calor/engine/row_pruning.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>

namespace calor::engine {
namespace {

constexpr double slack = 1 - 1e-9;  // values that differ by less are equal but for rounding

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

// The sums' sizes: of all, of those that are at least so large, and how many these are.
struct Sizes {
  double total = 0, left = 0, greatest = 0;
  std::int64_t number = 0;
  Sizes(const Found& found, double least) {
    for (const double sum : found.values()) {
      const double value = std::abs(sum);
      const bool stays = value >= least;
      total += value;
      left += stays ? value : 0;
      number += stays;
      greatest = std::max(greatest, value);
    }
    if (found.total >= 0) total = found.total;
  }
};

}  // namespace

std::int64_t Pruning::most(std::int64_t columns) const {
  std::int64_t most = columns;
  if (least > 0) most = std::min(most, std::max(recover, static_cast<std::int64_t>(std::min(1 / least, 1e18))));
  if (keep > 0) most = std::min(most, std::max(keep, recover));
  return most;
}

void Found::begin(std::int64_t most) {
  count_ = 0;
  total = -1;
  if (static_cast<std::int64_t>(value_.size()) > most) return;
  column_.resize(static_cast<std::size_t>(most) + 1);  // add() writes a 0 behind the last
  value_.resize(static_cast<std::size_t>(most) + 1);
}

std::int64_t RowPruner::recover() const { return pruning_.recover > 0 ? std::max(pruning_.recover, pruning_.keep) : 0; }

double RowPruner::least() const { return pruning_.least * slack; }

bool RowPruner::recovers(const Found& found) const {
  const Sizes sizes(found, least());
  constexpr double rounding = 1e-9;  // the sums come in another order later
  const bool too_little = (1 - rounding) * sizes.left < pruning_.mass * sizes.total, too_many = pruning_.keep > 0 && sizes.number > pruning_.keep;
  return sizes.number < recover() && (too_little || too_many);
}

double RowPruner::kth(const Found& found, double greatest, std::int64_t k) {
  return k >= static_cast<std::int64_t>(found.values().size()) ? 0 : largest(found.values(), greatest, k, counts_, same_) * slack;
}

// The least size that is kept.
double RowPruner::threshold(const Found& found) {
  const Sizes sizes(found, least());
  if (sizes.left < pruning_.mass * sizes.total && sizes.number < recover()) return kth(found, sizes.greatest, recover());
  if (pruning_.keep == 0 || sizes.number <= pruning_.keep) return least();
  const double from = std::max(least(), kth(found, sizes.greatest, pruning_.keep));
  double left = 0;
  for (const double value : found.values()) left += std::abs(value) >= from ? std::abs(value) : 0;
  if (!(left < pruning_.mass * sizes.total && recover() > 0)) return from;
  const double recovered = kth(found, sizes.greatest, recover());
  return sizes.number >= recover() ? std::max(least(), recovered) : recovered;
}

void RowPruner::prune(const Found& found, SparseRow& row) {
  const double from = threshold(found);
  const auto columns = found.columns();
  const auto values = found.values();
  std::size_t kept = 0;
  for (const double value : values) kept += std::abs(value) >= from;
  row.column.reserve(kept);
  row.value.reserve(kept);
  for (std::size_t e = 0; e < values.size(); ++e)
    if (std::abs(values[e]) >= from) {
      row.column.push_back(columns[e]);
      row.value.push_back(values[e]);
    }
}

}  // namespace calor::engine

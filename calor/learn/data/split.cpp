#include "calor/learn/data/split.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/random.h"

namespace calor::learn {
namespace {

std::vector<std::vector<std::int64_t>> rows_of_classes(const std::vector<std::int64_t>& labels, std::int64_t classes) {
  std::vector<std::vector<std::int64_t>> rows(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    rows.at(static_cast<std::size_t>(labels[i])).push_back(static_cast<std::int64_t>(i));
  }
  return rows;
}

// Shares `total` among classes in proportion to `sizes`, at most `limits` each: floors first, then one each by the
// largest remainder (the earlier class at a tie), then wherever there is room.
std::vector<std::int64_t> proportional(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& limits,
                                       std::int64_t total) {
  const std::int64_t rows = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0});
  std::vector<std::int64_t> taken(sizes.size());
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<double> remainder(sizes.size());
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    const double exact = static_cast<double>(total) * static_cast<double>(sizes[c]) / static_cast<double>(rows);
    taken[c] = std::min(limits[c], static_cast<std::int64_t>(exact));
    remainder[c] = exact - std::floor(exact);
  }
  std::int64_t left = total - std::accumulate(taken.begin(), taken.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
  for (bool moved = true; left > 0 && moved;) {
    moved = false;
    for (const std::size_t c : order) {
      if (left > 0 && taken[c] < limits[c]) {
        ++taken[c];
        --left;
        moved = true;
      }
    }
  }
  return taken;
}

// `counts[c]` random rows of each class, ascending.
std::vector<std::int64_t> draw(const std::vector<std::vector<std::int64_t>>& rows,
                               const std::vector<std::int64_t>& counts, std::uint64_t seed, Purpose purpose) {
  std::vector<std::int64_t> drawn;
  for (std::size_t c = 0; c < rows.size(); ++c) {
    Random random(seed, purpose, c);
    const auto order = permutation(static_cast<std::int64_t>(rows[c].size()), random);
    for (std::int64_t i = 0; i < counts[c]; ++i) {
      drawn.push_back(rows[c][static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
    }
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

std::vector<std::int64_t> sizes_of(const std::vector<std::vector<std::int64_t>>& rows) {
  std::vector<std::int64_t> sizes;
  for (const auto& members : rows) sizes.push_back(static_cast<std::int64_t>(members.size()));
  return sizes;
}

std::vector<std::int64_t> all_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

}  // namespace

std::int64_t classes_present(const std::vector<std::int64_t>& labels, std::int64_t classes) {
  const auto sizes = sizes_of(rows_of_classes(labels, classes));
  return std::count_if(sizes.begin(), sizes.end(), [](std::int64_t size) { return size > 0; });
}

Split stratified_split(const std::vector<std::int64_t>& labels, std::int64_t classes, double share, std::uint64_t seed) {
  const auto count = static_cast<std::int64_t>(labels.size());
  require(count >= 2, Fault::input, "[train] expected at least 2 labelled rows, found {}: give more data", count);
  const std::int64_t present = classes_present(labels, classes);
  require(present >= 2, Fault::input, "[train] expected at least 2 classes, found {}: check the label column (--label)",
          present);
  const auto rows = rows_of_classes(labels, classes);
  const auto sizes = sizes_of(rows);
  std::vector<std::int64_t> limits;
  for (const std::int64_t size : sizes) limits.push_back(std::max<std::int64_t>(0, size - 1));
  const auto wanted = std::max<std::int64_t>(1, std::llround(share * static_cast<double>(count)));
  const auto counts = proportional(sizes, limits, wanted);
  Split split;
  split.test = draw(rows, counts, seed, Purpose::split);
  require(!split.test.empty(), Fault::input,
          "[train] expected a class with 2 rows or more to test on, found {} classes of one row each: give more data, or "
          "a test file with --test",
          classes);
  std::vector<bool> tested(labels.size(), false);
  for (const std::int64_t row : split.test) tested[static_cast<std::size_t>(row)] = true;
  for (std::int64_t row = 0; row < count; ++row) {
    if (!tested[static_cast<std::size_t>(row)]) split.train.push_back(row);
  }
  return split;
}

std::vector<std::int64_t> stratified_sample(const std::vector<std::int64_t>& labels, std::int64_t classes,
                                            std::int64_t most, std::uint64_t seed) {
  const auto count = static_cast<std::int64_t>(labels.size());
  if (count <= most) return all_rows(count);
  const auto rows = rows_of_classes(labels, classes);
  const auto sizes = sizes_of(rows);
  return draw(rows, proportional(sizes, sizes, most), seed, Purpose::tokens);
}

}  // namespace calor::learn

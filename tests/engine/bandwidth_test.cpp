// A bandwidth chosen from pairs: what parts of the pairs add up to, and that rounding does not choose it.  The references are the same points in one piece
// and at the origin.
#include "calor/engine/bandwidth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>

#include "support.h"

namespace calor::engine {
namespace {

Similarity squared_distances(const Matrix& rows, const Matrix& columns) {
  Similarity record;
  record.row_points = std::make_shared<const Matrix>(rows);
  record.column_points = &rows == &columns ? record.row_points : std::make_shared<const Matrix>(columns);
  record.rows = rows.rows();
  record.columns = columns.rows();
  record.score = {Score::Kind::power_distance, 2, Metric::euclidean};
  return record;
}

// 0 to 15 in each of 8 columns: squared distances are whole numbers, many of them on the edges of bins.
Matrix lattice(std::int64_t rows) {
  Random random(3, Purpose::test);
  Matrix points(rows, 8);
  for (double& value : points.reshaped()) value = static_cast<double>(random.below(16));
  return points;
}

TEST(Bandwidth, OfALatticeIsTheSameWhereverItsCentreIs) {
  const Matrix points = lattice(203);
  const std::vector<std::int64_t> counts = count_distances(squared_distances(points, points), Context());
  for (const double offset : {0.1, 77.7, 1000.3}) {
    const Matrix moved = points.array() + offset;
    EXPECT_EQ(count_distances(squared_distances(moved, moved), Context()), counts) << offset;
  }
}

TEST(Bandwidth, CountsOfPartsAddUpToThoseOfTheWhole) {
  const Matrix points = lattice(203);
  std::vector<std::int64_t> sum;
  for (const auto& [first, rows] : {std::pair(0, 70), std::pair(70, 1), std::pair(71, 132)})
    for (const auto& [column, columns] : {std::pair(0, 128), std::pair(128, 75)}) {
      const auto part = count_distances(squared_distances(points.middleRows(first, rows), points.middleRows(column, columns)), Context());
      if (sum.empty()) sum.resize(part.size(), 0);
      std::transform(sum.begin(), sum.end(), part.begin(), sum.begin(), std::plus<>());
    }
  const Similarity whole = squared_distances(points, points);
  EXPECT_EQ(sum, count_distances(whole, Context()));
  EXPECT_EQ(bandwidth_of_counts(sum).scale, automatic_bandwidth(whole, Context()).scale);
}

}  // namespace
}  // namespace calor::engine

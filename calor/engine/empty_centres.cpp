#include <fmt/format.h>

#include <set>
#include <vector>

#include "calor/core/text.h"
#include "calor/engine/lloyd.h"

namespace calor::engine {

namespace {

std::size_t different_places(const Matrix& points) {
  std::set<std::vector<double>> places;  // which takes -0 and 0 for equal
  for (Eigen::Index i = 0; i < points.rows(); ++i) places.insert({points.row(i).begin(), points.row(i).end()});
  return places.size();
}

}  // namespace

std::string leave_out_empty(Centres& centres, const Matrix& points) {
  const Eigen::Index asked = centres.at.rows();
  std::vector<std::int64_t> number(static_cast<std::size_t>(asked), -1);
  for (const std::int64_t c : centres.nearest) number[c] = 0;
  Eigen::Index count = 0;
  for (Eigen::Index c = 0; c < asked; ++c) {
    if (number[c] < 0) continue;
    centres.at.row(count) = centres.at.row(c).eval();
    number[c] = count++;
  }
  if (count == asked) return "";
  centres.at.conservativeResize(count, Eigen::NoChange);
  for (std::int64_t& c : centres.nearest) c = number[c];
  const std::size_t places = different_places(points);
  return fmt::format("{} of the {} clusters {} rows: {}", count, asked, count == 1 ? "has" : "have",
                     places < static_cast<std::size_t>(asked)
                         ? "the data have only " + counted(static_cast<std::int64_t>(places), "different place")
                         : std::string("no row is nearest to the others' centres"));
}

}  // namespace calor::engine

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "calor/core/text.h"
#include "calor/engine/lloyd.h"

namespace calor::engine {

namespace {

using Places = std::set<std::vector<double>>;  // which takes -0 and 0 for equal

void add_places(const Matrix& points, std::size_t most, Places& places) {
  for (Eigen::Index i = 0; i < points.rows() && places.size() < most; ++i) places.insert({points.row(i).begin(), points.row(i).end()});
}

// How many there are, or `most`.  Every block tells the first of its own, as many numbers from each.
std::size_t different_places(const Matrix& points, std::size_t most, const OtherBlocks& others) {
  Places own, all;
  add_places(points, most, own);
  const Eigen::Index dim = points.cols();
  Vector numbers = Vector::Zero(1 + static_cast<Eigen::Index>(most) * dim);
  numbers[0] = static_cast<double>(own.size());
  Eigen::Index at = 1;
  for (const std::vector<double>& place : own) {
    std::copy(place.begin(), place.end(), numbers.begin() + at);
    at += dim;
  }
  const Matrix every = others.each(numbers);
  for (Eigen::Index block = 0; block < every.rows(); ++block)
    add_places(Eigen::Map<const Matrix>(every.row(block).data() + 1, static_cast<Eigen::Index>(every(block, 0)), dim), most, all);
  return all.size();
}

}  // namespace

std::string leave_out_empty(Centres& centres, const Matrix& points, const OtherBlocks& others) {
  const Eigen::Index asked = centres.at.rows();
  Vector taken = Vector::Zero(asked);
  for (const std::int64_t c : centres.nearest) taken[c] = 1;
  taken = others.sums(taken);
  std::vector<std::int64_t> number(static_cast<std::size_t>(asked), -1);
  Eigen::Index count = 0;
  for (Eigen::Index c = 0; c < asked; ++c) {
    if (taken[c] == 0) continue;
    centres.at.row(count) = centres.at.row(c).eval();
    number[c] = count++;
  }
  if (count == asked) return "";
  centres.at.conservativeResize(count, Eigen::NoChange);
  for (std::int64_t& c : centres.nearest) c = number[c];
  const std::size_t places = different_places(points, static_cast<std::size_t>(asked), others);
  return fmt::format("{} of the {} clusters {} rows: {}", count, asked, count == 1 ? "has" : "have",
                     places < static_cast<std::size_t>(asked)
                         ? "the data have only " + counted(static_cast<std::int64_t>(places), "different place")
                         : std::string("no row is nearest to the others' centres"));
}

}  // namespace calor::engine

#include "calor/limit/row.h"

#include <cmath>
#include <utility>

namespace calor::limit {

Row judged(Row row) {
  const auto near = [&](double value) { return std::abs(value - row.expected) <= row.tolerance; };  // false for NaN
  row.pass = near(row.measured) && row.high - row.low <= 2 * row.tolerance && row.low <= row.high;
  return row;
}

Series order_line(const Series& points, double slope, const std::string& name) {
  Series line{name, points.x, {}, true};
  const double from = points.x.back(), at = points.y.back();
  for (const double x : points.x) line.y.push_back(at * std::pow(x / from, slope));
  return line;
}

}  // namespace calor::limit

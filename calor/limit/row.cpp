#include "calor/limit/row.h"

#include <cmath>
#include <utility>

namespace calor::limit {

Row judged(Row row) {
  row.pass = row.low >= row.expected - row.tolerance && row.high <= row.expected + row.tolerance;  // false for NaN
  return row;
}

std::string verdict(const Row& row) {
  if (row.pass) return "agrees";
  const bool met = row.low <= row.expected + row.tolerance && row.high >= row.expected - row.tolerance;
  return met || !(row.low <= row.high) ? "too coarse to tell" : "disagrees";
}

Series order_line(const Series& points, double slope, const std::string& name) {
  Series line{name, points.x, {}, true};
  const double from = points.x.back(), at = points.y.back();
  for (const double x : points.x) line.y.push_back(at * std::pow(x / from, slope));
  return line;
}

}  // namespace calor::limit

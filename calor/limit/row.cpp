#include "calor/limit/row.h"

#include <cmath>
#include <utility>

namespace calor::limit {

// Enough markers to see a shape: every k-th of them, the same ones of every series of a length.
static void thin(std::vector<double>& values) {
  constexpr std::size_t enough = 400;
  const std::size_t stride = (values.size() + enough - 1) / enough;
  if (stride < 2) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < values.size(); i += stride) values[kept++] = values[i];
  values.resize(kept);
}

Row judged(Row row) {
  for (Plot& plot : row.plots)
    for (Series& series : plot.series) {
      if (series.line) continue;
      thin(series.x);
      thin(series.y);
    }
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

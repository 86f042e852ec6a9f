// A row of the laboratory: one number that a theorem predicts, beside the same number measured.
//
// The predictions are gathered in ClosedForms, as values and functions, so that a wrong one can be put in: the row that
// depends on it must then fail.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace calor::limit {

// What the theorems say, with S = softmax(-f / (2 eps)) over points of density p on an n-dimensional manifold.
struct ClosedForms {
  // (2/eps)(S - I) h -> Lap h + drift(alpha) <grad log p, grad h>, alpha the exponent of the density normalisation.
  std::function<double(double alpha)> drift = [](double alpha) { return 2 * (1 - alpha); };
  // An attention layer is an Euler step of length step * eps.
  double step = 0.5;
  // Lengths multiplied by m multiply the Laplacian by m^metric_power.
  double metric_power = -2;
  // Heat capacity of the flow under the metric p^(4/(n-2)) g, n != 2.
  std::function<double(double density, int dimension)> capacity = [](double density, int dimension) {
    return std::pow(density, -4.0 / (dimension - 2));
  };
  // The flow conserves the integral of p^conserved_power h.
  double conserved_power = 2;
  // Factor of the term with third derivatives, - C^-1 (d : C^-1), in the drift of a general score.
  double third_derivatives = 1;
  // Time of the heat flow after the jump, in units of eps, for dot-product attention on a sphere of this radius.
  std::function<double(double radius, double query_norm)> jump_time = [](double radius, double query_norm) { return radius / query_norm; };
  // Where the minimisers of f form the set y'By = const, the weight on it is p |By|^-set_power.
  double set_power = 1;
};

struct Series {
  std::string name;
  std::vector<double> x, y;
  bool line = true;  // else markers
};

struct Plot {
  std::string title, x_title, y_title;
  bool x_log = false, y_log = false;
  std::vector<Series> series;
};

struct Row {
  std::string name;     // unique: "circle bias order"
  std::string group;    // what `calor limit NAME` selects: "circle"
  std::string theorem;  // "T1"
  std::string meaning;  // one sentence
  double expected = 0, measured = 0;
  double low = 0, high = 0;  // interval of the measured value, 95 % where it is one of chance
  double tolerance = 0;      // see judged()
  bool pass = false;
  std::vector<Plot> plots;
};

struct Settings {
  ClosedForms theory;
  std::vector<std::int64_t> points;  // ladder of the random point sets; empty: each group's own
  std::vector<double> epsilon;       // their ladder of eps; empty: each group's own
  int seeds = 16;                    // random point sets of each size
  std::int64_t queries = 2000;       // points at which operators are compared; a tenth of them where each takes an integral in space
  std::uint64_t seed = 0;
};

// Fills `pass`: the whole interval lies within `tolerance` of the expected value.  A measurement too coarse to tell does not pass.
// Keeps at most 400 markers of each series for the pictures.
Row judged(Row row);

// "agrees", "disagrees" (the interval lies apart from the expected value), or "too coarse to tell" (it reaches there and beyond).
std::string verdict(const Row& row);

// The line c x^slope through the last of `points`, over their range: what the theory's order looks like beside them.
Series order_line(const Series& points, double slope, const std::string& name);

}  // namespace calor::limit

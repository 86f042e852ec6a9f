// The empirical generator on points of which nothing is known: their dimension, density, and where an attention layer is a
// step of heat flow.
//
// For a sample of the points as queries x_i and all N points as keys, with w_ij = exp(-|x_i - x_j|^2 / (2 eps)), over a ladder of
// eps from below the distances of nearest neighbours to above the greatest distance:
//   dimension  2 d log sum_ij w_ij / d log eps, self pairs left out; its greatest value, where rows have five neighbours or more,
//              estimates the dimension of the data, and the eps there is a bandwidth (Coifman, Shkolnisky, Sigworth & Singer 2008)
//   change     root mean square of S h - h over the deviation of h: what one layer does
//   order      d log change / d log eps: 1 where a layer is an Euler step of length eps/2, as T3 says; more where rows see hardly
//              any neighbour but themselves, less where they average over the data at large
//   neighbours the median of 1 / sum_j S_ij^2
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/limit/regression.h"
#include "calor/limit/row.h"

namespace calor::limit {

struct AtEpsilon {
  double epsilon = 0, dimension = 0, change = 0, order = 0, neighbours = 0;
};

struct OwnPoints {
  std::int64_t points = 0, columns = 0, queries = 0;
  std::vector<AtEpsilon> curve;      // ascending in eps
  AtEpsilon half;                    // at eps = 1/2, attention's own
  AtEpsilon steepest;                // at the bandwidth
  Estimate dimension_by_neighbours;  // maximum likelihood from distances to nearest neighbours (Levina & Bickel 2004)
  double linear_low = 0, linear_high = 0;  // eps with an order from 0.8 to 1.2 and 5 neighbours or more, around where it is 1; else NaN
  std::vector<double> density;       // one per query, over their median, at the bandwidth
  std::vector<double> before, after; // h and S h at the queries, at eps = 1/2
};

// rows: [points][columns]; h: one value per point.  O(queries points (columns + ladder)) time with queries <= 1000 drawn by the seed,
// O(points (columns + threads)) memory.  The same bits for any number of threads.
// Throws Fault::input for fewer than 10 points, points that are all the same, or a constant h; Fault::memory; Fault::interrupted on a stop.
OwnPoints own_points(std::span<const double> rows, std::int64_t columns, std::span<const double> h, std::uint64_t seed, const Context& context);

// What was found, in sentences; the first is the verdict on eps = 1/2.
std::vector<std::string> findings(const OwnPoints& found);

// The curves, the density and the function before and after a layer.
std::vector<Plot> plots(const OwnPoints& found);

}  // namespace calor::limit

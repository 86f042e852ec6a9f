// What was measured on points of one's own, in words and pictures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calor/analyse/statistics.h"
#include "calor/limit/own_points.h"

namespace calor::limit {
namespace {

std::string about_half(const OwnPoints& found) {
  const AtEpsilon& half = found.half;
  const std::string does = fmt::format("with eps = 1/2 one layer changes the function by {:.3g} % of its deviation and a row has {:.4g} "
                                       "effective neighbours",
                                       100 * half.change, half.neighbours);
  if (std::isnan(found.linear_low))
    return fmt::format("No eps is in the linear regime: nowhere does a layer's change grow like eps, which takes more points or a smoother "
                       "function; {}.",
                       does);
  if (half.epsilon >= found.linear_low && half.epsilon <= found.linear_high)
    return fmt::format("Attention's own eps = 1/2 is in the linear regime: a layer is an Euler step of heat flow; {}.", does);
  if (half.epsilon > found.linear_high)
    return fmt::format("Attention's own eps = 1/2 is {:.3g} times above the linear regime: a layer averages at large, it is no small step of "
                       "heat flow; {}.",
                       half.epsilon / found.linear_high, does);
  return fmt::format("Attention's own eps = 1/2 is {:.3g} times below the linear regime: rows hardly see their neighbours; {}.",
                     found.linear_low / half.epsilon, does);
}

Series series(const OwnPoints& found, const std::string& name, double AtEpsilon::*what) {
  Series one{name, {}, {}, true};
  for (const AtEpsilon& at : found.curve) {
    one.x.push_back(at.epsilon);
    one.y.push_back(at.*what);
  }
  return one;
}

Series mark(const std::string& name, const AtEpsilon& at, double AtEpsilon::*what) { return {name, {at.epsilon}, {at.*what}, false}; }

}  // namespace

std::vector<std::string> findings(const OwnPoints& found) {
  std::vector<std::string> list{about_half(found)};
  if (!std::isnan(found.linear_low))
    list.push_back(fmt::format("The linear regime (a layer's change goes like eps to the power 0.8 to 1.2, and rows have five neighbours or more) "
                               "reaches from eps = {:.3g} to {:.3g}; "
                               "multiplying the points by {:.3g} brings its middle to 1/2.",
                               found.linear_low, found.linear_high, std::sqrt(0.5 / std::sqrt(found.linear_low * found.linear_high))));
  list.push_back(fmt::format("The points have {:.3g} dimensions by the kernel's sum, at its steepest eps = {:.3g}, and {:.3g} ({:.3g} to {:.3g}) by "
                             "their nearest neighbours, in {} column{}.",
                             found.steepest.dimension, found.steepest.epsilon, found.dimension_by_neighbours.value,
                             found.dimension_by_neighbours.low, found.dimension_by_neighbours.high, found.columns, found.columns == 1 ? "" : "s"));
  const double low = analyse::quantile(found.density, 0.05), high = analyse::quantile(found.density, 0.95);
  list.push_back(fmt::format("There the density of nine tenths of the points spans a factor of {:.3g}: what the drift 2 grad log p pulls on.",
                             high / low));
  return list;
}

std::vector<Plot> plots(const OwnPoints& found) {
  Plot change{"Change in one layer", "eps", "change over the function's deviation", true, true,
              {series(found, "measured", &AtEpsilon::change), mark("eps = 1/2", found.half, &AtEpsilon::change)}};
  change.series.push_back({"order 1", {}, {}, true});
  const double slope = found.steepest.change / found.steepest.epsilon;
  for (const AtEpsilon& at : found.curve)
    if (slope * at.epsilon <= 2 && slope * at.epsilon >= found.curve.front().change) {
      change.series.back().x.push_back(at.epsilon);
      change.series.back().y.push_back(slope * at.epsilon);
    }
  const Plot order{"Order of that change in eps", "eps", "order", true, false,
                   {series(found, "measured", &AtEpsilon::order), mark("eps = 1/2", found.half, &AtEpsilon::order)}};
  const Plot dimension{"Bandwidth curve", "eps", "dimension", true, false,
                       {series(found, "2 d log sum / d log eps", &AtEpsilon::dimension), mark("steepest", found.steepest, &AtEpsilon::dimension)}};
  const Plot neighbours{"Effective neighbours of a row", "eps", "neighbours", true, true,
                        {series(found, "median", &AtEpsilon::neighbours), mark("eps = 1/2", found.half, &AtEpsilon::neighbours)}};
  Series shares{"points", {}, found.density, true};
  std::sort(shares.y.begin(), shares.y.end());
  for (std::size_t i = 0; i < shares.y.size(); ++i) shares.x.push_back((static_cast<double>(i) + 0.5) / static_cast<double>(shares.y.size()));
  const Plot density{"Density", "share of the points", "density over its median", false, true, {shares}};
  const auto [least, most] = std::minmax_element(found.before.begin(), found.before.end());
  const Plot function{"Function before and after a layer, eps = 1/2", "before", "after", false, false,
                      {{"points", found.before, found.after, false}, {"unchanged", {*least, *most}, {*least, *most}, true}}};
  return {change, order, dimension, neighbours, density, function};
}

}  // namespace calor::limit

// Where a token is carried before it diffuses, and for how long it then diffuses (T5): the minimiser y*(x) of the score.
//
//   dot products, tokens on a sphere of radius r:  w = scale Wk' q(x),  y* = r w / |w|,  time = eps r / |w|,  eps = 1/2;
//                                                  concentration r |w| of the weights exp(w.y) around y*
//   squared distances with tied sides:             y* = x, and eps = 1 / (2 scale) in the head's own metric
#pragma once

#include <optional>

#include "calor/inspect/head.h"

namespace calor::inspect {

struct SphereJump {
  double radius = 0;
  double angle = 0;              // mean angle between x and y*, in degrees
  double time = 0;               // median of eps r / |w|, relative to r^2
  double concentration = 0;      // median of r |w|
  double in_regime = 0;          // share of tokens whose concentration exceeds the sphere's dimension: the expansion means nothing else
  std::int64_t dimension = 0;    // of the sphere
};

// Nothing for other scores and for tokens whose norms differ by more than 1 %.  For rotary positions at equal positions.
std::optional<SphereJump> sphere_jump(const Head& head, const Matrix& tokens);

// 1 / (2 scale) relative to the mean squared distance between tokens in the metric; nothing for other scores.
std::optional<double> metric_epsilon(const Head& head, const Features& features);

}  // namespace calor::inspect

// What match can make low-dimensional points match: a family, which says what the points' own similarity is, and its loss.
#pragma once

#include <cstdint>
#include <string_view>

#include "calor/engine/csr.h"
#include "calor/engine/point_tree.h"
#include "calor/engine/solve/rational_descent.h"
#include "calor/engine/solve/student_loss.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"

namespace calor::propagate {

struct MatchFamily {
  std::string_view family, loss;
  // As of a stage (stage.h).
  void (*run)(pipeline::State&, const pipeline::Arguments&, pipeline::Kept&, const Context&);
  void (*place)(pipeline::State&, const pipeline::Arguments&, const pipeline::Kept&, const Context&);
  void (*estimate)(pipeline::Estimate&, const pipeline::Arguments&);
  void (*outline)(pipeline::Outline&, const pipeline::Arguments&);
};

extern const MatchFamily distance_family, student_family, gaussian_family, rational_family;

// max_iterations, or the family's own number where it is auto.  Throws Fault::usage for a number that is not whole.
std::int64_t match_steps(const pipeline::Arguments& arguments, std::int64_t usual);

// The refusal of distances, where similarities are asked for.  `before` is what to put in between.
void require_strengthened(const pipeline::Outline& outline, std::string_view before);

// The similarity's values as a graph that is symmetric, without a pair of a point with itself and without values of 0.  Throws Fault::usage
// where values are not the same both ways, Fault::input for a negative one and for a point that no other is similar to.
engine::Csr symmetric_weights(const engine::Similarity& similarity, const Context& context);
// The same of some rows from `first` on, of values and those of the other direction.
engine::Csr symmetric_weights(const engine::Csr& given, const engine::Csr& turned, std::int64_t first);

// Points to begin a descent at, N x dims: `start` is a word of match's parameter; auto is principal components of dense points, or the
// graph's slow modes where there are none or `by_graph`.  The graph is symmetric; null: made of the similarity where it is needed.
engine::Matrix match_start(const pipeline::State& state, const pipeline::Arguments& arguments, const engine::Csr* graph, bool by_graph,
                           const Context& context);

// The map of match(student, kl) of symmetric weights P, whose rows may be a share of all (engine/solve/student_loss.h); `sum`: of all of them, which must be 1.
// `place` is where the points begin (match_start), scaled and shaken here.  The state gets the map, its loss and the series of losses.
void match_student(pipeline::State& state, const pipeline::Arguments& arguments, pipeline::Kept& kept, const engine::Csr& p, double sum, engine::Matrix place, const Context& context,
                   const engine::MapShare& share = {});

// The map of match(rational, cross_entropy) of symmetric weights of all rows, likewise; `place` is not yet scaled.
void match_rational(pipeline::State& state, const pipeline::Arguments& arguments, pipeline::Kept& kept, const engine::Csr& weights, engine::Matrix place, const Context& context,
                    const engine::MoveShare& share = {});

// A new point among the fixed ones: its similar points with their shares, values over their sum, and all points, far ones in groups.
struct PlacedPoint {
  const engine::Matrix& fixed;
  const std::int32_t* columns;
  const double* shares;
  std::int64_t count;
  double sum;  // of the values
  const engine::SeenPoints& others;
};

// New points one by one: row i of the similarity gives the loss of a place y with its gradient.  Each begins at its neighbours' mean or at the most similar
// one, whichever has the lower loss; one that coincides with a point of the fit is that point, and one without a similar point is out of reach.  Points in groups that
// are no wider than `angle` of their distance count as so many at their mean (engine/point_tree.h): 0 where the similarity falls faster than a power.
using PlaceLoss = double (*)(const PlacedPoint& point, const pipeline::Arguments& arguments, const pipeline::Kept& kept, const double* y, double* gradient);
inline constexpr double seen_angle = 0.3;  // for a similarity like 1 / d^2
void place_each(pipeline::State& state, const pipeline::Arguments& arguments, const pipeline::Kept& kept, PlaceLoss loss, double angle, const Context& context);

}  // namespace calor::propagate

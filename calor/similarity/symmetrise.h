// Making a similarity on a graph the same in both directions.
#pragma once

#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"

namespace calor::similarity {

// The union of fuzzy sets, of memberships in 0..1.
inline double fuzzy_union(double forward, double backward) { return forward + backward - forward * backward; }

// combine(forward, backward) on the union of both directions, 0 for an absent one.  A similarity that is symmetric already
// stays as it is, its factors included, when `keeps_symmetric` says that combine(v, v) = v.
void symmetrise(pipeline::State& state, double (*combine)(double, double), bool keeps_symmetric, const Context& context);

void estimate_symmetrised(pipeline::Estimate& estimate, const pipeline::Arguments&);

// The check and the outline of that; `op` names the stage.
void outline_symmetrised(pipeline::Outline& outline, const char* op, bool keeps_symmetric);

// For new points: forward are their own edges, backward those of the fit's points that would reach them.  Where the values say
// nothing about those (stored ones, or a scale for each row) the new points' own edges stand as they are.
void symmetrise_new(pipeline::State& state, double (*combine)(double, double), const Context& context);

}  // namespace calor::similarity

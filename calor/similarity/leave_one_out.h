// What the stages exp(loo), two_side(loo) and standardise(loo) share: what is known of the columns, and the report of a choice
// (engine/leave_one_out.h).
#pragma once

#include "calor/engine/leave_one_out.h"
#include "calor/pipeline/state.h"

namespace calor::similarity {

// What the record's columns are known to be: classes where the data have them, else values.
// Throws Fault::input, [op], where the label of a column is not known.
engine::Known known_columns(const engine::Similarity& similarity, const pipeline::Data& data, const char* op);

// How many passes over all values (Estimate::pass) a choice takes: with exponents, measured on 60,000 rows of 64 features; and without.
inline constexpr double leave_one_out_passes = 4, leave_one_out_bytes = 20 * 16;  // bytes per key: two doubles and a float at each of about 16 scales

// What a stage reports of a choice: figures "leave_one_out" and "judged", series "leave_one_out_scale", "leave_one_out_plain" (the
// likelihood at each scale with alpha 0) and, with several alphas, "leave_one_out_likelihood" (with the chosen one).
void report(const engine::LeaveOneOut& found, pipeline::State& state);

}  // namespace calor::similarity

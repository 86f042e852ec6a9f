// What every stage that starts a record has in common: which rows meet which columns.
#pragma once

#include <string>

#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"

namespace calor::similarity {

// The words of a parameter "to": the points themselves, all data rows, the labelled training rows, or (the same as data,
// said of memories) the patterns.
inline constexpr const char* to_words = "points|data|train|patterns";

// Puts a record of `score` into the state: on the state's graph where there is one, else over all pairs of its points and
// the columns that `to` names.  Columns that are not the data's features are kept for new points.
void initialise(pipeline::State& state, const engine::Score& score, const std::string& to, pipeline::Kept& kept);

// The same for new points: the columns are those of the fit.
void initialise_new(pipeline::State& state, const engine::Score& score, const std::string& to, const pipeline::Kept& kept);

// The outline of such a record.
void outline_scores(pipeline::Outline& outline, pipeline::Outline::Scores scores, const std::string& to);

// What columns of that kind ask of the data.
pipeline::Wants wants_by(const std::string& to);

engine::Metric metric_of(const std::string& word);

// The refusal of a metric by data that are distances (why_dense of stage.h); "" where there is none.
std::string_view other_metric(pipeline::Form form, const pipeline::BoundStage& bound);

// Stores the scores of a graph's edges: minus the distance less that to the row's nearest neighbour at another place, to the power.
void count_from_nearest(engine::Similarity& record, double power, const Context& context);

}  // namespace calor::similarity

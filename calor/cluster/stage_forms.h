// The stages that run on rows in blocks, as the table of stages.cpp names them: similarities (similarity_stages.cpp) and what flows along them
// (propagate_stages.cpp).
#pragma once

#include "calor/cluster/stages.h"

namespace calor::cluster {

void run_knn(Part& part, const pipeline::BoundStage& bound);
void run_score(Part& part, const pipeline::BoundStage& bound);
void run_indicator(Part& part, const pipeline::BoundStage& bound);
void run_exp(Part& part, const pipeline::BoundStage& bound);
void run_two_side(Part& part, const pipeline::BoundStage& bound);
void run_row(Part& part, const pipeline::BoundStage& bound);
void run_symmetrise(Part& part, const pipeline::BoundStage& bound);

// Maps (map_stages.cpp).
void run_global(Part& part, const pipeline::BoundStage& bound);
void run_match(Part& part, const pipeline::BoundStage& bound);

void run_eigen(Part& part, const pipeline::BoundStage& bound);
void run_vote(Part& part, const pipeline::BoundStage& bound);
void run_average(Part& part, const pipeline::BoundStage& bound);
void run_adjacency(Part& part, const pipeline::BoundStage& bound);
void run_restart(Part& part, const pipeline::BoundStage& bound);
void run_repeat(Part& part, const pipeline::BoundStage& bound);

// Stages of centres (centre_stages.cpp).
void run_centres(Part& part, const pipeline::BoundStage& bound);
void run_cluster(Part& part, const pipeline::BoundStage& bound);
void run_assign(Part& part, const pipeline::BoundStage& bound);
void run_distance_of_centres(Part& part, const pipeline::BoundStage& bound);
void run_best_of_centres(Part& part, const pipeline::BoundStage& bound);
void run_row_of_centres(Part& part, const pipeline::BoundStage& bound);
void run_apply_of_centres(Part& part, const pipeline::BoundStage& bound);

// The score that distance or dot asks for.
engine::Score score_of(const pipeline::BoundStage& bound);

// Rows over their sums, by these logarithms; a row whose sum is 0 stays as it is.  How many do, of all; said in a note of `row` where some do.
std::int64_t divide_rows(engine::Similarity& record, const Vector& log_sums);
void note_empty_rows(pipeline::State& state, std::int64_t empty, std::int64_t rows);

// Divides the rows of the state's record by their sums; how many of all rows are empty.
std::int64_t normalise_rows(Part& part);

}  // namespace calor::cluster

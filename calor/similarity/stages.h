// The stages that say what is similar: support, initialise, strengthen, normalise.  One file each.
#pragma once

#include "calor/pipeline/stage.h"

namespace calor::similarity {

extern const pipeline::Stage standardise_stage, knn_stage, radius_stage, mutual_stage, adjacency_stage, self_loops_stage, centres_stage;
extern const pipeline::Stage distance_stage, dot_stage, cosine_stage, kernel_stage, indicator_stage, local_weights_stage, geodesic_stage,
    double_center_stage, score_stage;
extern const pipeline::Stage exp_stage, inflate_stage, best_stage;
extern const pipeline::Stage row_stage, column_stage, two_side_stage, sinkhorn_stage, global_stage, mean_stage, union_stage, supervise_stage;
extern const pipeline::Stage tune_stage;

}  // namespace calor::similarity

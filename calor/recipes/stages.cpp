#include "calor/propagate/stages.h"
#include "calor/recipes/recipes.h"
#include "calor/similarity/stages.h"

namespace calor::recipes {

const pipeline::StageList& all_stages() {
  using namespace similarity;
  using namespace propagate;
  static const pipeline::StageList stages{
      &standardise_stage, &knn_stage, &radius_stage, &mutual_stage, &adjacency_stage, &self_loops_stage, &centres_stage,
      &distance_stage, &dot_stage, &cosine_stage, &kernel_stage, &indicator_stage, &local_weights_stage, &geodesic_stage, &double_center_stage, &score_stage,
      &exp_stage, &inflate_stage, &best_stage,
      &row_stage, &column_stage, &two_side_stage, &sinkhorn_stage, &global_stage, &mean_stage, &union_stage, &supervise_stage,
      &tune_stage, &apply_stage, &restart_stage, &repeat_stage, &expand_stage, &heat_stage, &heat_signature_stage, &implicit_stage,
      &eigen_stage, &match_stage, &weigh_stage, &components_stage, &vote_stage, &average_stage, &assign_stage, &memberships_stage, &cluster_stage};
  return stages;
}

}  // namespace calor::recipes

// The stages through which information flows along a similarity, and those that read a result out.  One file each.
#pragma once

#include "calor/pipeline/stage.h"

namespace calor::propagate {

extern const pipeline::Stage weigh_stage, apply_stage, restart_stage, repeat_stage, expand_stage, heat_stage, heat_signature_stage, implicit_stage;
extern const pipeline::Stage eigen_stage, match_stage, components_stage, vote_stage, average_stage, assign_stage, memberships_stage, cluster_stage;

// What a surface's Laplacian may be made of: a parameter's meaning.
inline constexpr std::string_view laplacian_weights =
    "robust: of the intrinsic Delaunay triangulation (10.1111/cgf.14069); cotangent: of the triangles as they are, as DiffusionNet's published networks have it";

}  // namespace calor::propagate

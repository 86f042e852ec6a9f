// Instruction sets: the list of those built in, and the choice among them (isa_names, isa_name and force_isa of
// attention.h).
#pragma once

#include <string>
#include <vector>

#include "calor/kernels/tables.h"
#include "calor/kernels/tiles.h"

namespace calor::kernels {

struct Isa {
  std::string name;
  const Tiles* tiles;  // attention; null for "scalar", which has no tiles
  Tables tables;
  const TilesOf<Bf16>* bf16 = nullptr;  // attention over rows of bfloat16; null where they are computed as floats
  const Products& products() const { return *tables.products; }
  const Softmax& softmax() const { return *tables.softmax; }
  const Gaussian& gaussian() const { return *tables.gaussian; }
  const Paths& paths() const { return *tables.paths; }
  const Symmetric& symmetric() const { return *tables.symmetric; }
  const Descents& descents() const { return *tables.descents; }
  const WalkSums& walk_sums() const { return *tables.walk_sums; }
  const WorkingSet& working_set() const { return *tables.working_set; }
  const Edges& edges() const { return *tables.edges; }
  const MetricSteps& metric_steps() const { return *tables.metric_steps; }
  const DenseSteps& dense_steps() const { return *tables.dense_steps; }
};

// Those that this machine can run, slowest first; "scalar" is always there.
const std::vector<Isa>& runnable_isas();

// The one in use; see isa_name().
const Isa& current_isa();

}  // namespace calor::kernels

// Instruction sets: the list of those built in, and the choice among them (isa_names, isa_name and force_isa of
// attention.h).
#pragma once

#include <string>
#include <vector>

#include "calor/kernels/all_pairs.h"
#include "calor/kernels/pairs.h"
#include "calor/kernels/tiles.h"

namespace calor::kernels {

struct Descents;  // descents.h

struct Isa {
  std::string name;
  const Tiles* tiles;  // null for "scalar", which has no tiles
  const Pairs* pairs;
  const AllPairs* all_pairs;
  const Descents* descents;
};

// Those that this machine can run, slowest first; "scalar" is always there.
const std::vector<Isa>& runnable_isas();

// The one in use; see isa_name().
const Isa& current_isa();

}  // namespace calor::kernels

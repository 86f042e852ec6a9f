// Eigenpairs that a solver is looking for, as they are kept in a folder (checkpoint.h).
#pragma once

#include <string>

#include "calor/cluster/checkpoint.h"
#include "calor/cluster/part.h"

namespace calor::cluster {

// What a solver has after some restarts of its basis.
struct PairsSoFar {
  std::int64_t restarts = 0;
  Vector values;   // of the pairs that have converged, the largest first
  Matrix vectors;  // own rows x those
  Matrix others;   // own rows x the other vectors that the basis was restarted with: approximations, the largest first
};

// Of one call of the solver, whose rows may be fewer than the data's.  Both functions are called by all processes together.
class KeptPairs {
 public:
  KeptPairs(Part& part, int call) : part_(part), call_(call) {}

  // What an earlier run has left after most restarts, whatever its blocks were; empty where there is nothing whole.  Says in a note what it is.
  PairsSoFar begin(const Blocks& rows, std::int64_t looked_for) const;
  // Where it is due in some process, or `at_end`: one file a process, and what was kept after fewer restarts goes once all have written theirs.
  void keep(const Blocks& rows, const std::function<PairsSoFar()>& so_far, bool at_end) const;

 private:
  std::string prefix() const;

  Part& part_;
  int call_;
};

}  // namespace calor::cluster

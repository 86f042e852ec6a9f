// The slow modes of a head: eigenvalues of S near 1, and the groups of tokens among which information stays for long.
#pragma once

#include <complex>
#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/inspect/rows.h"

namespace calor::inspect {

struct Modes {
  // Of largest modulus, descending, 1 first; at most `count` (a complex pair counts as two and stays together).
  std::vector<std::complex<double>> eigenvalues;
  bool converged = true;
  double gap = 0;              // 1 - |second eigenvalue|
  // Modes before the widest relative step of the timescale -1/log|lambda|, counted with the constant one; 1 where no other mode has
  // |lambda| >= slow_modulus or no step is least_step wide.  `step`: the ratio of the timescales across the widest.
  std::int64_t slow = 1;
  double step = 0;
  std::vector<std::int64_t> clusters;  // one per token: 0 .. slow - 1, the largest first
  Matrix vectors;                      // N x slow: a real basis of the slow right eigenvectors
  static constexpr double slow_modulus = 0.5, least_step = 2;
};

// Dense below 256 tokens, else Arnoldi with implicit restarts (Spectra) on streamed products; `converged` is false where more
// slow modes than those found may exist.  Clusters: the inner simplex algorithm on the slow eigenvectors (Weber and
// Galliat 2002; Deuflhard and Weber 2005).
Modes modes_of(const AttentionRows& rows, std::int64_t count, const Context& context);

}  // namespace calor::inspect

// Leading eigenpairs of symmetric operators whose rows are in blocks, by SLEPc's Krylov-Schur solver.
#pragma once

#include <cstdint>
#include <functional>

#include "calor/cluster/kept_pairs.h"
#include "calor/cluster/processes.h"
#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/solve/eigenpairs.h"

namespace calor::cluster {

// What engine::largest_pairs says, of all rows and the same in every process: vectors are n x k, and `known` is n x c.  An operator of fewer than
// 200 rows is solved by that function in every process.  A pair is accepted when |A v - lambda v| is at most 1e-12 |lambda|, or 1e-14 of the
// largest where that is more.  Throws Fault::convergence.
// What `kept` has of an earlier run is not looked for again, and what is found meanwhile is kept after restarts of the basis.
// `product` maps the own rows of x to those of A x; called by all processes together.
using Product = std::function<Vector(const Vector& own)>;
engine::Pairs largest_pairs(const Processes& processes, const Blocks& rows, const Product& product, std::int64_t k, const Matrix& known, const KeptPairs& kept, const Context& context);

// Of a graph's symmetric values, own rows x all columns: PETSc sends only the entries of x that a process's edges lead to.
engine::Pairs largest_pairs(const Processes& processes, const Blocks& rows, const engine::Csr& own, std::int64_t k, const Matrix& known, const KeptPairs& kept, const Context& context);

// What PETSc itself has handed to MPI in this process.
Traffic solver_traffic();

// Ends SLEPc, where a solver has begun it; before MPI ends.
void end_solver();

}  // namespace calor::cluster

// Heat on a surface by one implicit step: stable for any time, and without eigenvectors.
#pragma once

#include "calor/core/progress.h"
#include "calor/engine/matrix.h"
#include "calor/engine/mesh_laplacian.h"

namespace calor::engine {

// (mass + t stiffness)^-1 b, for each column of b [nodes x columns] its own time t >= 0: with b = mass f one backward Euler step of df/dt = -mass^-1 stiffness f.
// Symmetric in b, so that the same solve gives gradients.  Nodes without mass are left at 0.
// A sparse Cholesky factorisation of each time that differs, one at a time: O(fill) memory, reserved.  One thread.
// Throws Fault::memory before the first factorisation; Fault::convergence where a pivot is not positive: the mesh has slivers.
Matrix implicit_heat(const MeshLaplacian& laplacian, const Matrix& b, const Vector& times, const Context& context);

}  // namespace calor::engine

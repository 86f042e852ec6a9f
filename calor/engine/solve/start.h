// Where a descent begins: principal components of the points, or the slow modes of the graph.
#pragma once

#include <cstdint>

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/matrix.h"

namespace calor::engine {

// The leading principal components, N x dims; columns that the points do not have are 0.  O(N d) a Lanczos step, or N d^2 once in few
// dimensions.  The same bits for any number of threads.
Matrix principal_start(const Matrix& points, std::int64_t dims, const Context& context);

// The slowest modes of the random walk on a symmetric graph of weights of at least 0, N x dims, each within [-1, 1]: the leading
// eigenvectors of D^-1/2 W D^-1/2 but the known one, as they are (umap-learn's start).  A component is laid out on its own in its cell of a
// grid, the largest first.  Loose: a start needs no digits.
Matrix spectral_start(const Csr& graph, std::int64_t dims, const Context& context);

// Adds normal numbers of that deviation, drawn by (seed, row): points that coincide come apart, empty columns fill.
void shake(Matrix& points, double deviation, std::uint64_t seed);

// Scales all columns by one factor so that the first has this standard deviation; the mean becomes 0.
void scale_to(Matrix& points, double deviation);

}  // namespace calor::engine

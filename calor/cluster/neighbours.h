// Exact nearest neighbours of rows in blocks.
#pragma once

#include "calor/cluster/part.h"
#include "calor/engine/neighbours.h"

namespace calor::cluster {

// What `nearest` (engine/neighbours.h) says of all rows, for the own rows: each block of rows comes round the ring, engine::nearest finds the k nearest
// in it, and lists are merged by the numbers that it orders them by (order_of), ties to the lower column.  `allowed`: all rows of the data.
// O(own rows k) memory beside the blocks.  Of dense points, euclidean or cosine.  What has been found is kept where the run has a checkpoint, and what one
// has is not looked for again; with all of it no block is sent.
engine::Csr nearest(Part& part, const engine::NeighbourOptions& options);

}  // namespace calor::cluster

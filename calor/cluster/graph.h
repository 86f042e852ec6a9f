// Graphs whose rows are in blocks.
#pragma once

#include "calor/cluster/part.h"
#include "calor/engine/csr.h"

namespace calor::cluster {

// The own rows of the transposed graph, of own rows against all columns of a square one.  Every edge goes to the process that has its column's row.
engine::Csr transpose_rows(const Part& part, const engine::Csr& own);

// The components of the whole graph, the same in every process: each joins its own edges and sends what tells them apart, one edge a row at most.
engine::Components components(const Part& part, const engine::Csr& own);

// Scores of the own rows' edges, by the score of a record without points: the points of the edges' columns come round the ring.
engine::Csr scores_on_edges(const Part& part, const engine::Csr& own, const engine::Score& score);

// The whole graph, in the first process alone; empty in the others.
engine::Csr graph_in_first(const Part& part, const engine::Csr& own);

// The same in all of them.  16 bytes an edge are sent by its process; fewer than 2^31 bytes in all.
engine::Csr graph_in_all(const Part& part, const engine::Csr& own);

}  // namespace calor::cluster

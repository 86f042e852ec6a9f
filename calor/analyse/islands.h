// The islands of an embedding, and whether they are groups of the data: a group that was torn lies in two of them, groups that were glued lie in one.  And how far neighbours
// are the same in several embeddings.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/record.h"

namespace calor::analyse {

struct IslandOptions {
  std::int64_t neighbours = 15;  // fewer where that is not below half of the points
  double reach = 3;              // of a bridge, in median distances to the last of these neighbours
  double least_share = 0.01;     // of all points that an island or a part of one has at least; never fewer than `neighbours` + 1
  double torn_from = 0.1;
};

// Numbers of islands go by size, the largest is 0.
struct Islands {
  std::vector<std::int64_t> island;  // of each point; -1: it lies outside of all
  std::vector<std::int64_t> sizes;
  // So many of the smaller one's nearest neighbours in the data lie on the other: `share` of them, at least torn_from.  Descending by share.
  struct Torn {
    std::int64_t smaller, other;
    double share;
  };
  std::vector<Torn> torn;
  // Parts of an island that no neighbours of each other in the data join: their sizes, two or more, descending.
  struct Glued {
    std::int64_t island;
    std::vector<std::int64_t> parts;
  };
  std::vector<Glued> glued;
  std::vector<double> kept;  // of each point the share of its nearest neighbours in the data that are among its nearest in the embedding
};

// Of each point, the share of its `neighbours` nearest in `embedding` that are among its nearest in the others too: a mean over these, one or more.  O(N^2 d) time each.
std::vector<double> neighbours_shared(const engine::Matrix& embedding, const std::vector<engine::Matrix>& others, std::int64_t neighbours, const Context& context);

// Whether the neighbours of a graph can stand for those in the data: at least 10 of every row.
inline constexpr std::int64_t least_neighbours = 10;
bool serves_islands(const engine::Csr& graph);

// An island: points of the embedding joined by pairs that are among each other's nearest and not farther apart than the reach.  Neighbours in the data are the nearest of `graph`, or of
// all points where it is null.  O(N^2 d) time for exact nearest neighbours in the embedding (of few dimensions), and in the data without a graph; O(N k)
// memory.  Rows are finite and as many in both.
Islands islands(const engine::Matrix& input, const engine::Matrix& embedding, const engine::Csr* graph, const IslandOptions& options, const Context& context);

}  // namespace calor::analyse

// Lengths of shortest paths from a few sources at once, one source a lane.
//
// Nodes are visited in the order in which one source of the neighbourhood reaches them: nearby sources reach the others in almost the
// same order, so that each node's edges are looked at about three times for all lanes together (Fashion-MNIST, 15 neighbours),
// where a heap would look at them once for each.  The result is the least sum of lengths from the source along any path,
// rounded as it is added up, whatever the order: the same bits as Dijkstra's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace calor::kernels {

inline constexpr std::int64_t path_lanes = 8;

// Edges e of node i, begin[i] <= e < begin[i + 1], to column[e]; every edge has its reverse; lengths are at least 0.
struct PathGraph {
  std::int64_t nodes = 0;
  const std::int64_t* begin = nullptr;
  const std::int32_t* column = nullptr;
  const double* length = nullptr;
};

// The nodes that `source` reaches, nearest first (Dijkstra): O(edges log nodes).
std::vector<std::int32_t> settling_order(const PathGraph& graph, std::int64_t source);

// reached[node][lane]: the length of the shortest path from sources[lane], infinity where there is none (and for lanes without a
// source).  `order` must hold every node that a source reaches.
void shortest_paths(const PathGraph& graph, std::span<const std::int32_t> sources, std::span<const std::int32_t> order, double* reached);

}  // namespace calor::kernels

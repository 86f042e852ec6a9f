#include "calor/kernels/paths.h"

#include <algorithm>
#include <limits>
#include <queue>

#include "calor/kernels/isa.h"

namespace calor::kernels {

static constexpr double far = std::numeric_limits<double>::infinity();

std::vector<std::int32_t> settling_order(const PathGraph& graph, std::int64_t source) {
  using Entry = std::pair<double, std::int32_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  std::vector<double> length(static_cast<std::size_t>(graph.nodes), far);
  std::vector<std::uint8_t> settled(length.size(), 0);
  std::vector<std::int32_t> order;
  length[source] = 0;
  open.push({0, static_cast<std::int32_t>(source)});
  while (!open.empty()) {
    const auto [reached, node] = open.top();
    open.pop();
    if (settled[node]) continue;
    settled[node] = 1;
    order.push_back(node);
    for (std::int64_t e = graph.begin[node]; e < graph.begin[node + 1]; ++e)
      if (const double next = reached + graph.length[e]; next < length[graph.column[e]]) {
        length[graph.column[e]] = next;
        open.push({next, graph.column[e]});
      }
  }
  return order;
}

void shortest_paths(const PathGraph& graph, std::span<const std::int32_t> sources, std::span<const std::int32_t> order, double* reached) {
  std::fill_n(reached, graph.nodes * path_lanes, far);
  for (std::size_t lane = 0; lane < sources.size(); ++lane) reached[sources[lane] * path_lanes + static_cast<std::int64_t>(lane)] = 0;
  std::vector<std::uint8_t> pending(static_cast<std::size_t>(graph.nodes), 1);
  current_isa().paths().shorten_paths(graph.begin, graph.column, graph.length, order.data(), static_cast<std::int64_t>(order.size()),
                                         reached, pending.data());
}

}  // namespace calor::kernels

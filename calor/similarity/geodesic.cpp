// geodesic: minus the length of the shortest path between every two points, edges counting in both directions.
// Dijkstra from every point: O(N (edges + N log N)) time and 8 N^2 bytes, which the stage says before it takes them.
// Points of different components are infinitely far; later stages treat each component on its own.
// Tenenbaum, de Silva & Langford 2000.
#include <algorithm>
#include <atomic>
#include <limits>
#include <queue>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/pipeline/score.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr double far = std::numeric_limits<double>::infinity();

// The lengths of the edges, minus the scores.
static Csr lengths(const Similarity& similarity, int threads) {
  require(!similarity.all_pairs(), Fault::usage,
          "[geodesic] expected a similarity on a graph, found all pairs, where every path has one edge: put knn or radius before distance");
  require(similarity.strengthen.kind == Strengthen::Kind::none && similarity.normalised.empty(), Fault::usage,
          "[geodesic] expected distances, found a strengthened or normalised similarity: put it right after distance(1)");
  Csr graph = *store_scores(similarity, threads).support;
  for (double& value : graph.values) {
    value = -value;
    require(value >= 0, Fault::usage, "[geodesic] expected distances that are not negative, found {}: put it right after distance(1)", value);
  }
  return graph;
}

// The shorter of both directions; a single direction counts for both.  An absent edge is passed as 0, which a present
// one of coinciding points may be too: then 0 is right as well.
static Csr both_ways(const Csr& graph) {
  Csr marked = graph;
  for (double& value : marked.values) value += 1;  // tells an absent edge (0) from one of length 0 (1)
  Csr result = combine_with_reverse(marked, [](double a, double b) { return a == 0 ? b : b == 0 ? a : std::min(a, b); });
  for (double& value : result.values) value -= 1;
  return result;
}

static void shortest_paths(const Csr& graph, std::int64_t source, double* length) {
  using Entry = std::pair<double, std::int32_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  std::fill_n(length, graph.rows, far);
  length[source] = 0;
  open.push({0, static_cast<std::int32_t>(source)});
  while (!open.empty()) {
    const auto [reached, node] = open.top();
    open.pop();
    if (reached > length[node]) continue;
    for (std::int64_t e = graph.begin[node]; e < graph.begin[node + 1]; ++e)
      if (const double next = reached + graph.values[e]; next < length[graph.column[e]]) {
        length[graph.column[e]] = next;
        open.push({next, graph.column[e]});
      }
  }
}

static void run(State& state, const Arguments&, Kept& kept, const Context& context) {
  const std::int64_t n = state.similarity.rows;
  require(n == state.similarity.columns, Fault::usage, "[geodesic] expected as many rows as columns, found {} and {}", n, state.similarity.columns);
  context.memory.require(static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(n) * 8, "geodesic",
                         fmt::format("the path lengths of {} x {} pairs", n, n), "give fewer points, or raise --max-memory");
  const Csr graph = both_ways(lengths(state.similarity, context.threads));
  auto values = std::make_shared<Matrix>(n, n);
  std::atomic<std::int64_t> done{0};
  constexpr std::int64_t piece = 16;
  parallel_for((n + piece - 1) / piece, context.threads, [&](std::int64_t p) {
    context.check_stop("geodesic");
    for (std::int64_t i = p * piece; i < std::min(n, (p + 1) * piece); ++i) {
      shortest_paths(graph, i, values->row(i).data());
      context.advance(static_cast<double>(++done), static_cast<double>(n), "shortest paths");
    }
  });
  // The sums of a path from its two ends may differ in the last bit.
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < i; ++j) (*values)(i, j) = (*values)(j, i) = -std::min((*values)(i, j), (*values)(j, i));
  values->diagonal().setZero();
  kept.keep("values", values);

  auto components = std::make_shared<Components>(connected_components(graph));
  if (components->count > 1) {
    std::vector<std::int64_t> sizes = components->sizes();
    std::sort(sizes.rbegin(), sizes.rend());
    state.note("geodesic", fmt::format("the graph has {} components, the largest of {} points: each stands for itself; a larger "
                                       "k may join them", components->count, sizes.front()));
  }
  Similarity record;
  record.rows = record.columns = n;
  record.dense = values;
  record.symmetric = true;
  if (components->count > 1) record.components = components;
  state.similarity = std::move(record);
}

// The path of a new point leaves through one of its neighbours.
static void place(State& state, const Arguments&, const Kept& kept, const Context& context) {
  const Matrix& known = kept.array("values");
  auto values = std::make_shared<Matrix>(Matrix::Constant(state.rows(), known.cols(), -far));
  const auto leave_through = [&](const Csr& through) {
    Similarity steps = state.similarity;
    steps.support = std::make_shared<const Csr>(through);
    const Csr step = lengths(steps, context.threads);
    for (std::int64_t i = 0; i < step.rows; ++i)
      for (std::int64_t e = step.begin[i]; e < step.begin[i + 1]; ++e)
        values->row(i) = values->row(i).cwiseMax((known.row(step.column[e]).array() - step.values[e]).matrix());
  };
  leave_through(*state.similarity.support);
  if (state.reverse) leave_through(*state.reverse);
  for (std::size_t i = 0; i < state.itself.size(); ++i)
    if (state.itself[i] >= 0) values->row(static_cast<Eigen::Index>(i)) = known.row(state.itself[i]);
  Similarity record;
  record.rows = values->rows();
  record.columns = values->cols();
  record.dense = std::move(values);
  state.similarity = std::move(record);
}

static void estimate(Estimate& estimate, const Arguments&) {
  estimate.hold(8 * estimate.rows * estimate.rows);
  estimate.operations += estimate.rows * (2 * estimate.edges + estimate.rows * 17);
  estimate.edges = 0;
}

const Stage geodesic_stage{"geodesic", Kind::initialise, types::any_similarity, types::similarity, {},
                           "minus the shortest path along the graph, for all pairs (8 N^2 bytes)", "10.1126/science.290.5500.2319",
                           run, place, estimate};

}  // namespace calor::similarity

// geodesic: minus the length of the shortest path between every two points, edges counting in both directions.
// O(N edges) time in practice and 8 N^2 bytes, which the stage says before it takes them.
// Points of different components are infinitely far; later stages treat each component on its own.
// Tenenbaum, de Silva & Langford 2000.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/passes.h"
#include "calor/engine/values.h"
#include "calor/kernels/paths.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr double far = std::numeric_limits<double>::infinity();

// The lengths of the edges, minus the scores.
static Csr lengths(const Similarity& similarity, const Context& context) {
  Csr graph = *store_scores(similarity, context).support;
  for (double& value : graph.values) {
    require(value <= 0, Fault::usage, "[geodesic] expected minus distances, found the value {}: put it right after distance(1)", value);
    value = std::abs(value);
  }
  return graph;
}

// The shorter of both directions; a single direction counts for both.
static Csr both_ways(const Csr& graph) {
  Csr marked = graph;
  for (double& value : marked.values) value = -value;  // tells an absent edge (0) from one of length 0 (-0), and keeps every digit
  Csr result = combine_with_reverse(marked, [](double a, double b) { return !std::signbit(a) ? b : !std::signbit(b) ? a : std::max(a, b); });
  for (double& value : result.values) value = -value;
  return result;
}

// Sources that lie near each other, and the order in which the first of them reaches all it can.
struct Neighbourhood {
  std::vector<std::int32_t> sources, order;
};

// Every point is a source once.  O(N (edges + N log N) / 64), and 1/128 of the bytes of the result.
static std::vector<Neighbourhood> neighbourhoods(const kernels::PathGraph& graph, const Context& context) {
  constexpr std::size_t together = 64;  // as many as the nearest order still serves; a multiple of the lanes
  std::vector<Neighbourhood> result;
  std::vector<std::uint8_t> taken(static_cast<std::size_t>(graph.nodes), 0);
  for (std::int64_t i = 0; i < graph.nodes; ++i) {
    if (taken[i]) continue;
    context.check_stop("geodesic");
    Neighbourhood here{{}, kernels::settling_order(graph, i)};
    for (const std::int32_t node : here.order) {
      if (taken[node]) continue;
      taken[node] = 1;
      here.sources.push_back(node);
      if (here.sources.size() == together) break;
    }
    result.push_back(std::move(here));
  }
  return result;
}

static void all_paths(const kernels::PathGraph& graph, Matrix& values, const Context& context) {
  const std::vector<Neighbourhood> pieces = neighbourhoods(graph, context);
  std::atomic<std::int64_t> done{0};
  parallel_for(static_cast<std::int64_t>(pieces.size()), context.threads, [&](std::int64_t p) {
    const Neighbourhood& here = pieces[p];
    std::vector<double> reached(static_cast<std::size_t>(graph.nodes * kernels::path_lanes));
    for (std::size_t first = 0; first < here.sources.size(); first += kernels::path_lanes) {
      context.check_stop("geodesic");
      const auto sources = std::span(here.sources).subspan(first, std::min<std::size_t>(kernels::path_lanes, here.sources.size() - first));
      kernels::shortest_paths(graph, sources, here.order, reached.data());
      for (std::size_t lane = 0; lane < sources.size(); ++lane) {
        double* out = values.row(sources[lane]).data();
        for (std::int64_t j = 0; j < graph.nodes; ++j) out[j] = reached[j * kernels::path_lanes + static_cast<std::int64_t>(lane)];
      }
      done += static_cast<std::int64_t>(sources.size());
      context.advance(static_cast<double>(done), static_cast<double>(graph.nodes), "shortest paths");
    }
  });
}

// Minus the lesser of both directions: the sums of a path from its two ends may differ in the last bit.
static void negate_lesser(Matrix& values, int threads) {
  const std::int64_t n = values.rows();
  constexpr std::int64_t block = 64;
  parallel_for((n + block - 1) / block, threads, [&](std::int64_t p) {
    const std::int64_t end = std::min(n, (p + 1) * block);
    for (std::int64_t column = 0; column < end; column += block)
      for (std::int64_t i = p * block; i < end; ++i)
        for (std::int64_t j = column; j < std::min(i, column + block); ++j) values(i, j) = values(j, i) = -std::min(values(i, j), values(j, i));
  });
  values.diagonal().setZero();
}

static void run(State& state, const Arguments&, Kept& kept, const Context& context) {
  const std::int64_t n = state.similarity.rows;
  Reservation reserved = context.memory.reserve(static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(n) * 8, "geodesic",
                                                fmt::format("the path lengths of {} x {} pairs", n, n), "give fewer points, or raise --max-memory");
  const Csr graph = both_ways(lengths(state.similarity, context));
  const std::shared_ptr<Matrix> values = share_reserved(Matrix(n, n), std::move(reserved));
  all_paths({n, graph.begin.data(), graph.column.data(), graph.values.data()}, *values, context);
  negate_lesser(*values, context.threads);
  kept.keep("values", values);

  auto components = std::make_shared<Components>(connected_components(graph));
  if (components->count > 1) {
    std::vector<std::int64_t> sizes = components->sizes();
    std::sort(sizes.rbegin(), sizes.rend());
    state.note("geodesic", fmt::format("the graph has {} components, the largest of {} points: each is treated on its own; a larger "
                                       "k may join them", components->count, sizes.front()));
  }
  state.similarity = stored_similarity(values);
  state.similarity.symmetric = true;
  if (components->count > 1) state.similarity.components = components;
}

// The path of a new point leaves through one of its neighbours.
static void place(State& state, const Arguments&, const Kept& kept, const Context& context) {
  const Matrix& known = kept.array("values");
  auto values = std::make_shared<Matrix>(Matrix::Constant(state.rows(), known.cols(), -far));
  const auto leave_through = [&](const Csr& through) {
    Similarity steps = state.similarity;
    steps.support = std::make_shared<const Csr>(through);
    const Csr step = lengths(steps, context);
    for (std::int64_t i = 0; i < step.rows; ++i)
      for (std::int64_t e = step.begin[i]; e < step.begin[i + 1]; ++e)
        values->row(i) = values->row(i).cwiseMax((known.row(step.column[e]).array() - step.values[e]).matrix());
  };
  leave_through(*state.similarity.support);
  if (state.reverse) leave_through(*state.reverse);
  for (std::size_t i = 0; i < state.itself.size(); ++i)
    if (state.itself[i] >= 0) values->row(static_cast<Eigen::Index>(i)) = known.row(state.itself[i]);
  state.similarity = stored_similarity(std::move(values));
}

static void estimate(Estimate& estimate, const Arguments&) {
  estimate.hold(8 * estimate.rows * estimate.rows);
  estimate.use(estimate.rows * estimate.rows / 16);  // the orders of neighbourhoods
  estimate.visits += 0.7 * estimate.rows * estimate.edges;
  estimate.kept = true;
  estimate.edges = 0;
}

static void outline(Outline& outline, const Arguments&) {
  require(outline.may_not(outline.all_pairs), Fault::usage,
          "[geodesic] expected a similarity on a graph, found all pairs, where every path has one edge: put knn or radius before distance");
  require(outline.may(outline.plain), Fault::usage,
          "[geodesic] expected distances, found a strengthened or normalised similarity: put it right after distance(1)");
  require(outline.scores != Outline::Scores::weights, Fault::usage,
          "[geodesic] expected distances of points, found the weights of a graph, which are no lengths: give points, and "
          "knn(15) | distance(1) | geodesic");
  require(outline.may_be_distances(), Fault::usage, "[geodesic] expected distances, found other scores: put it right after distance(1)");
  require_square(outline, "geodesic", "put it right after distance(1)");
  outline.all_pairs = outline.square = outline.symmetric = outline.equal_both_ways = outline.plain = Fact::yes;
  outline.scores = Outline::Scores::lengths;
}

const Stage geodesic_stage{"geodesic", Kind::initialise, types::any_similarity, types::similarity, {},
                           "minus the shortest path along the graph, for all pairs (8 N^2 bytes)", "10.1126/science.290.5500.2319",
                           run, place, estimate, outline, takes_any_form};

}  // namespace calor::similarity

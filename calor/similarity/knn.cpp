// knn(k): the k nearest others of every point, exactly.  At most O(N^2 d) time, O(N (d + k)) memory.
// The point itself is left out; to=train lets only labelled training rows be neighbours.
// method=forest and method=hnsw are approximate and for large N (projection_forest.h, hnsw.h); new points are always searched exactly.
#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/hnsw.h"
#include "calor/engine/neighbours.h"
#include "calor/engine/projection_forest.h"
#include "calor/engine/values.h"
#include "calor/kernels/neighbours.h"
#include "calor/pipeline/outline.h"
#include "calor/similarity/initialise.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"k", Parameter::Takes::integer, "15", 1, 1e6, "", "neighbours of each point"},
    {"to", Parameter::Takes::word, "points", 0, 0, "points|train", "which points may be neighbours"},
    {"metric", Parameter::Takes::word, "euclidean", 0, 0, "euclidean|cosine|manhattan", "distance between two points"},
    {"method", Parameter::Takes::word, "exact", 0, 0, "exact|forest|hnsw", "forest: approximate, faster from some 200,000 points on; hnsw: approximate, for searches by its graph"}};

static std::vector<std::uint8_t> training_rows(const Data& data) {
  std::vector<std::uint8_t> allowed(static_cast<std::size_t>(data.rows()));
  for (std::int64_t i = 0; i < data.rows(); ++i) allowed[i] = data.labelled(i);
  return allowed;
}

static void check(const State& state, std::int64_t k, std::int64_t available, const char* what) {
  require(!state.given().nothing(), Fault::input, "[knn] expected points with features, found a bare graph: use adjacency");
  require(state.rows() > 1, Fault::input, "[knn] expected at least 2 points, found {}: give more points", state.rows());
  require(k <= available, Fault::input, "[knn] expected k of at most {} ({}), found {}: give a smaller k or more points",
          available, what, k);
}

static Csr approximate(State& state, std::string_view method, const NeighbourOptions& options, const Context& context) {
  ApproximateNeighbours found = method == "hnsw" ? neighbours_by_hnsw(*state.points, options, state.seed, context)
                                                 : neighbours_by_forest(*state.points, options, state.seed, context);
  state.figures["recall"] = found.recall;
  state.note("knn", fmt::format("{} found {:.1f} % of the exact neighbours of {} sampled points", method, 100 * found.recall, found.sampled));
  return std::move(found.graph);
}

// Pairs without a distance are no neighbours.
static void say_fewer(State& state, std::int64_t k) {
  std::int64_t fewer = 0;
  for (std::int64_t i = 0; i < state.rows(); ++i) fewer += state.graph->begin[i + 1] - state.graph->begin[i] < k;
  if (fewer) state.note("knn", fmt::format("{} of {} rows have distances to fewer than {} others", fewer, state.rows(), k));
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  NeighbourOptions options{arguments.integer("k"), metric_of(arguments.word("metric")), true, nullptr};
  std::vector<std::uint8_t> allowed;
  if (arguments.word("to") == "train") {
    allowed = training_rows(*state.data);
    options.allowed = &allowed;
    check(state, options.k, std::count(allowed.begin(), allowed.end(), 1), "the labelled training rows");
  } else {
    check(state, options.k, state.rows() - 1, "the other points");
  }
  Vector reach;
  const bool exact = arguments.word("method") == "exact", kept_reach = !options.allowed;
  const auto graph = std::make_shared<const Csr>(exact ? nearest(state.given(), state.given(), options, context, kept_reach ? &reach : nullptr)
                                                       : approximate(state, arguments.word("method"), options, context));
  state.graph = graph;
  state.columns = state.points;
  if (state.distances) say_fewer(state, options.k);
  if (state.moved()) kept.keep("columns", state.points);
  if (!kept_reach) return;
  if (!exact) reach = farthest_neighbour(*graph, state.given(), state.given(), options.metric, context);
  kept.keep_rows("reach", Matrix(reach));
}

// Two computations of one distance agree up to the rounding of their sums, also where a fit comes from another machine.
static constexpr double same_distance = 1 + 1e-11;

// The points of the fit that would count a new one among their k nearest.
static Csr who_reach(const Points& rows, const Points& columns, const Matrix& reach, Metric metric,
                     const std::vector<std::int64_t>& itself, const Context& context) {
  const Csr found = within(rows, columns, reach.col(0) * same_distance, {metric, false, "knn"}, context);
  Csr graph;
  graph.rows = found.rows;
  graph.columns = found.columns;
  for (std::int64_t i = 0; i < found.rows; ++i) {
    for (std::int64_t e = found.begin[i]; e < found.begin[i + 1]; ++e)
      if (found.column[e] != itself[i]) graph.column.push_back(found.column[e]);
    graph.begin.push_back(graph.edges());
  }
  return graph;
}

// One neighbour more is asked for; the point of the fit that coincides with the new one, else the farthest, is dropped.
static Csr drop_itself(const Csr& found, const Points& rows, const Points& columns, Metric metric, std::int64_t k,
                       std::vector<std::int64_t>& itself) {
  Csr graph;
  graph.rows = found.rows;
  graph.columns = found.columns;
  for (std::int64_t i = 0; i < found.rows; ++i) {
    std::int64_t drop = -1;
    double farthest = -1;
    for (std::int64_t e = found.begin[i]; e < found.begin[i + 1]; ++e) {
      const double far = distance(rows, i, columns, found.column[e], metric);
      if (far == 0 && itself[i] < 0 && same_place(rows, i, columns, found.column[e])) itself[i] = found.column[e];
      if (far >= farthest) {
        farthest = far;
        drop = e;
      }
    }
    for (std::int64_t e = found.begin[i]; e < found.begin[i + 1]; ++e) {
      const bool dropped = itself[i] >= 0 ? found.column[e] == itself[i] : e == drop && found.begin[i + 1] - found.begin[i] > k;
      if (!dropped) graph.column.push_back(found.column[e]);
    }
    graph.begin.push_back(graph.edges());
  }
  return graph;
}

static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  const Points rows = state.given(), columns = kept.has("columns") ? Points{kept.shared("columns"), nullptr, nullptr} : state.data->points();
  NeighbourOptions options{arguments.integer("k"), metric_of(arguments.word("metric")), false, nullptr};
  state.columns = columns.dense;
  if (arguments.word("to") == "train") {
    const std::vector<std::uint8_t> allowed = training_rows(*state.data);
    options.allowed = &allowed;
    state.graph = std::make_shared<const Csr>(nearest(rows, columns, options, context));
    return;
  }
  ++options.k;
  const Csr found = nearest(rows, columns, options, context);
  state.itself.assign(static_cast<std::size_t>(state.rows()), -1);
  state.graph = std::make_shared<const Csr>(drop_itself(found, rows, columns, options.metric, options.k - 1, state.itself));
  state.reverse = std::make_shared<const Csr>(who_reach(rows, columns, kept.array("reach"), options.metric, state.itself, context));
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  const double k = arguments.number("k");
  // Points that hnsw meets to place and find one of 10,000, how that grows, and multiply-adds that a meeting takes as long as: it waits for memory.
  constexpr double visited = 3200, visited_of = 1e4, growth = 0.35, meeting = 3000, feature = 12.6;
  // Multiply-adds of a point in the parts of 24 trees, those that what it looks at elsewhere takes as long as, and rounds.
  constexpr double meetings = 24 * 2048, a_tree = 60000;
  if (arguments.word("method") == "forest" && estimate.rows > 2048)
    estimate.operations += estimate.rows * (meetings * (0.13 * estimate.features + 2) + 24 * a_tree + 200 * (k + 8) * (8 + 0.3 * estimate.features));
  else if (arguments.word("method") == "hnsw" && estimate.rows > visited)
    estimate.operations += visited * std::pow(estimate.rows / visited_of, growth) * estimate.rows * (meeting + feature * estimate.features);
  else if (estimate.filled < 1) estimate.operations += estimate.rows * estimate.columns * (20 + 12 * estimate.features * estimate.filled);
  else {
    // Pairs of blocks that are looked at, those beside each other where dimensions are few, and more of them left out the more there are; of a
    // pair, its product by the leading coordinates.
    const double near = std::min(std::pow(3, std::min(30.0, estimate.features)) * 512 / estimate.columns, std::min(1.0, std::sqrt(1e5 / estimate.columns)));
    estimate.operations += estimate.rows * estimate.columns * near * (10 + 0.13 * std::min(100.0, estimate.features)) + 600 * estimate.rows * (estimate.features + 8);
  }
  estimate.edges = estimate.rows * k;
  estimate.use(static_cast<double>(kernels::neighbours_bytes(static_cast<std::int64_t>(estimate.rows), 0, static_cast<std::int64_t>(estimate.features),
                                                             static_cast<std::int64_t>(k))));
  estimate.hold(estimate.rows * (4 * k + 24));
}

static void outline(Outline& outline, const Arguments& arguments) {
  require(arguments.word("method") == "exact" || arguments.word("metric") != "manhattan", Fault::usage,
          "[knn] expected the euclidean or cosine metric for method={}, found manhattan: use method=exact", arguments.word("method"));
  outline.all_pairs = outline.symmetric = Fact::no;
  outline.square = Fact::yes;
}

static Wants wants(const Arguments& arguments) { return wants_by(arguments.word("to")); }

static std::string_view why_dense(Form form, const BoundStage& bound) {
  if (bound.arguments.word("method") == "hnsw") return "hnsw has an index of points: use method=exact";
  if (bound.arguments.word("method") == "forest") return "trees cut the places of points: use method=exact";
  return other_metric(form, bound);
}

const Stage knn_stage{"knn", Kind::support, types::coordinates, types::graph, parameters,
                      "the k nearest neighbours of every point, exact or approximate", "", run, place, estimate, outline, why_dense, wants};

}  // namespace calor::similarity

// components: the connected parts of a graph, edges counting in both directions, numbered by their first point.  components(attractors): the
// parts of what Markov clustering has come to, each a system of attractors and the points whose flow goes there (engine/markov_clustering.h).
// New points join the component that most of their edges' weight leads to, the first of equal ones; those without edges join none.
#include <fmt/format.h>

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/engine/markov_clustering.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

// Edges whose value is 0 do not connect.
static Csr edges_that_count(const Similarity& similarity, const Context& context) {
  const Csr all = values_on_support(similarity, context);
  Csr result;
  result.rows = all.rows;
  result.columns = all.columns;
  for (std::int64_t i = 0; i < all.rows; ++i) {
    for (std::int64_t e = all.begin[i]; e < all.begin[i + 1]; ++e)
      if (all.values[e] != 0) result.column.push_back(all.column[e]);
    result.begin.push_back(result.edges());
  }
  return result;
}

static constexpr Parameter parameters[] = {
    {"of", Parameter::Takes::word, "all", 0, 0, "all|attractors", "all: points joined by an edge; attractors: points whose flow comes to rest at the same place"}};

static void find_attraction(State& state, const Context& context) {
  const Csr values = values_on_support(state.similarity, context);
  const std::vector<Normaliser::Kind>& normalised = state.similarity.normalised;
  const bool columns = !normalised.empty() && normalised.back() == Normaliser::Kind::column;
  const Attraction found = attraction(rows_of(columns ? transpose(values) : values));
  state.labels = found.cluster;
  state.figures["attractors"] = static_cast<double>(found.attractors);
  if (found.shared) state.note("components", fmt::format("the flow of {} goes to several clusters alike: the one with the first attractor has {}", counted(found.shared, "point"), found.shared == 1 ? "it" : "them"));
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  if (arguments.word("of") == "attractors") {
    require(state.type != types::graph, Fault::usage, "[components] expected values for attractors, found a graph without: put adjacency, or distance and exp, before it");
    find_attraction(state, context);
  } else {
    state.labels = connected_components(state.type == types::graph ? *state.graph : edges_that_count(state.similarity, context)).of;
  }
  std::vector<std::int64_t> sizes;
  Matrix labels(static_cast<Eigen::Index>(state.labels.size()), 1);
  for (std::size_t i = 0; i < state.labels.size(); ++i) {
    if (state.labels[i] == static_cast<std::int64_t>(sizes.size())) sizes.push_back(0);
    ++sizes[state.labels[i]];
    labels(static_cast<Eigen::Index>(i), 0) = static_cast<double>(state.labels[i]);
  }
  kept.keep("labels", std::move(labels));
  state.figures["components"] = static_cast<double>(sizes.size());
  state.figures["largest"] = static_cast<double>(*std::max_element(sizes.begin(), sizes.end()));
}

static void place(State& state, const Arguments&, const Kept& kept, const Context& context) {
  const Csr edges = state.type == types::graph ? *state.graph : values_on_support(state.similarity, context);
  const Matrix& labels = kept.array("labels");
  Vector weight = Vector::Zero(static_cast<Eigen::Index>(labels.maxCoeff()) + 1);
  state.labels.assign(static_cast<std::size_t>(edges.rows), -1);
  std::int64_t without = 0;
  for (std::int64_t i = 0; i < edges.rows; ++i) {
    double most = 0;
    std::int64_t& own = state.labels[i];
    for (std::int64_t e = edges.begin[i]; e < edges.begin[i + 1]; ++e) {
      const auto cluster = static_cast<std::int64_t>(labels(edges.column[e], 0));
      const double now = weight[cluster] += edges.values.empty() ? 1 : edges.values[e];
      if (now > most || (now == most && cluster < own)) {
        most = now;
        own = cluster;
      }
    }
    for (std::int64_t e = edges.begin[i]; e < edges.begin[i + 1]; ++e) weight[static_cast<std::int64_t>(labels(edges.column[e], 0))] = 0;
    without += own < 0;
  }
  if (without > 0) state.note("components", fmt::format("{} of {} {} no edge to the fit's points and join{} no component", without, counted(edges.rows, "new point"), without == 1 ? "has" : "have", without == 1 ? "s" : ""));
}

static void outline(Outline& outline, const Arguments&) {
  require(outline.may_not(outline.all_pairs), Fault::usage,
          "[components] expected a graph, found all pairs, which are one component: put knn or radius first");
}

const Stage components_stage{"components", Kind::read_out, types::graph | types::any_similarity, types::labels, parameters,
                             "the connected components of a graph", "",
                             run, place, nullptr, outline, takes_any_form};

}  // namespace calor::propagate

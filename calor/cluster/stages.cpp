#include "calor/cluster/stages.h"

#include <algorithm>
#include <memory>

#include "calor/cluster/graph.h"
#include "calor/cluster/stage_forms.h"
#include "calor/core/error.h"
#include "calor/engine/passes.h"

namespace calor::cluster {

using namespace pipeline;

namespace {

// Why a stage does not distribute with these arguments; "" where it does.
using Reason = std::string_view (*)(const BoundStage&);

std::string_view always(const BoundStage&) { return ""; }

std::string_view why_no_knn(const BoundStage& bound) {
  if (bound.arguments.word("method") == "hnsw") return "an index of hnsw is one process's: leave out method, which finds the exact neighbours";
  return bound.arguments.word("metric") == "manhattan" ? "neighbours by the manhattan distance are not found in blocks" : "";
}

std::string_view why_no_distance(const BoundStage& bound) {
  if (bound.arguments.word("from") == "nearest") return "distances from the nearest neighbour are for the descent of umap, which moves all points at once";
  const std::string& to = bound.arguments.word("to");
  return to == "points" || to == "train" ? "" : "columns that are not the moving rows' own belong to repeated pipelines on points";
}

std::string_view why_no_dot(const BoundStage& bound) { return bound.arguments.word("to") == "points" ? "" : "only products of the points with themselves are in blocks"; }

std::string_view why_no_exp(const BoundStage& bound) {
  if (bound.arguments.is_number("perplexity") || bound.arguments.is_number("cardinality")) return "a scale for each row is for descents, which move all points at once";
  return bound.arguments.is_number("bandwidth") || bound.arguments.word("bandwidth") == "auto" ? "" : "that bandwidth is chosen by one process: give a number or auto";
}

std::string_view why_no_two_side(const BoundStage& bound) {
  return bound.arguments.is_number("alpha") && bound.arguments.word("of") == "rows" ? "" : "densities of the keys and a choice by leave-one-out are one process's: give alpha, of=rows";
}

std::string_view why_no_eigen(const BoundStage& bound) {
  return bound.arguments.word("of") == "residual" ? "of=residual factorises a sparse matrix on one process" : "";
}

std::string_view why_no_repeat(const BoundStage& bound) {
  const auto& body = bound.arguments.pipeline("body");
  return body.size() == 1 && body.front().stage->name == "restart" ? "" : "of the repeated pipelines only restart has a form by rows: k-means, mean-shift and others move points";
}

struct Distributed {
  std::string_view name;
  void (*run)(Part&, const BoundStage&);
  Reason why_not = always;
};

constexpr Distributed distributed[] = {
    {"knn", run_knn, why_no_knn},         {"adjacency", run_adjacency},          {"distance", run_score, why_no_distance}, {"dot", run_score, why_no_dot},
    {"indicator", run_indicator},         {"exp", run_exp, why_no_exp},          {"two_side", run_two_side, why_no_two_side}, {"row", run_row},
    {"mean", run_symmetrise},             {"union", run_symmetrise},             {"eigen", run_eigen, why_no_eigen},       {"restart", run_restart},
    {"repeat", run_repeat, why_no_repeat}, {"vote", run_vote},                   {"average", run_average}};

// Of stages that people will ask for.
constexpr std::pair<std::string_view, std::string_view> reasons[] = {
    {"match", "a descent moves every point by every other one in each of its steps"},
    {"geodesic", "all shortest paths are found from a graph that one process has whole"},
    {"double_center", "it centres a table of all pairs that one process has whole"},
    {"local_weights", "it is for of=residual, which factorises a sparse matrix on one process"},
    {"weigh", "the solver of support vectors works on one process's kernel"},
    {"tune", "leave-one-out predictions are made by one process"},
    {"cluster", "k-means moves centres that one process has"},
    {"centres", "k-means moves centres that one process has"},
    {"standardise", "means and deviations of columns are not summed over processes"}};

const Distributed* find(std::string_view name) {
  const auto found = std::find_if(std::begin(distributed), std::end(distributed), [&](const Distributed& one) { return one.name == name; });
  return found == std::end(distributed) ? nullptr : found;
}

std::string_view why_not(const BoundStage& bound) {
  if (const Distributed* found = find(bound.stage->name)) return found->why_not(bound);
  const auto found = std::find_if(std::begin(reasons), std::end(reasons), [&](const auto& one) { return one.first == bound.stage->name; });
  return found == std::end(reasons) ? "it has no form by rows" : found->second;
}

}  // namespace

void require_distributed(const std::vector<BoundStage>& stages) {
  bool ended = false;
  for (const BoundStage& bound : stages) {
    at_stage(bound, [&] {
      const std::string_view reason = ended ? "what follows eigen runs on the coordinates that it gives, which one process has" : why_not(bound);
      require(reason.empty(), Fault::usage, "[cluster] expected stages that run on rows in blocks, found {}, which does not: {}. On one machine: calor run", bound.stage->name, reason);
    });
    ended = bound.stage->name == "eigen";
  }
}

void run_stages(const std::vector<BoundStage>& stages, Part& part) {
  for (const BoundStage& bound : stages) {
    part.context.check_stop(bound.stage->name);
    at_stage(bound, [&] { find(bound.stage->name)->run(part, bound); });
    part.state.type = bound.gives;
  }
}

State gathered(const Part& part) {
  State state = part.state;
  if (state.type == types::graph) {
    state.graph = std::make_shared<const Csr>(graph_in_first(part, *part.state.graph));
  } else if ((state.type & types::any_similarity) && !state.field && state.similarity.support) {
    state.similarity = engine::stored_similarity(graph_in_first(part, engine::values_on_support(part.state.similarity, part.context)));
  }
  if (state.type != types::graph) state.graph = nullptr;  // the own rows alone
  return state;
}

}  // namespace calor::cluster

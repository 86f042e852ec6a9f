#include "calor/cluster/stages.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <span>

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
  if (bound.arguments.word("method") != "exact") return "trees and indices are one process's: leave out method, which finds the exact neighbours";
  return bound.arguments.word("metric") == "manhattan" ? "neighbours by the manhattan distance are not found in blocks" : "";
}

std::string_view why_no_distance(const BoundStage& bound) {
  const std::string& to = bound.arguments.word("to");
  return to == "points" || to == "train" ? "" : "columns that are not the moving rows' own belong to repeated pipelines on points";
}

std::string_view why_no_dot(const BoundStage& bound) { return bound.arguments.word("to") == "points" ? "" : "only products of the points with themselves are in blocks"; }

std::string_view why_no_exp(const BoundStage& bound) {
  return bound.arguments.is_number("perplexity") || bound.arguments.is_number("cardinality") || bound.arguments.is_number("bandwidth") || bound.arguments.word("bandwidth") == "auto" ? "" : "that bandwidth is chosen by one process: give a number or auto";
}

std::string_view why_no_match(const BoundStage& bound) {
  const std::string& family = bound.arguments.word("family");
  return family == "student" || family == "rational" ? "" : "this descent moves every point by all pairs of points: only student and rational have a form by rows";
}

std::string_view why_no_two_side(const BoundStage& bound) {
  return bound.arguments.is_number("alpha") && bound.arguments.word("of") == "rows" ? "" : "densities of the keys and a choice by leave-one-out are one process's: give alpha, of=rows";
}

std::string_view why_no_eigen(const BoundStage& bound) {
  return bound.arguments.word("of") == "residual" ? "of=residual factorises a sparse matrix on one process" : "";
}

std::string_view why_no_repeat(const BoundStage& bound) {
  const auto& body = bound.arguments.pipeline("body");
  return body.size() == 1 && body.front().stage->name == "restart" ? "" : "of the pipelines repeated on rows only restart has a form by rows: mean-shift and others move every point";
}

std::string_view why_no_distance_of_centres(const BoundStage& bound) {
  return bound.arguments.word("to") == "data" ? "" : "centres meet the data: give to=data";
}

std::string_view why_no_best_of_centres(const BoundStage& bound) { return bound.arguments.word("of") == "column" ? "" : "only the data choose among centres: give of=column"; }

std::string_view why_no_assign(const BoundStage& bound) { return bound.arguments.word("how") == "nearest" ? "" : "modes are merged by one process"; }

// Lloyd's steps, whose stages have forms for centres in this order.
std::string_view why_no_repeat_of_centres(const BoundStage& bound) {
  constexpr std::string_view steps[] = {"distance", "best", "row", "apply"};
  const auto& body = bound.arguments.pipeline("body");
  const bool lloyd = std::equal(body.begin(), body.end(), std::begin(steps), std::end(steps), [](const BoundStage& one, std::string_view name) { return one.stage->name == name; });
  return lloyd ? "" : "of the pipelines repeated on centres only distance(to=data) | best(column) | row | apply has a form by rows";
}

struct Distributed {
  std::string_view name;
  void (*run)(Part&, const BoundStage&);
  Reason why_not = always;
};

// Of points and similarities whose rows are in blocks.
constexpr Distributed of_rows[] = {
    {"knn", run_knn, why_no_knn},         {"adjacency", run_adjacency},          {"distance", run_score, why_no_distance}, {"dot", run_score, why_no_dot},
    {"indicator", run_indicator},         {"exp", run_exp, why_no_exp},          {"two_side", run_two_side, why_no_two_side}, {"row", run_row},
    {"mean", run_symmetrise},             {"union", run_symmetrise},             {"eigen", run_eigen, why_no_eigen},       {"restart", run_restart},
    {"repeat", run_repeat, why_no_repeat}, {"vote", run_vote},                   {"average", run_average},                {"centres", run_centres},
    {"cluster", run_cluster},             {"global", run_global},                  {"match", run_match, why_no_match}};

// Of centres, which every process has, against rows of the data in blocks.
constexpr Distributed of_centres[] = {{"distance", run_distance_of_centres, why_no_distance_of_centres}, {"best", run_best_of_centres, why_no_best_of_centres}, {"row", run_row_of_centres},
                                      {"apply", run_apply_of_centres}, {"repeat", run_repeat, why_no_repeat_of_centres}, {"assign", run_assign, why_no_assign}};

// Of coordinates that every process has.
constexpr Distributed of_coordinates[] = {{"cluster", run_cluster}};

// Of stages that people will ask for.
constexpr std::pair<std::string_view, std::string_view> reasons[] = {
    {"geodesic", "all shortest paths are found from a graph that one process has whole"},
    {"double_center", "it centres a table of all pairs that one process has whole"},
    {"local_weights", "it is for of=residual, which factorises a sparse matrix on one process"},
    {"weigh", "the solver of support vectors works on one process's kernel"},
    {"tune", "leave-one-out predictions are made by one process"},
    {"assign", "it merges modes that one process has"},
    {"column", "columns of centres are normalised by one process"},
    {"standardise", "means and deviations of columns are not summed over processes"}};

// What the stages so far have made of the points.
enum class Rows { in_blocks, centres, coordinates, read_out };

std::span<const Distributed> forms_of(Rows rows) {
  if (rows == Rows::in_blocks) return of_rows;
  if (rows == Rows::centres) return of_centres;
  return rows == Rows::coordinates ? std::span<const Distributed>(of_coordinates) : std::span<const Distributed>();
}

Rows after(std::string_view stage, Rows before) {
  if (stage == "centres") return Rows::centres;
  if (stage == "eigen" || stage == "match") return Rows::coordinates;
  return stage == "assign" || stage == "cluster" ? Rows::read_out : before;
}

Rows rows_of(const State& state) { return state.prototypes ? Rows::centres : state.type == types::embedding ? Rows::coordinates : Rows::in_blocks; }

const Distributed* find(std::string_view name, Rows rows) {
  const auto forms = forms_of(rows);
  const auto found = std::find_if(forms.begin(), forms.end(), [&](const Distributed& one) { return one.name == name; });
  return found == forms.end() ? nullptr : &*found;
}

std::string_view why_not(const BoundStage& bound, Rows rows) {
  if (const Distributed* found = find(bound.stage->name, rows)) return found->why_not(bound);
  if (rows == Rows::coordinates) return "of what follows eigen or match only cluster works on rows in blocks";
  const auto found = std::find_if(std::begin(reasons), std::end(reasons), [&](const auto& one) { return one.first == bound.stage->name; });
  if (found != std::end(reasons)) return found->second;
  return rows == Rows::centres ? "it has no form for centres that all processes have" : "it has no form by rows";
}

void require_forms(const std::vector<BoundStage>& stages, Rows rows) {
  for (const BoundStage& bound : stages) {
    at_stage(bound, [&] {
      const std::string_view reason = why_not(bound, rows);
      require(reason.empty(), Fault::usage, "[cluster] expected stages that run on rows in blocks, found {}, which does not: {}. On one machine: calor run", bound.stage->name, reason);
      if (bound.stage->name == "repeat") require_forms(bound.arguments.pipeline("body"), rows);
    });
    rows = after(bound.stage->name, rows);
  }
}

}  // namespace

void require_distributed(const std::vector<BoundStage>& stages) { require_forms(stages, Rows::in_blocks); }

void run_stages(const std::vector<BoundStage>& stages, Part& part, std::vector<StageWork>* work) {
  for (const BoundStage& bound : stages) {
    part.context.check_stop(bound.stage->name);
    const Traffic before = part.processes.traffic();
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t processor_begin = std::clock();
    if (work) part.stage = work->size();
    at_stage(bound, [&] { find(bound.stage->name, rows_of(part.state))->run(part, bound); });
    if (work)
      work->push_back({{std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), static_cast<double>(std::clock() - processor_begin) / CLOCKS_PER_SEC},
                       part.processes.traffic() - before});
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
  if (state.type == types::labels) {
    const Vector own = Eigen::Map<const Eigen::Matrix<std::int64_t, Eigen::Dynamic, 1>>(part.state.labels.data(), part.own_rows()).cast<double>();
    const Matrix all = part.processes.rows_in_first(Matrix(own), part.rows);
    state.labels.assign(all.data(), all.data() + all.size());
  }
  return state;
}

}  // namespace calor::cluster

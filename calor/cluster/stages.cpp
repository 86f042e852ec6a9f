#include "calor/cluster/stages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "calor/cluster/eigen_solver.h"
#include "calor/cluster/graph.h"
#include "calor/cluster/neighbours.h"
#include "calor/cluster/pairs.h"
#include "calor/core/error.h"
#include "calor/engine/bandwidth.h"
#include "calor/engine/normaliser.h"
#include "calor/engine/passes.h"
#include "calor/propagate/class_field.h"
#include "calor/propagate/repeat.h"
#include "calor/propagate/spectral.h"
#include "calor/propagate/stages.h"
#include "calor/similarity/chosen_bandwidth.h"
#include "calor/similarity/initialise.h"
#include "calor/similarity/symmetrise.h"

namespace calor::cluster {

using namespace pipeline;
using engine::Normaliser, engine::Pairs;

namespace {

Score score_of(const BoundStage& bound) {
  if (bound.stage->name == "dot") return {Score::Kind::dot, 0, Metric::euclidean};
  return {Score::Kind::power_distance, bound.arguments.number("t"), similarity::metric_of(bound.arguments.word("metric"))};
}

// A record of rows in blocks; the graph's own values are its scores, all pairs have theirs in blocks of columns.
void begin_record(Part& part, const Score& score) {
  State& state = part.state;
  Similarity record;
  if (state.type == types::graph) {
    record = engine::stored_similarity(scores_on_edges(part, *state.graph, score));
  } else {
    record.rows = part.own_rows();
    record.row_points = state.points;
    record.columns = part.columns.rows();
    record.score = score;
    record.symmetric = part.own_columns == state.points;
  }
  state.similarity = std::move(record);
}

// The labelled training rows become the columns, those of this process here; their numbers in the data.
std::shared_ptr<const std::vector<std::int64_t>> take_training_columns(Part& part) {
  const Data& data = *part.state.data;
  std::vector<std::int64_t> all, own;
  for (std::int64_t i = 0; i < data.rows(); ++i) {
    if (!data.labelled(i)) continue;
    all.push_back(i);
    if (i >= part.first_row() && i < part.first_row() + part.own_rows()) own.push_back(i - part.first_row());
  }
  auto columns = std::make_shared<Matrix>(static_cast<Eigen::Index>(own.size()), part.state.points->cols());
  for (std::size_t c = 0; c < own.size(); ++c) columns->row(static_cast<Eigen::Index>(c)) = part.state.points->row(own[c]);
  part.columns = part.processes.blocks_of(columns->rows());
  part.own_columns = std::move(columns);
  return std::make_shared<const std::vector<std::int64_t>>(std::move(all));
}

void run_knn(Part& part, const BoundStage& bound) {
  State& state = part.state;
  engine::NeighbourOptions options{bound.arguments.integer("k"), similarity::metric_of(bound.arguments.word("metric")), true, nullptr};
  std::vector<std::uint8_t> allowed;
  std::int64_t available = part.rows.rows() - 1;
  const bool train = bound.arguments.word("to") == "train";
  if (train) {
    for (std::int64_t i = 0; i < part.rows.rows(); ++i) allowed.push_back(state.data->labelled(i));
    options.allowed = &allowed;
    available = std::count(allowed.begin(), allowed.end(), 1);
  }
  require(options.k <= available, Fault::input, "[knn] expected k of at most {} ({}), found {}: give a smaller k or more points", available,
          train ? "the labelled training rows" : "the other points", options.k);
  state.graph = std::make_shared<const Csr>(nearest(part, options));
}

void run_score(Part& part, const BoundStage& bound) {
  const bool train = part.state.type != types::graph && bound.arguments.word("to") == "train";
  const auto column_rows = train ? take_training_columns(part) : nullptr;
  begin_record(part, score_of(bound));
  part.state.similarity.column_rows = column_rows;
}

void run_indicator(Part& part, const BoundStage&) {
  Similarity record;
  record.support = part.state.graph;
  record.rows = part.own_rows();
  record.columns = part.rows.rows();
  record.score.kind = Score::Kind::indicator;
  part.state.similarity = std::move(record);
}

// The counts of all pairs' scores, or every row's farthest edge: what exp(auto) chooses by.
engine::Bandwidth chosen_bandwidth(Part& part) {
  const Similarity& record = part.state.similarity;
  if (record.support) return engine::bandwidth_of_farthest(part.processes.together_all(engine::farthest_of_rows(record, part.context)));
  std::vector<std::int64_t> counts;
  each_columns(part, [&](const Similarity& piece, std::int64_t) {
    const std::vector<std::int64_t> more = engine::count_distances(piece, part.context);
    if (counts.empty()) counts.resize(more.size(), 0);
    std::transform(counts.begin(), counts.end(), more.begin(), counts.begin(), std::plus<>());
  });
  counts.resize(static_cast<std::size_t>(part.processes.greatest(static_cast<double>(counts.size()))), 0);  // a process without rows counts none
  return engine::bandwidth_of_counts(part.processes.sums(std::move(counts)));
}

void run_exp(Part& part, const BoundStage& bound) {
  State& state = part.state;
  double scale = 0;
  if (bound.arguments.is_number("bandwidth")) {
    scale = bound.arguments.number("bandwidth");
  } else {
    keep_scores(part);
    scale = similarity::take_bandwidth(state, chosen_bandwidth(part));
  }
  state.figures["bandwidth"] = scale;
  state.similarity.strengthen.kind = Strengthen::Kind::exponential;
  state.similarity.strengthen.scale = Vector::Constant(1, scale);
}

void subtract(Vector& factor, const Vector& part, double times) {
  if (!factor.size()) factor = Vector::Zero(part.size());
  for (Eigen::Index i = 0; i < part.size(); ++i)
    if (std::isfinite(part[i])) factor[i] -= times * part[i];
}

void run_two_side(Part& part, const BoundStage& bound) {
  keep_scores(part);
  const double alpha = bound.arguments.number("alpha");
  const Vector sums = log_row_sums(part);
  subtract(part.state.similarity.log_row, sums, alpha);
  subtract(part.state.similarity.log_column, part.processes.all_rows(sums, part.rows), alpha);
  part.state.similarity.normalised.push_back(Normaliser::Kind::two_side);
}

// How many rows are empty.
std::int64_t normalise_rows(Part& part) {
  keep_scores(part);
  const Vector sums = log_row_sums(part);
  subtract(part.state.similarity.log_row, sums, 1);
  return part.processes.sum(std::count_if(sums.begin(), sums.end(), [](double sum) { return !std::isfinite(sum); }));
}

void run_row(Part& part, const BoundStage&) {
  const std::int64_t empty = normalise_rows(part);
  part.state.similarity.normalised.push_back(Normaliser::Kind::row);
  if (empty) part.state.note("row", fmt::format("{} of {} rows {} empty and stay{} so", empty, part.rows.rows(), empty == 1 ? "is" : "are", empty == 1 ? "s" : ""));
}

double mean_of(double forward, double backward) { return (forward + backward) / 2; }

// On a graph: with the values that its edges have in the other direction.  All pairs are symmetric already, or the pipeline is refused.
void run_symmetrise(Part& part, const BoundStage& bound) {
  if (!part.state.similarity.support) return;
  const Csr values = engine::values_on_support(part.state.similarity, part.context);
  const auto combine = bound.stage->name == "mean" ? mean_of : similarity::fuzzy_union;
  part.state.similarity = engine::stored_similarity(engine::combine(values, transpose_rows(part, values), combine));
  part.state.similarity.symmetric = true;
}

// The members of a graph's component (empty: all nodes) as a graph of their own, in blocks as their rows are.
Csr among(const Part& part, const Csr& own, const std::vector<std::int64_t>& members, Blocks& blocks) {
  blocks = part.rows;
  if (members.empty()) return own;
  std::vector<std::int32_t> number(static_cast<std::size_t>(part.rows.rows()), -1);
  for (std::size_t m = 0; m < members.size(); ++m) number[static_cast<std::size_t>(members[m])] = static_cast<std::int32_t>(m);
  Csr graph;
  graph.columns = static_cast<std::int64_t>(members.size());
  for (std::int64_t i = 0; i < own.rows; ++i) {
    if (number[static_cast<std::size_t>(part.first_row() + i)] < 0) continue;
    for (std::int64_t e = own.begin[i]; e < own.begin[i + 1]; ++e) {
      graph.column.push_back(number[static_cast<std::size_t>(own.column[e])]);
      graph.values.push_back(own.values[e]);
    }
    graph.begin.push_back(graph.edges());
    ++graph.rows;
  }
  blocks = part.processes.blocks_of(graph.rows);
  return graph;
}

void run_eigen(Part& part, const BoundStage& bound) {
  State& state = part.state;
  require(part.rows.rows() >= 2, Fault::input, "[eigen] expected at least 2 points, found {}: give more points", part.rows.rows());
  if (bound.arguments.word("of") == "laplacian") normalise_rows(part);
  else keep_scores(part);
  Similarity& record = state.similarity;
  propagate::SpectralProblem problem;
  problem.rows = part.rows.rows();
  if (part.processes.sum(record.log_row.size()) > 0) problem.log_row = part.processes.all_rows(record.log_row, part.rows);
  problem.log_column = record.log_column;
  problem.row_stochastic = record.row_stochastic();
  if (record.support) {
    problem.components = components(part, *record.support);
  } else {
    problem.components.count = 1;
    problem.components.of.assign(static_cast<std::size_t>(problem.rows), 0);
  }
  // The symmetric conjugate: the mean of both factors on either side (engine::conjugate).
  Vector half = Vector::Zero(problem.rows);
  if (problem.log_row.size()) half += problem.log_row / 2;
  if (problem.log_column.size()) half += problem.log_column / 2;
  record.log_row = half.segment(part.first_row(), part.own_rows());
  record.log_column = half;
  keep_values(part);
  const Csr values = record.support ? engine::values_on_support(record, part.context) : Csr();
  problem.largest = [&](const std::vector<std::int64_t>& members, std::int64_t k, const Matrix& known) -> Pairs {
    if (record.support) {
      Blocks blocks;
      const Csr own = among(part, values, members, blocks);
      return largest_pairs(part.processes, blocks, own, k, known, part.context);
    }
    const Product product = [&](const Vector& x) { return Vector(apply(part, part.processes.all_rows(Matrix(x), part.rows)).col(0)); };
    return largest_pairs(part.processes, part.rows, product, k, known, part.context);
  };
  Kept none;
  propagate::embed(state, bound.arguments, none, problem);
}

// What flows to the own rows from all columns' field, divided by the row's sum where rows add up to 1.
Matrix flow(const Part& part, const Matrix& field) {
  Matrix with_ones(field.rows(), field.cols() + 1);
  with_ones << field, Vector::Ones(field.rows());
  const Matrix result = apply(part, with_ones);
  Matrix means = result.leftCols(field.cols());
  if (part.state.similarity.softmax()) engine::divide_rows(means, result.col(field.cols()));
  return means;
}

std::shared_ptr<const Matrix> in_all(const Part& part, const Matrix& own) { return std::make_shared<const Matrix>(part.processes.all_rows(own, part.rows)); }

// The stage itself reads the result out of what has flowed to all rows.
void read_out(Part& part, const BoundStage& bound) {
  Kept none;
  bound.stage->run(part.state, bound.arguments, none, part.context);
}

void run_vote(Part& part, const BoundStage& bound) {
  State& state = part.state;
  if (!state.field) {
    state.field = in_all(part, flow(part, propagate::class_field(*state.data, state.similarity.column_rows.get(), "vote")));
    state.field_names = state.data->classes;
  }
  read_out(part, bound);
}

void run_average(Part& part, const BoundStage& bound) {
  State& state = part.state;
  if (!state.field) {
    const Matrix sums = flow(part, propagate::value_field(*state.data, state.similarity.column_rows.get(), "average"));
    Matrix means(sums.rows(), 1);
    for (Eigen::Index i = 0; i < sums.rows(); ++i) means(i, 0) = sums(i, 1) > 0 ? sums(i, 0) / sums(i, 1) : std::numeric_limits<double>::quiet_NaN();
    state.field = in_all(part, means);
    state.field_names = {"value"};
  }
  read_out(part, bound);
  propagate::note_unreached(state, "average", state.scores.array().isNaN().count(), "value");
}

// A graph's own rows, of what every process has read whole.
void run_adjacency(Part& part, const BoundStage& bound) {
  read_out(part, bound);
  const Csr& whole = *part.state.similarity.support;
  Csr own;
  own.rows = part.own_rows();
  own.columns = whole.columns;
  const std::int64_t begin = whole.begin[part.first_row()], end = whole.begin[part.first_row() + own.rows];
  for (std::int64_t i = 1; i <= own.rows; ++i) own.begin.push_back(whole.begin[part.first_row() + i] - begin);
  own.column.assign(whole.column.begin() + begin, whole.column.begin() + end);
  own.values.assign(whole.values.begin() + begin, whole.values.begin() + end);
  const bool symmetric = part.state.similarity.symmetric;
  part.state.similarity = engine::stored_similarity(std::move(own));
  part.state.similarity.symmetric = symmetric;
}

// One step of a walk: h <- (1 - a) S'h + a / N, and what rows without edges lose is spread evenly.
void walk(Part& part, double a) {
  State& state = part.state;
  const double even = 1.0 / static_cast<double>(part.rows.rows());
  const Matrix own = state.field->middleRows(part.first_row(), part.own_rows());
  const Vector reached = part.processes.sums(Vector(engine::apply_transposed(state.similarity, own, part.context).col(0)));
  const double lost = 1 - reached.sum();
  state.field = std::make_shared<const Matrix>(((1 - a) * (reached.array() + lost * even) + a * even).matrix());
}

void run_restart(Part& part, const BoundStage& bound) {
  State& state = part.state;
  const double a = bound.arguments.number("a");
  if (bound.arguments.word("side") == "left") {
    if (!state.field) {
      state.field = std::make_shared<const Matrix>(Matrix::Constant(part.rows.rows(), 1, 1.0 / static_cast<double>(part.rows.rows())));
      state.field_names = {"rank"};
    }
    return walk(part, a);
  }
  const Matrix start = propagate::class_field(*state.data, nullptr, "restart");
  if (!state.field) {
    state.field = std::make_shared<const Matrix>(start);
    state.field_names = state.data->classes;
  }
  state.field = in_all(part, (1 - a) * flow(part, *state.field) + a * start.middleRows(part.first_row(), part.own_rows()));
}

void run_repeat(Part& part, const BoundStage& bound) {
  const bool settled = propagate::settle(part.state, bound.arguments, part.context, [&] { run_stages(bound.arguments.pipeline("body"), part); });
  if (!settled) propagate::fail_unsettled(bound.arguments, part.state.figures["change"]);
}

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

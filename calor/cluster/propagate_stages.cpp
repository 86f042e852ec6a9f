#include "calor/cluster/stage_forms.h"

#include <limits>
#include <memory>

#include "calor/cluster/eigen_solver.h"
#include "calor/cluster/graph.h"
#include "calor/cluster/pairs.h"
#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/propagate/class_field.h"
#include "calor/propagate/repeat.h"
#include "calor/propagate/spectral.h"
#include "calor/propagate/stages.h"

namespace calor::cluster {

using namespace pipeline;
using engine::Pairs;

// The members of a graph's component (empty: all nodes) as a graph of their own, in blocks as their rows are.
static Csr among(const Part& part, const Csr& own, const std::vector<std::int64_t>& members, Blocks& blocks) {
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
  int calls = 0;
  problem.largest = [&](const std::vector<std::int64_t>& members, std::int64_t k, const Matrix& known) -> Pairs {
    const KeptPairs kept(part, calls++);
    if (record.support) {
      Blocks blocks;
      const Csr own = among(part, values, members, blocks);
      return largest_pairs(part.processes, blocks, own, k, known, kept, part.context);
    }
    const Product product = [&](const Vector& x) { return Vector(apply(part, part.processes.all_rows(Matrix(x), part.rows)).col(0)); };
    return largest_pairs(part.processes, part.rows, product, k, known, kept, part.context);
  };
  Kept none;
  propagate::embed(state, bound.arguments, none, problem);
}

// What flows to the own rows from all columns' field, divided by the row's sum where rows add up to 1.
static Matrix flow(const Part& part, const Matrix& field) {
  Matrix with_ones(field.rows(), field.cols() + 1);
  with_ones << field, Vector::Ones(field.rows());
  const Matrix result = apply(part, with_ones);
  Matrix means = result.leftCols(field.cols());
  if (part.state.similarity.softmax()) engine::divide_rows(means, result.col(field.cols()));
  return means;
}

static std::shared_ptr<const Matrix> in_all(const Part& part, const Matrix& own) { return std::make_shared<const Matrix>(part.processes.all_rows(own, part.rows)); }

// The stage itself reads the result out of what has flowed to all rows.
static void read_out(Part& part, const BoundStage& bound) {
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
static void walk(Part& part, double a) {
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

}  // namespace calor::cluster

// match on rows in blocks, and what goes before it: t-SNE and UMAP.  A map, of 16 bytes a point in two dimensions, is in every process; each moves a part of the
// points, and all hear where they are before the next step.  What is summed over all points is summed in every process, in one order, so that a run has the
// bits of one process's.
//   student   each process attracts and moves its own rows; the grid of the repulsion is every process's
//   rational  every process has the whole graph; each goes through a part of the heads of every part of an epoch
#include <algorithm>
#include <memory>

#include "calor/cluster/graph.h"
#include "calor/cluster/stage_forms.h"
#include "calor/core/error.h"
#include "calor/engine/normalise.h"
#include "calor/engine/passes.h"
#include "calor/propagate/match_families.h"

namespace calor::cluster {

using namespace pipeline;

void run_global(Part& part, const BoundStage&) {
  engine::Similarity& record = part.state.similarity;
  require(record.support != nullptr, Fault::usage, "[global] expected a graph for rows in blocks, found all pairs: put knn before distance. On one machine: calor run");
  const double total = engine::log_total(part.processes.all_rows(engine::log_row_sums(record, part.context), part.rows));
  if (!record.log_row.size()) record.log_row = Vector::Zero(record.rows);
  record.log_row.array() -= total;
  record.normalised.push_back(engine::Normaliser::Kind::global);
}

namespace {

// Where the map begins, found by the first process, which has all points for it, or the whole graph of the own rows' weights; the same in all.
Matrix start_of(Part& part, const Arguments& arguments, const Csr& own, bool by_graph) {
  const std::string& word = arguments.word("start");
  const bool of_points = word == "pca" || (word == "auto" && !by_graph), of_graph = !of_points && word != "random";
  State whole;
  whole.similarity.rows = part.rows.rows();
  whole.points = std::make_shared<const Matrix>(of_points ? part.processes.rows_in_first(*part.state.points, part.rows) : Matrix(0, 0));
  const Csr graph = of_graph ? graph_in_first(part, own) : Csr();
  Matrix start;
  part.processes.together([&] {
    if (part.processes.first()) start = propagate::match_start(whole, arguments, &graph, by_graph, part.context);
    else start.resize(0, arguments.integer("dims"));
  });
  return part.processes.all_rows(start, part.processes.blocks_of(start.rows()));
}

void run_student(Part& part, const Arguments& arguments, const Csr& p) {
  const Processes& processes = part.processes;
  double own = 0;
  for (const double value : p.values) own += value;
  const double sum = processes.sums(Vector::Constant(1, own))[0];
  const engine::MapShare share{part.first_row(), [&](std::int64_t columns, double* rows) {
                                 const Matrix block = Eigen::Map<const Matrix>(rows + part.first_row() * columns, part.own_rows(), columns);
                                 const Matrix all = processes.all_rows(block, part.rows);
                                 std::copy(all.data(), all.data() + all.size(), rows);
                               }};
  Kept none;
  propagate::match_student(part.state, arguments, none, p, sum, start_of(part, arguments, p, false), part.context, share);
}

void run_rational(Part& part, const Arguments& arguments, const Csr& own) {
  const Processes& processes = part.processes;
  const Matrix start = start_of(part, arguments, own, true);
  const Csr weights = graph_in_all(part, own);
  const engine::MoveShare share{processes.rank(), processes.count(), [&](const std::string& said) { return processes.all_texts(said); }};
  Kept none;
  propagate::match_rational(part.state, arguments, none, weights, start, part.context, share);
}

}  // namespace

void run_match(Part& part, const BoundStage& bound) {
  const Csr given = engine::values_on_support(part.state.similarity, part.context), turned = transpose_rows(part, given);
  Csr own;
  part.processes.together([&] { own = propagate::symmetric_weights(given, turned, part.first_row()); });
  if (bound.arguments.word("family") == "student") run_student(part, bound.arguments, own);
  else run_rational(part, bound.arguments, own);
}

}  // namespace calor::cluster

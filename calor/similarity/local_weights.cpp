// local_weights(reg): each point as a combination of its neighbours, the weights of a row adding up to 1.
// Minimises |x_i - sum_j w_ij x_j|^2; the Gram matrix of the differences gets reg * trace on its diagonal, which settles it
// where there are more neighbours than dimensions.  Roweis & Saul 2000.  O(N k^3 + N k^2 d) time.
#include <Eigen/Cholesky>

#include <algorithm>
#include <atomic>

#include "calor/core/threads.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"reg", Parameter::Takes::number, "1e-3", 0, 1e6, "", "regularisation, as a share of the Gram matrix's trace"}};

static void weigh(const Matrix& rows, const Matrix& columns, Csr& graph, double reg, std::int64_t i) {
  const std::int64_t begin = graph.begin[i], count = graph.begin[i + 1] - begin;
  if (count == 0) return;
  Matrix differences(count, rows.cols());
  for (std::int64_t a = 0; a < count; ++a) differences.row(a) = columns.row(graph.column[begin + a]) - rows.row(i);
  Eigen::MatrixXd gram = differences * differences.transpose();
  const double trace = gram.trace();
  gram.diagonal().array() += trace > 0 ? reg * trace : reg;
  Vector weights = gram.ldlt().solve(Vector::Ones(count));
  const double sum = weights.sum();
  // Without regularisation coinciding neighbours leave the system singular: then they share alike.
  if (!(std::abs(sum) > 0) || !weights.allFinite()) weights = Vector::Constant(count, 1.0 / static_cast<double>(count));
  else weights /= sum;
  std::copy_n(weights.data(), count, graph.values.begin() + begin);
}

static void put_weights(State& state, Csr graph, double reg, const Context& context) {
  graph.values.assign(graph.column.size(), 0);
  constexpr std::int64_t piece = 64;
  const std::int64_t pieces = (graph.rows + piece - 1) / piece;
  std::atomic<std::int64_t> done{0};
  parallel_for(pieces, context.threads, [&](std::int64_t p) {
    context.check_stop("local_weights");
    for (std::int64_t i = p * piece; i < std::min(graph.rows, (p + 1) * piece); ++i)
      weigh(*state.points, *state.columns, graph, reg, i);
    context.advance(static_cast<double>(++done), static_cast<double>(pieces), "local weights");
  });
  Similarity record;
  record.rows = graph.rows;
  record.columns = graph.columns;
  record.support = std::make_shared<const Csr>(std::move(graph));
  record.normalised = {Normalisation::row};
  state.similarity = std::move(record);
}

static void run(State& state, const Arguments& arguments, Kept&, const Context& context) {
  put_weights(state, *state.graph, arguments.number("reg"), context);
}

// A new point that coincides with one of the fit is that one: weight 1.
static void place(State& state, const Arguments& arguments, const Kept&, const Context& context) {
  Csr graph;
  graph.rows = state.graph->rows;
  graph.columns = state.graph->columns;
  for (std::int64_t i = 0; i < graph.rows; ++i) {
    if (!state.itself.empty() && state.itself[i] >= 0) graph.column.push_back(static_cast<std::int32_t>(state.itself[i]));
    else
      for (std::int64_t e = state.graph->begin[i]; e < state.graph->begin[i + 1]; ++e) graph.column.push_back(state.graph->column[e]);
    graph.begin.push_back(graph.edges());
  }
  put_weights(state, std::move(graph), arguments.number("reg"), context);
}

static void estimate(Estimate& estimate, const Arguments&) {
  const double k = estimate.edges / std::max(1.0, estimate.rows);
  estimate.hold(12 * estimate.edges);
  estimate.operations += estimate.rows * k * k * (estimate.features + k);
}

const Stage local_weights_stage{"local_weights", Kind::initialise, types::graph, types::similarity, parameters,
                                "each point as a combination of its neighbours", "10.1126/science.290.5500.2323", run, place, estimate};

}  // namespace calor::similarity

// expand(power): the matrix product of the similarity with itself, values along all walks of that many steps.
// On a graph row by row (Gustavson 1978): memory O(edges that are kept), charged as they come; over all pairs 8 N^2 bytes.
// Values of less than `prune` are dropped, which keeps Markov clustering sparse (van Dongen 2000), and with keep and recover what
// engine/pruned_product.h says, of the rows, or of the columns where those add up to 1.
// New points: their rows times the similarity of the fit; after Markov clustering, their values go where the flow of their columns has come to.
#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/expand.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"power", Parameter::Takes::integer, "2", 2, 64, "", "number of steps"},
    {"prune", Parameter::Takes::number, "0", 0, 1, "", "smaller values are dropped after each product"},
    {"keep", Parameter::Takes::integer, "0", 0, 1e9, "", "of each row at most so many of the largest values; 0: all"},
    {"recover", Parameter::Takes::integer, "0", 0, 1e9, "", "so many of the largest values where pruning leaves less than `mass` of a row; 0: never"},
    {"mass", Parameter::Takes::number, "0.9", 0, 1, "", "the share of a row's sum below which values are recovered"}};

Pruning pruning_of(const Arguments& arguments) {
  return {arguments.number("prune"), arguments.integer("keep"), arguments.integer("recover"), arguments.number("mass")};
}

namespace {

Matrix dense_product(const Matrix& a, const Matrix& b, double prune, const Context& context) {
  Matrix result(a.rows(), b.cols());
  constexpr std::int64_t rows = 64;
  parallel_for((a.rows() + rows - 1) / rows, context.threads, [&](std::int64_t p) {
    context.check_stop("expand");
    const std::int64_t first = p * rows, number = std::min(rows, a.rows() - first);
    result.middleRows(first, number).noalias() = a.middleRows(first, number) * b;
  });
  if (prune > 0) result = (result.array().abs() >= prune).select(result, 0.0);
  return result;
}

bool by_column(const Similarity& record) { return !record.normalised.empty() && record.normalised.back() == Normaliser::Kind::column; }

// rows * factor^steps, pruned after each step.
Csr times_power(const Csr& rows, const Csr& factor, std::int64_t steps, const Pruning& pruning, const Context& context) {
  const SparseRows by = rows_of(factor);
  SparseRows result = rows_of(rows);
  for (std::int64_t step = 1; step <= steps; ++step) {
    result = pruned_product(result, by, pruning, [](std::int64_t, SparseRow&) {}, "expand", context);
    context.advance(static_cast<double>(step), static_cast<double>(steps), "expand");
  }
  return csr_of(result);
}

// What is kept of a column where columns add up to 1, else of a row.
Csr power_on_graph(const Csr& once, std::int64_t power, const Pruning& pruning, bool columns, const Context& context) {
  if (!columns || !pruning.by_row()) return times_power(once, once, power - 1, pruning, context);
  const Csr turned = transpose(once);
  return transpose(times_power(turned, turned, power - 1, pruning, context));
}

// A row an edge: from, to, value.
Matrix as_matrix(const Csr& graph) {
  Matrix edges(static_cast<Eigen::Index>(graph.edges()), 3);
  for (std::int64_t i = 0; i < graph.rows; ++i)
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) edges.row(e) << static_cast<double>(i), static_cast<double>(graph.column[e]), graph.values[e];
  return edges;
}

Csr as_graph(const Matrix& edges, std::int64_t nodes) {
  std::vector<Edge> list;
  for (Eigen::Index e = 0; e < edges.rows(); ++e) list.push_back({static_cast<std::int64_t>(edges(e, 0)), static_cast<std::int64_t>(edges(e, 1)), edges(e, 2)});
  return from_edges(nodes, nodes, std::move(list));
}

void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const Similarity& from = state.similarity;
  const std::int64_t power = arguments.integer("power");
  const Pruning pruning = pruning_of(arguments);
  Similarity record;
  record.rows = record.columns = from.rows;
  record.symmetric = from.symmetric && from.log_row.size() == from.log_column.size() && from.log_row == from.log_column;
  // A product of stochastic matrices is one, unless something was dropped.
  if (pruning.least == 0 && pruning.keep == 0 && !from.normalised.empty() && (from.normalised.back() == Normaliser::Kind::row || from.normalised.back() == Normaliser::Kind::column))
    record.normalised = {from.normalised.back()};
  if (from.all_pairs()) {
    require(!pruning.by_row(), Fault::usage, "[expand] expected a graph for keep and recover, found all pairs: put knn or radius first, or leave both out");
    const std::shared_ptr<const Matrix> once = stored_values(from, "expand", context);
    kept.keep("values", once);
    record.dense = once;
    for (std::int64_t step = 1; step < power; ++step) {
      Reservation reserved = reserve_values(from.rows, from.rows, "expand", context);
      record.dense = share_reserved(dense_product(*record.dense, *once, pruning.least, context), std::move(reserved));
    }
  } else {
    const Csr once = values_on_support(from, context);
    kept.keep("edges", as_matrix(once));
    record.support = std::make_shared<const Csr>(power_on_graph(once, power, pruning, by_column(from), context));
  }
  state.similarity = std::move(record);
}

void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  const Similarity& from = state.similarity;
  const std::int64_t power = arguments.integer("power"), nodes = from.columns;
  Similarity record;
  if (kept.has("leads_to")) {
    const Matrix& leads_to = kept.array("leads_to");
    const Csr rows = values_on_support(from, context);
    std::vector<Edge> edges;
    for (std::int64_t i = 0; i < rows.rows; ++i)
      for (std::int64_t e = rows.begin[i]; e < rows.begin[i + 1]; ++e) edges.push_back({i, static_cast<std::int64_t>(leads_to(rows.column[e], 0)), rows.values[e]});
    record = stored_similarity(from_edges(rows.rows, nodes, std::move(edges)));
  } else if (kept.has("edges")) {
    const Csr once = as_graph(kept.array("edges"), nodes);
    Pruning pruning;
    pruning.least = arguments.number("prune");
    record = stored_similarity(times_power(values_on_support(from, context), once, power - 1, pruning, context));
  } else {
    std::shared_ptr<const Matrix> rows = stored_values(from, "expand", context);
    for (std::int64_t step = 1; step < power; ++step) rows = std::make_shared<const Matrix>(dense_product(*rows, kept.array("values"), arguments.number("prune"), context));
    record = stored_similarity(std::move(rows));
  }
  state.similarity = std::move(record);
}

void estimate(Estimate& estimate, const Arguments& arguments) {
  const double n = estimate.rows, steps = arguments.number("power") - 1;
  if (estimate.edges > 0) {
    const double degree = estimate.edges / std::max(1.0, n);
    const auto most = static_cast<double>(pruning_of(arguments).most(static_cast<std::int64_t>(n)));
    const double edges = n * std::min(most, std::pow(degree, arguments.number("power")));  // at most: neighbourhoods overlap
    estimate.operations += edges * degree;
    estimate.hold(24 * estimate.edges);  // kept for new points
    estimate.guess(24 * edges);
    estimate.edges = edges;
  } else {
    estimate.operations += steps * n * n * n;
    estimate.use((steps > 1 ? 24 : 16) * n * n);
    estimate.hold(8 * n * n);
  }
}

void outline(Outline& outline, const Arguments&) {
  require_square(outline, "expand", "compare the points with themselves (leave out to=)");
  if (outline.symmetric == Fact::yes) outline.symmetric = Fact::unknown;  // of the product, if both factors are alike
  outline.equal_both_ways = outline.plain = Fact::unknown;
  outline.scores = Outline::Scores::others;
}

}  // namespace

const Stage expand_stage{"expand", Kind::flow, types::any_similarity, types::same, parameters,
                         "the similarity times itself: walks of several steps",
                         "10.1137/040608635", run, place, estimate, outline, takes_any_form};

}  // namespace calor::propagate

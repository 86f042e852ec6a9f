// local_weights(reg): each point as a combination of its neighbours, the weights of a row adding up to 1.
// Minimises |x_i - sum_j w_ij x_j|^2; the Gram matrix of the differences gets reg * trace on its diagonal, which settles it
// where there are more neighbours than dimensions.  Roweis & Saul 2000.  O(N k^3 + N k^2 d) time.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <span>

#include "calor/core/threads.h"
#include "calor/engine/solve/dense.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/workspace.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"reg", Parameter::Takes::number, "1e-3", 0, 1e6, "", "regularisation, as a fraction of the Gram matrix's trace"}};

// The Gram matrix of the differences columns[c] - row, for the columns of `to`.  Rounded as the sums of double products are.
static void put_gram(const double* row, const Matrix& columns, std::span<const std::int32_t> to, std::span<const std::int32_t> ahead,
                     Eigen::MatrixXd& gram) {
  const kernels::Products& pairs = kernels::current_isa().products();
  const auto count = static_cast<std::int64_t>(to.size()), dim = static_cast<std::int64_t>(columns.cols());
  const std::int64_t width = pairs.double_panel_width, panels = (count + width - 1) / width, stride = panels * width;
  const kernels::WorkspaceScope scratch(kernels::WorkspaceScope::Use::piece);
  double* packed = scratch->take<double>(stride * dim);
  double* tile = scratch->take<double>(count * stride);
  for (const std::int32_t next : ahead)
    for (std::int64_t c = 0; c < dim; c += 8) __builtin_prefetch(columns.row(next).data() + c, 0, 2);
  // A few dimensions at a time, so that the lines that the lanes share stay in the first-level cache.
  constexpr std::int64_t group = 64;
  for (std::int64_t p = 0; p < panels; ++p)
    for (std::int64_t begin = 0; begin < dim; begin += group)
      for (std::int64_t lane = 0; lane < width; ++lane) {
        const std::int64_t a = p * width + lane, end = std::min(dim, begin + group);
        double* to_lane = packed + p * width * dim + lane;
        const double* column = a < count ? columns.row(to[a]).data() : row;  // no difference fills the panel up
        for (std::int64_t c = begin; c < end; ++c) to_lane[c * width] = column[c] - row[c];
      }
  pairs.double_products(packed, count, packed, panels, dim, tile, stride);
  gram.resize(count, count);
  for (std::int64_t a = 0; a < count; ++a)
    for (std::int64_t b = 0; b < count; ++b) gram(b, a) = tile[a * stride + b];
}

// Solves gram x = 1 in place of `gram` and `x`; false where a pivot is lost in rounding.
static bool solve_ones(Eigen::MatrixXd& gram, Vector& x) {
  const Eigen::Index n = gram.rows();
  const double least = std::numeric_limits<double>::epsilon() * static_cast<double>(n) * gram.diagonal().maxCoeff();
  x.setOnes(n);
  for (Eigen::Index j = 0; j < n; ++j) {
    const double pivot = gram(j, j);
    if (!(pivot > least)) return false;
    for (Eigen::Index c = j + 1; c < n; ++c) {
      const double factor = gram(c, j) / pivot;
      for (Eigen::Index r = c; r < n; ++r) gram(r, c) -= factor * gram(r, j);
      x[c] -= factor * x[j];
    }
  }
  for (Eigen::Index j = n - 1; j >= 0; --j) {
    for (Eigen::Index r = j + 1; r < n; ++r) x[j] -= gram(r, j) * x[r];
    x[j] /= gram(j, j);
  }
  return true;
}

// False where all neighbours coincide with the point, which says nothing of how it is made of them.
static bool weigh(const Matrix& rows, const Matrix& columns, Csr& graph, double reg, std::int64_t i, Eigen::MatrixXd& gram, Vector& weights) {
  const std::int64_t begin = graph.begin[i], count = graph.begin[i + 1] - begin;
  if (count == 0) return true;
  const std::span<const std::int32_t> to(graph.column.data() + begin, static_cast<std::size_t>(count));
  const std::int64_t after = i + 1 < graph.rows ? graph.begin[i + 2] : graph.begin[i + 1];
  const std::span<const std::int32_t> ahead(graph.column.data() + graph.begin[i + 1], static_cast<std::size_t>(after - graph.begin[i + 1]));
  bool apart = false;
  const auto regularised = [&] {
    put_gram(rows.row(i).data(), columns, to, ahead, gram);
    const double trace = gram.trace();
    apart = trace > 0;
    gram.diagonal().array() += apart ? reg * trace : reg;
  };
  regularised();
  if (!solve_ones(gram, weights)) {
    // Singular up to rounding: the order of the pivots matters.
    regularised();
    weights = engine::solve_symmetric(gram, Vector::Ones(count));
  }
  const double sum = weights.sum();
  // Without regularisation coinciding neighbours leave the system singular: then they share alike.
  if (!(std::abs(sum) > 0) || !weights.allFinite()) weights = Vector::Constant(count, 1.0 / static_cast<double>(count));
  else weights /= sum;
  std::copy_n(weights.data(), count, graph.values.begin() + begin);
  return apart;
}

static void put_weights(State& state, Csr graph, double reg, const Context& context) {
  graph.values.assign(graph.column.size(), 0);
  constexpr std::int64_t piece = 64;
  const std::int64_t pieces = (graph.rows + piece - 1) / piece;
  std::atomic<std::int64_t> done{0}, coinciding{0};
  parallel_for(pieces, context.threads, [&](std::int64_t p) {
    context.check_stop("local_weights");
    Eigen::MatrixXd gram;
    Vector weights;
    for (std::int64_t i = p * piece; i < std::min(graph.rows, (p + 1) * piece); ++i)
      coinciding += !weigh(*state.points, *state.columns, graph, reg, i, gram, weights);
    context.advance(static_cast<double>(++done), static_cast<double>(pieces), "local weights");
  });
  if (coinciding > 0 && !state.placing)
    state.note("local_weights", fmt::format("{} of {} rows coincide with all their neighbours, which then have equal weights: these rows cannot be told apart, "
                                            "and any difference of their coordinates is rounding",
                                            coinciding.load(), graph.rows));
  state.similarity = stored_similarity(std::move(graph));
  state.similarity.normalised = {Normaliser::Kind::row};
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
  estimate.operations += 4 * estimate.rows * k * k * (estimate.features + k);
}

static void outline(Outline& outline, const Arguments&) {
  outline.symmetric = outline.equal_both_ways = outline.plain = Fact::no;
  outline.scores = Outline::Scores::others;
}

const Stage local_weights_stage{"local_weights", Kind::initialise, types::graph, types::similarity, parameters,
                                "each point as a combination of its neighbours", "10.1126/science.290.5500.2323", run, place, estimate, outline};

}  // namespace calor::similarity

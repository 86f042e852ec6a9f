#include "calor/propagate/match_families.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/passes.h"
#include "calor/engine/solve/downhill.h"
#include "calor/engine/solve/start.h"
#include "calor/engine/values.h"

namespace calor::propagate {

using namespace pipeline;

std::int64_t match_steps(const Arguments& arguments, std::int64_t usual) {
  if (!arguments.is_number("max_iterations")) return usual;
  const double steps = arguments.number("max_iterations");
  require(steps == std::floor(steps), Fault::usage, "[match] expected a whole number of max_iterations, found {}", steps);
  return static_cast<std::int64_t>(steps);
}

void require_strengthened(const Outline& outline, std::string_view before) {
  const bool distances = outline.scores == Outline::Scores::distances || outline.scores == Outline::Scores::lengths;
  require(outline.plain != Fact::yes || !distances, Fault::usage, "[match] expected similarities, found distances: put {} before it", before);
}

namespace {

Csr edges_of(const Similarity& similarity, const Context& context) {
  if (!similarity.all_pairs()) return values_on_support(similarity, context);
  context.memory.require(20 * static_cast<std::uint64_t>(similarity.rows) * static_cast<std::uint64_t>(similarity.columns), "match",
                         fmt::format("the values of {} x {} pairs", similarity.rows, similarity.columns), "put knn before distance, or raise --max-memory");
  const Matrix values = materialise(similarity, "match", context);
  Csr graph;
  graph.rows = similarity.rows;
  graph.columns = similarity.columns;
  for (std::int64_t i = 0; i < graph.rows; ++i) {
    for (std::int64_t j = 0; j < graph.columns; ++j)
      if (values(i, j) != 0) {
        graph.column.push_back(static_cast<std::int32_t>(j));
        graph.values.push_back(values(i, j));
      }
    graph.begin.push_back(graph.edges());
  }
  return graph;
}

// The point of the fit that new point i coincides with, or -1.
std::int64_t itself(const State& state, std::int64_t i) {
  if (!state.itself.empty()) return state.itself[i];
  const Similarity& record = state.similarity;
  if (!record.all_pairs() || record.score.kind != Score::Kind::power_distance) return -1;
  for (std::int64_t j = 0; j < record.columns; ++j)
    if (pair_distance(record, i, j, record.score.metric) == 0) return j;
  return -1;
}

}  // namespace

Csr symmetric_weights(const Similarity& similarity, const Context& context) {
  const Csr given = edges_of(similarity, context);
  return symmetric_weights(given, transpose(given), 0);
}

Csr symmetric_weights(const Csr& given, const Csr& turned, std::int64_t first) {
  constexpr double rounding = 1e-9;  // of a value: factors are logarithms
  Csr graph;
  graph.rows = given.rows;
  graph.columns = given.columns;
  for (std::int64_t i = 0; i < given.rows; ++i) {
    std::int64_t f = turned.begin[i];
    for (std::int64_t e = given.begin[i]; e < given.begin[i + 1]; ++e) {
      const double value = given.values[e];
      require(value >= 0, Fault::input, "[match] expected values of at least 0, found {:.6g} in row {}: put exp before it", value, first + i + 1);
      while (f < turned.begin[i + 1] && turned.column[f] < given.column[e]) ++f;
      const double back = f < turned.begin[i + 1] && turned.column[f] == given.column[e] ? turned.values[f] : 0;
      require(std::abs(value - back) <= rounding * std::max(value, back), Fault::usage,
              "[match] expected the same value both ways, found {:.6g} and {:.6g} for rows {} and {}: put mean or union before it", value, back,
              first + i + 1, given.column[e] + 1);
      if (value == 0 || given.column[e] == first + i) continue;
      graph.column.push_back(given.column[e]);
      graph.values.push_back((value + back) / 2);
    }
    graph.begin.push_back(graph.edges());
    require(graph.begin[i + 1] > graph.begin[i], Fault::input, "[match] expected every point to be similar to another, found none for row {}: leave it out",
            first + i + 1);
  }
  return graph;
}

Matrix match_start(const State& state, const Arguments& arguments, const Csr* graph, bool by_graph, const Context& context) {
  const std::string& word = arguments.word("start");
  const std::int64_t dims = arguments.integer("dims");
  const std::int64_t n = state.similarity.rows;
  const bool dense = state.points->cols() > 0 && !state.sparse && state.points->rows() == n;
  if (word == "random") return Matrix::Zero(n, dims);
  require(word != "pca" || dense, Fault::usage, "[match] expected dense points for start=pca, found none: give start=spectral");
  if (word == "pca" || (word == "auto" && dense && !by_graph)) return principal_start(*state.points, dims, context);
  return graph ? spectral_start(*graph, dims, context)
               : spectral_start(combine_with_reverse(edges_of(state.similarity, context), [](double a, double b) { return a + b; }), dims, context);
}

constexpr std::int64_t most_starts = 15;  // of a new point
constexpr double same_view = 1e-3;        // of the map's extent: a point that moves less still sees the others so
constexpr int most_views = 4;

// The `most` largest, the first of equal ones first.
static std::vector<std::int64_t> strongest(const Vector& shares, std::int64_t most) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(shares.size()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return shares[a] > shares[b]; });
  order.resize(static_cast<std::size_t>(std::min<std::int64_t>(most, shares.size())));
  return order;
}

void place_each(State& state, const Arguments& arguments, const Kept& kept, PlaceLoss loss, double angle, const Context& context) {
  const Csr graph = edges_of(state.similarity, context);
  const Matrix& fixed = kept.array("points");
  const std::int64_t dims = fixed.cols();
  const PointTree tree(fixed);
  const double extent = fixed.rows() > 0 ? (fixed.colwise().maxCoeff() - fixed.colwise().minCoeff()).maxCoeff() : 0;
  Matrix result = Matrix::Zero(graph.rows, dims);
  std::vector<std::uint8_t> out(static_cast<std::size_t>(graph.rows), 0);
  parallel_for(graph.rows, context.threads, [&](std::int64_t i) {
    context.check_stop("match");
    if (const std::int64_t same = itself(state, i); same >= 0) {
      result.row(i) = fixed.row(same);
      return;
    }
    const std::int64_t count = graph.begin[i + 1] - graph.begin[i];
    const std::int32_t* columns = graph.column.data() + graph.begin[i];
    Vector shares = Eigen::Map<const Vector>(graph.values.data() + graph.begin[i], count);
    const double sum = count ? shares.sum() : 0;
    if (!(sum > 0)) {
      out[i] = 1;
      return;
    }
    shares /= sum;
    SeenPoints others;
    const PlacedPoint point{fixed, columns, shares.data(), count, sum, others};
    const auto at = [&](const double* y, double* gradient) { return loss(point, arguments, kept, y, gradient); };
    const auto first_at = [&](const double* y, double* gradient) {
      tree.seen_from(y, angle, others);
      return at(y, gradient);
    };
    Eigen::RowVectorXd y = Eigen::RowVectorXd::Zero(dims), gradient(dims);
    for (std::int64_t e = 0; e < count; ++e) y += shares[e] * fixed.row(columns[e]);
    double least = first_at(y.data(), gradient.data());
    for (std::int64_t e : strongest(shares, most_starts)) {  // the mean of neighbours in several groups is in none
      const Eigen::RowVectorXd other = fixed.row(columns[e]);
      const double value = first_at(other.data(), gradient.data());
      if (value < least) least = value, y = other;
    }
    for (int again = 0; again < most_views; ++again) {
      const Eigen::RowVectorXd from = y;
      tree.seen_from(y.data(), angle, others);
      downhill(dims, y.data(), at, {}, nullptr);
      if ((y - from).norm() <= same_view * extent) break;
    }
    result.row(i) = y;
  });
  if (std::count(out.begin(), out.end(), 1)) state.out_of_reach = std::move(out);
  state.points = std::make_shared<const Matrix>(std::move(result));
}

}  // namespace calor::propagate

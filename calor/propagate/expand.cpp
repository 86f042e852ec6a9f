// expand(power): the matrix product of the similarity with itself, values along all walks of that many steps.
// On a graph row by row (Gustavson 1978): memory O(edges of the result), counted before it is taken; over all pairs 8 N^2 bytes.
// Values of at most `prune` are dropped, which keeps Markov clustering sparse (van Dongen 2000).
#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"power", Parameter::Takes::integer, "2", 2, 64, "", "number of steps"},
    {"prune", Parameter::Takes::number, "0", 0, 1, "", "values of at most this size are dropped after each product"}};

namespace {

// Visits the columns of row i of a * b, each once and unsorted; `marked` holds the last row that met a column.
template <class Visit>
void walk_row(const Csr& a, const Csr& b, std::int64_t i, std::vector<std::int64_t>& marked, std::vector<std::int32_t>& met, Visit visit) {
  met.clear();
  for (std::int64_t e = a.begin[i]; e < a.begin[i + 1]; ++e) {
    const std::int64_t through = a.column[e];
    for (std::int64_t f = b.begin[through]; f < b.begin[through + 1]; ++f) {
      const std::int32_t to = b.column[f];
      if (marked[to] != i) {
        marked[to] = i;
        met.push_back(to);
      }
      visit(e, f);
    }
  }
}

constexpr std::int64_t piece = 512;

Csr product(const Csr& a, const Csr& b, double prune, const Context& context) {
  const std::int64_t pieces = (a.rows + piece - 1) / piece;
  std::vector<std::int64_t> count(static_cast<std::size_t>(a.rows), 0);
  parallel_for(pieces, context.threads, [&](std::int64_t p) {
    context.check_stop("expand");
    std::vector<std::int64_t> marked(static_cast<std::size_t>(b.columns), -1);
    std::vector<std::int32_t> met;
    for (std::int64_t i = p * piece; i < std::min(a.rows, (p + 1) * piece); ++i) {
      walk_row(a, b, i, marked, met, [](std::int64_t, std::int64_t) {});
      count[i] = static_cast<std::int64_t>(met.size());
    }
  });
  std::uint64_t edges = 0;
  for (const std::int64_t number : count) edges += static_cast<std::uint64_t>(number);
  context.memory.require(2 * 12 * edges + 8 * static_cast<std::uint64_t>(a.rows), "expand", fmt::format("a product of {} edges", edges),
                         "give a sparser graph or a larger prune, or raise --max-memory");
  std::vector<Csr> parts(static_cast<std::size_t>(pieces));
  parallel_for(pieces, context.threads, [&](std::int64_t p) {
    context.check_stop("expand");
    std::vector<std::int64_t> marked(static_cast<std::size_t>(b.columns), -1);
    std::vector<std::int32_t> met;
    Vector sum = Vector::Zero(b.columns);
    Csr& part = parts[p];
    for (std::int64_t i = p * piece; i < std::min(a.rows, (p + 1) * piece); ++i) {
      walk_row(a, b, i, marked, met, [&](std::int64_t e, std::int64_t f) { sum[b.column[f]] += a.values[e] * b.values[f]; });
      std::sort(met.begin(), met.end());
      for (const std::int32_t to : met) {
        if (std::abs(sum[to]) > prune) {
          part.column.push_back(to);
          part.values.push_back(sum[to]);
        }
        sum[to] = 0;
      }
      part.begin.push_back(part.edges());
    }
  });
  Csr result;
  result.rows = a.rows;
  result.columns = b.columns;
  for (const Csr& part : parts) {
    for (std::size_t i = 1; i < part.begin.size(); ++i) result.begin.push_back(result.edges() + part.begin[i]);
    result.column.insert(result.column.end(), part.column.begin(), part.column.end());
    result.values.insert(result.values.end(), part.values.begin(), part.values.end());
  }
  return result;
}

Matrix dense_product(const Matrix& a, const Matrix& b, double prune, const Context& context) {
  Matrix result(a.rows(), b.cols());
  constexpr std::int64_t rows = 64;
  parallel_for((a.rows() + rows - 1) / rows, context.threads, [&](std::int64_t p) {
    context.check_stop("expand");
    const std::int64_t first = p * rows, number = std::min(rows, a.rows() - first);
    result.middleRows(first, number).noalias() = a.middleRows(first, number) * b;
  });
  if (prune > 0) result = (result.array().abs() > prune).select(result, 0.0);
  return result;
}

void run(State& state, const Arguments& arguments, Kept&, const Context& context) {
  const Similarity& from = state.similarity;
  const std::int64_t power = arguments.integer("power");
  const double prune = arguments.number("prune");
  Similarity record;
  record.rows = record.columns = from.rows;
  record.symmetric = from.symmetric && from.log_row.size() == from.log_column.size() && from.log_row == from.log_column;
  // A product of stochastic matrices is one, unless something was dropped.
  if (prune == 0 && !from.normalised.empty() && (from.normalised.back() == Normaliser::Kind::row || from.normalised.back() == Normaliser::Kind::column))
    record.normalised = {from.normalised.back()};
  if (from.all_pairs()) {
    const std::shared_ptr<const Matrix> once = stored_values(from, "expand", context);
    record.dense = once;
    for (std::int64_t step = 1; step < power; ++step) {
      Reservation reserved = reserve_values(from.rows, from.rows, "expand", context);
      record.dense = share_reserved(dense_product(*record.dense, *once, prune, context), std::move(reserved));
    }
  } else {
    const Csr once = values_on_support(from, context);
    Csr result = once;
    for (std::int64_t step = 1; step < power; ++step) {
      result = product(result, once, prune, context);
      context.advance(static_cast<double>(step), static_cast<double>(power - 1), "expand");
    }
    record.support = std::make_shared<const Csr>(std::move(result));
  }
  state.similarity = std::move(record);
}

void estimate(Estimate& estimate, const Arguments& arguments) {
  const double n = estimate.rows, steps = arguments.number("power") - 1;
  if (estimate.edges > 0) {
    const double degree = estimate.edges / std::max(1.0, n);
    const double edges = std::min(n * n, n * std::pow(degree, arguments.number("power")));  // at most: neighbourhoods overlap
    estimate.operations += edges * degree;
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
                         "10.1137/040608635", run, nullptr, estimate, outline, takes_any_form};

}  // namespace calor::propagate

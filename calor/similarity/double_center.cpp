// double_center: B = -1/2 J (F o F) J with F = minus the distance and J = I - 11'/N: the inner products about the centre.
// Stores all pairs (8 N^2 bytes); with several components each is centred on its own and they do not meet.
// Torgerson 1952; new points by Gower 1968.
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static void run(State& state, const Arguments&, Kept& kept, const Context& context) {
  const std::shared_ptr<const Components> several = state.similarity.components;
  const std::shared_ptr<Matrix> values = stored_values(state.similarity, "double_center", context);
  state.similarity.dense = nullptr;
  Matrix& b = *values;
  const std::int64_t n = b.rows();
  Components one;
  one.count = 1;
  one.of.assign(static_cast<std::size_t>(n), 0);
  const Components& components = several ? *several : one;
  Vector means = Vector::Zero(n), grand = Vector::Zero(components.count);
  const std::vector<std::int64_t> sizes = components.sizes();
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t own = components.of[i];
    for (std::int64_t j = 0; j < n; ++j) {
      b(i, j) = components.of[j] == own ? b(i, j) * b(i, j) : 0;
      means[i] += b(i, j);
    }
    means[i] /= static_cast<double>(sizes[own]);
    grand[own] += means[i] / static_cast<double>(sizes[own]);
  }
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      b(i, j) = components.of[i] == components.of[j] ? -0.5 * (b(i, j) - means[i] - means[j] + grand[components.of[i]]) : 0;
  Vector group(n), all(n);
  for (std::int64_t i = 0; i < n; ++i) {
    group[i] = static_cast<double>(components.of[i]);
    all[i] = grand[components.of[i]];
  }
  kept.keep("means", Matrix(means));
  kept.keep("grand", Matrix(all));
  kept.keep("component", Matrix(group));
  state.similarity = stored_similarity(values);
  state.similarity.symmetric = true;
  state.similarity.components = several;
}

static void place(State& state, const Arguments&, const Kept& kept, const Context& context) {
  const Vector means = kept.array("means").col(0), grand = kept.array("grand").col(0), component = kept.array("component").col(0);
  const std::shared_ptr<Matrix> values = stored_values(state.similarity, "double_center", context);
  for (Eigen::Index i = 0; i < values->rows(); ++i) {
    auto row = values->row(i);
    // Centred within the component that the new point reaches nearest.
    Eigen::Index nearest = 0;
    row.maxCoeff(&nearest);
    const auto reached = [&](Eigen::Index j) { return component[j] == component[nearest] && std::isfinite(row[j]); };
    double mean = 0, count = 0;
    for (Eigen::Index j = 0; j < row.size(); ++j)
      if (reached(j)) {
        mean += row[j] * row[j];
        ++count;
      }
    mean /= std::max(1.0, count);
    for (Eigen::Index j = 0; j < row.size(); ++j)
      row[j] = reached(j) ? -0.5 * (row[j] * row[j] - mean - means[j] + grand[j]) : 0;
  }
  state.similarity = stored_similarity(values);
}

static void estimate(Estimate& estimate, const Arguments&) {
  estimate.hold(8 * estimate.rows * estimate.rows);
  estimate.pass();
  estimate.operations += Estimate::value * estimate.pairs();  // the means, and their subtraction
  estimate.kept = true;
  estimate.crowded = false;
}

static void outline(Outline& outline, const Arguments&) {
  require_all_distances(outline, "double_center");
  outline.square = outline.symmetric = outline.equal_both_ways = Fact::yes;
  outline.scores = Outline::Scores::others;
}

const Stage double_center_stage{"double_center", Kind::initialise, types::similarity, types::similarity, {},
                                "inner products of the centred points, from distances (8 N^2 bytes)", "10.1007/BF02288916", run, place, estimate, outline,
                                takes_any_form};

}  // namespace calor::similarity

// match(distance, stress): low-dimensional points whose distances match the similarity's (as minus distances), by minimising
// stress = sum_{i<j} (|y_i - y_j| - delta_ij)^2 with Guttman's transform (SMACOF), each step of which cannot raise it.
// Begins at classical scaling.  Stores half of all pairs (4 N^2 bytes); O(N^2 dims) a step.  de Leeuw 1977; de Leeuw & Mair 2009.
#include <cmath>
#include <span>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/passes.h"
#include "calor/engine/solve/block_eigen.h"
#include "calor/engine/solve/observe.h"
#include "calor/kernels/stress.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/match_families.h"

namespace calor::propagate {

using namespace pipeline;

namespace {

constexpr std::int64_t usual_most = 3000;

// The squares of the distances; each is computed once.
kernels::SymmetricMatrix squares(const Similarity& similarity, const Context& context) {
  kernels::SymmetricMatrix result = lower_triangle(similarity, context);
  for (std::int64_t i = 0; i < result.size(); ++i)
    for (double& value : std::span(result.row(i), static_cast<std::size_t>(i + 1))) {
      require(value <= 0, Fault::usage, "[match] expected minus distances, found the value {}: put it right after distance(1) or geodesic", value);
      value *= value;
    }
  return result;
}

// Torgerson's -1/2 J D^2 J as an operator: centring costs nothing beside the product.
class Centred : public BlockOperator {
 public:
  Centred(const kernels::SymmetricMatrix& squares, const Context& context) : squares_(squares), context_(context) {}
  std::int64_t size() const override { return squares_.size(); }
  Matrix products(const Matrix& x) const override {
    const Matrix y = stored_products(size(), [&](std::int64_t i) { return squares_.row(i); }, x.rowwise() - x.colwise().mean(), context_);
    return -0.5 * (y.rowwise() - y.colwise().mean());
  }

 private:
  const kernels::SymmetricMatrix& squares_;
  const Context& context_;
};

Matrix classical(const kernels::SymmetricMatrix& squares, std::int64_t dims, const Context& context) {
  const std::int64_t n = squares.size();
  const Pairs pairs = largest_pairs(Centred(squares, context), dims, Matrix(n, 0), context);
  Matrix y = Matrix::Zero(n, dims);
  for (Eigen::Index c = 0; c < pairs.vectors.cols(); ++c) y.col(c) = pairs.vectors.col(c) * std::sqrt(std::max(0.0, pairs.values[c]));
  return y;
}

// One transform Y <- B(Y) Y / N, and the stress of the Y it was given.
double transform(const kernels::SymmetricMatrix& delta, Matrix& y, const Context& context) {
  const Eigen::MatrixXd points = y;  // a dimension at a time
  Eigen::MatrixXd pulls(y.rows(), y.cols());
  const double stress = kernels::stress_pulls(delta, y.cols(), points.data(), pulls.data(), context);
  y = pulls / static_cast<double>(y.rows());
  return stress;
}

void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  if (const auto& found = state.similarity.components)
    fail(Fault::input, "[match] expected paths between all points, found {} components: give a larger k, or fit each on its own", found->count);
  const Reservation reserved = reserve_triangle(state.similarity.rows, "match", context);
  kernels::SymmetricMatrix delta = squares(state.similarity, context);
  Matrix y = classical(delta, arguments.integer("dims"), context);
  double scale = 0;
  for (std::int64_t i = 0; i < delta.size(); ++i)
    for (double& value : std::span(delta.row(i), static_cast<std::size_t>(i + 1))) {
      scale += value;
      value = std::sqrt(value);
    }
  const std::int64_t most = match_steps(arguments, usual_most);
  double stress = std::numeric_limits<double>::infinity();
  std::int64_t steps = 0;
  bool settled = false;
  std::vector<double> history;
  DescentState watched{.most_steps = most, .loss_name = "stress"};
  for (; steps < most && !settled && !context.stopping(); ++steps) {
    const double now = transform(delta, y, context);
    settled = stress - now <= arguments.number("tolerance") * now || now <= 1e-24 * scale;
    stress = now;
    history.push_back(now);
    context.advance(static_cast<double>(steps), static_cast<double>(most), "stress");
    watched.step = steps + 1;
    watched.loss = now;
    watched.loss_step = steps;
    show_step(context, watched, [&] { return y; });
  }
  if (!settled) state.note("match", fmt::format("the stress was still falling after {} steps: raise max_iterations", steps));
  Matrix last = y;
  stress = transform(delta, last, context);
  watched.loss = stress;
  watched.loss_step = steps;
  show_result(context, watched, y);
  state.figures["stress"] = stress;
  state.figures["stress_1"] = scale > 0 ? std::sqrt(stress / scale) : 0;
  state.figures["steps"] = static_cast<double>(steps);
  state.series["stress"] = std::move(history);
  kept.keep("points", y);
  state.points = std::make_shared<const Matrix>(std::move(y));
}

// Each new point on its own against the fixed ones: the same majorisation, y <- mean_j (y_j + delta_j (y - y_j) / |y - y_j|),
// begun at the fixed point of least distance.  One that coincides with a point of the fit is that point: where the fit put it is a
// minimum only as nearly as the stress had settled, sqrt(tolerance) of the points' spread or so away.
void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  const Matrix delta = -materialise(state.similarity, "match", context);
  const Matrix& fixed = kept.array("points");
  const double n = static_cast<double>(fixed.rows());
  Matrix result(delta.rows(), fixed.cols());
  parallel_for(delta.rows(), context.threads, [&](std::int64_t i) {
    Eigen::Index nearest = 0;
    const double least = delta.row(i).minCoeff(&nearest), unit = delta.row(i).mean();
    Eigen::RowVectorXd y = fixed.row(nearest);
    for (std::int64_t step = 0; least > 0 && step < match_steps(arguments, usual_most); ++step) {
      context.check_stop("match");
      const Vector distance = (fixed.rowwise() - y).rowwise().norm();
      const Vector ratio = (distance.array() > 0).select(delta.row(i).transpose().array() / distance.array(), 0.0);
      const Eigen::RowVectorXd next = fixed.colwise().mean() + (ratio.sum() * y - ratio.transpose() * fixed) / n;
      const double moved = (next - y).norm();
      y = next;
      if (moved <= 1e-9 * unit) break;
    }
    result.row(i) = y;
  });
  state.points = std::make_shared<const Matrix>(std::move(result));
}

void estimate(Estimate& estimate, const Arguments& arguments) {
  constexpr double usual_steps = 300;
  estimate.use(4 * estimate.rows * (estimate.rows + 1) + block_eigen_bytes(estimate.rows, arguments.number("dims")));
  estimate.pass();
  estimate.operations += usual_steps * estimate.rows * estimate.rows * (arguments.number("dims") + 2);
}

void outline(Outline& outline, const Arguments&) {
  require_all_distances(outline, "match");
}

}  // namespace

const MatchFamily distance_family{"distance", "stress", run, place, estimate, outline};

}  // namespace calor::propagate

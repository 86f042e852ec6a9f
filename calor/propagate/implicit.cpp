// implicit(t): H <- (I + t L)^-1 H, one backward Euler step of the heat equation, stable for any t; also the smoothest points
// that stay near H, the minimum of |X - H|^2 + t <X, L X>.
// L = I - S where rows or columns add up to 1, else D - W.  Conjugate gradients (Hestenes & Stiefel 1952) in the inner product in
// which L is self-adjoint, each column on its own: about 12 sqrt(2 t rate) products.
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/laplacian.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"t", Parameter::Takes::number, "1", 0, 1e9, "", "step size"},
    {"tolerance", Parameter::Takes::number, "1e-10", 1e-15, 1, "", "the relative residual at which it has converged", "until"},
    {"max_iterations", Parameter::Takes::integer, "10000", 1, 1e9, "", "the maximum number of conjugate gradient steps", "most"}};

namespace {

Matrix solve(const Laplacian& laplacian, const Matrix& h, const Arguments& arguments, const Context& context) {
  const double t = arguments.number("t") * laplacian.rate(), tolerance = arguments.number("tolerance");
  const Vector& weights = laplacian.weights();
  const Vector scale = (1 + arguments.number("t") * laplacian.degrees().array()).inverse();  // the diagonal, as preconditioner
  const auto product = [&](const Matrix& x) { return Matrix((1 + t) * x - t * laplacian.walk(x)); };
  const auto inner = [&](const Matrix& a, const Matrix& b) {
    return Eigen::RowVectorXd(weights.transpose() * a.cwiseProduct(b));
  };
  Matrix x = scale.asDiagonal() * h, residual = h - product(x), along = scale.asDiagonal() * residual;
  Eigen::RowVectorXd size = inner(residual, along);
  const Eigen::RowVectorXd goal = inner(h, h) * (tolerance * tolerance);
  const std::int64_t most = arguments.integer("max_iterations");
  for (std::int64_t step = 0; step < most; ++step) {
    context.check_stop("implicit");
    const Eigen::RowVectorXd left = inner(residual, residual);
    if ((left.array() <= goal.array()).all()) return x;
    const Matrix moved = product(along);
    const Eigen::RowVectorXd bend = inner(along, moved);
    // A column that has settled exactly has nowhere to go.
    const Eigen::RowVectorXd length = (bend.array() > 0).select(size.array() / bend.array(), 0.0);
    x += along * length.asDiagonal();
    residual -= moved * length.asDiagonal();
    const Matrix next = scale.asDiagonal() * residual;
    const Eigen::RowVectorXd grown = inner(residual, next);
    const Eigen::RowVectorXd keep = (size.array() > 0).select(grown.array() / size.array(), 0.0);
    along = next + along * keep.asDiagonal();
    size = grown;
    context.advance(static_cast<double>(step + 1), 12 * std::sqrt(2 * t) + 10, "implicit");
  }
  fail(Fault::convergence, "[implicit] expected a relative residual of at most {} within {} iterations, found a larger one: raise max_iterations, or tolerance",
       tolerance, most);
}

void run(State& state, const Arguments& arguments, Kept&, const Context& context) {
  require(state.points->cols() > 0, Fault::input, "[implicit] expected points with features, found a bare graph");
  const Laplacian laplacian(state.similarity, "implicit", context);
  state.points = std::make_shared<const Matrix>(solve(laplacian, *state.points, arguments, context));
}

void estimate(Estimate& estimate, const Arguments& arguments) {
  const double products = 10 + 12 * std::sqrt(2 * arguments.number("t"));
  estimate.pass(estimate.streams() ? products : 1);
  estimate.flow(products);
  estimate.hold(48 * estimate.rows * estimate.features);
}

void outline(Outline& outline, const Arguments&) {
  require_symmetric(outline, "implicit");
  outline.moved = Fact::yes;
}

}  // namespace

const Stage implicit_stage{"implicit", Kind::flow, types::any_similarity, types::points, parameters,
                           "(I + t L)^-1 H: one backward Euler step of the heat equation", "10.6028/jres.049.044", run, nullptr, estimate, outline};

}  // namespace calor::propagate

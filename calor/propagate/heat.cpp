// heat(t): H <- exp(-t L) H, the points after heat has flowed between them for a time t.
// L = I - S where rows or columns add up to 1, else D - W.  With L = rate (I - S), the walk S in [-1, 1]: on a symmetric similarity
// Chebyshev's expansion exp(-t rate (1 - x)) = sum_k (2 - [k = 0]) e^-z I_k(z) T_k(x), z = t rate, about 10 sqrt(z) products
// (Druskin & Knizhnerman 1989); else the walk's steps at random times (uniformisation), about z products.
#include <cmath>
#include <vector>

#include "calor/core/error.h"
#include "calor/engine/laplacian.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"t", Parameter::Takes::number, "1", 0, 1e6, "", "diffusion time; one step of the random walk takes 1 where rows sum to 1"}};

namespace {

// e^-z I_k(z) for k = 0, 1, .. until nothing is left in double precision, by Miller's recurrence downwards; their sum over all
// whole k is 1.
std::vector<double> bessel_weights(double z) {
  const auto last = static_cast<std::size_t>(30 + 10 * std::sqrt(z));
  std::vector<double> weights(last + 2, 0.0);
  weights[last] = 1;
  double sum = 2;
  for (std::size_t k = last; k > 0; --k) {
    weights[k - 1] = weights[k + 1] + 2 * static_cast<double>(k) / z * weights[k];
    sum += (k > 1 ? 2 : 1) * weights[k - 1];
    if (weights[k - 1] > 1e200) {
      for (double& weight : weights) weight *= 1e-200;
      sum *= 1e-200;
    }
  }
  std::size_t filled = 0;
  for (std::size_t k = 0; k <= last; ++k) {
    weights[k] /= sum;
    if (weights[k] > 1e-17) filled = k + 1;
  }
  weights.resize(filled);
  return weights;
}

Matrix by_chebyshev(const Laplacian& laplacian, const Matrix& h, double z, const Context& context) {
  const std::vector<double> weights = bessel_weights(z);
  Matrix before = h, now, result = weights[0] * h;
  for (std::size_t k = 1; k < weights.size(); ++k) {
    context.check_stop("heat");
    Matrix next = laplacian.walk(k == 1 ? h : now);
    if (k > 1) {
      next = 2 * next - before;
      before = std::move(now);
    }
    now = std::move(next);
    result += 2 * weights[k] * now;
    context.advance(static_cast<double>(k), static_cast<double>(weights.size() - 1), "heat");
  }
  return result;
}

// Poisson's probability of k steps times the k-th power of the walk.
Matrix by_steps(const Laplacian& laplacian, const Matrix& h, double z, const Context& context) {
  const auto last = static_cast<std::int64_t>(z + 9 * std::sqrt(z) + 30);
  Matrix now = h, result = std::exp(-z) * h;
  for (std::int64_t k = 1; k <= last; ++k) {
    context.check_stop("heat");
    now = laplacian.walk(now);
    result += std::exp(-z + static_cast<double>(k) * std::log(z) - std::lgamma(static_cast<double>(k) + 1)) * now;
    context.advance(static_cast<double>(k), static_cast<double>(last), "heat");
  }
  return result;
}

void run(State& state, const Arguments& arguments, Kept&, const Context& context) {
  require(state.points->cols() > 0, Fault::input, "[heat] expected points with features, found a bare graph");
  const Laplacian laplacian(state.similarity, "heat", context);
  const double z = arguments.number("t") * laplacian.rate();
  constexpr double longest = 1e8;
  require(z <= longest, Fault::usage, "[heat] expected a time of at most {:.3g} for these weights, found {}: put row before it, or give a shorter time",
          longest / laplacian.rate(), arguments.number("t"));
  if (z == 0) return;
  const bool symmetric = laplacian.weights().size() > 0;
  state.points = std::make_shared<const Matrix>(symmetric ? by_chebyshev(laplacian, *state.points, z, context)
                                                          : by_steps(laplacian, *state.points, z, context));
}

void estimate(Estimate& estimate, const Arguments& arguments) {
  const double products = 30 + 10 * std::sqrt(arguments.number("t"));
  estimate.pass(estimate.streams() ? products : 1);
  estimate.flow(products);
  estimate.use(24 * estimate.rows * estimate.features);
}

void outline(Outline& outline, const Arguments&) {
  require_square(outline, "heat", "compare the points with themselves (leave out to=)");
  outline.moved = Fact::yes;
}

}  // namespace

const Stage heat_stage{"heat", Kind::flow, types::any_similarity, types::points, parameters, "exp(-t L) H: heat flows for a time t",
                       "10.1016/0041-5553(89)90020-5", run, nullptr, estimate, outline};

}  // namespace calor::propagate

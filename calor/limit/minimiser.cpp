// T5 on R^n: an asymmetric smooth score with a unique minimiser.  Attention jumps to y*(x) and then diffuses:
//
//   H'(x) = H(y*) + eps [ C^-1 : H'' + < 2 C^-1 grad log p - C^-1 (d : C^-1), grad H > ](y*) + O(eps^2)
//
// with C the Hessian and d the third derivatives of f in y at y*.  The score here is, with r = phi(y) - psi(x),
//
//   f(x, y) = r'Ar / 2 (1 + c tanh(b . r)),   phi_k(y) = y_k + s sin y_(k+1),   psi(x) = 0.7 x_(k+1) + 0.2 x_k^2
//
// (indices modulo n), so that y* solves phi(y) = psi(x), and with J = phi'(y*) and the second derivatives phi_k,ab of phi
//
//   C = J'AJ,   d_abc = sum_kl A_kl (phi_k,ab J_lc + phi_k,ac J_lb + phi_k,bc J_la)
//                     + c sum_klm (A_kl b_m + A_km b_l + A_lm b_k) J_ka J_lb J_mc
//
// (docs/theory/general-scores.md; checked symbolically by tests/limit/test_derivations.py).  f is not symmetric, and no
// metric.  The density is normal around (0.4, ..., 0.4).
#include <Eigen/Dense>
#include <cmath>
#include <fmt/format.h>

#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/limit/experiments.h"
#include "calor/limit/regression.h"

namespace calor::limit {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double wave = 0.25, skew = 0.3, centre = 0.4;

class GeneralScore {
 public:
  explicit GeneralScore(Eigen::Index n) : n_(n), a_(MatrixXd::Identity(n, n)), b_(n) {
    for (Eigen::Index k = 0; k < n; ++k) {
      a_(k, k) = 1 + 0.3 * static_cast<double>(k);
      b_[k] = 0.8 - 0.5 * static_cast<double>(k);
      if (k > 0) a_(k, k - 1) = a_(k - 1, k) = 0.25;
    }
  }

  VectorXd phi(const VectorXd& y) const {
    VectorXd value = y;
    for (Eigen::Index k = 0; k < n_; ++k) value[k] += wave * std::sin(y[next(k)]);
    return value;
  }
  MatrixXd jacobian(const VectorXd& y) const {
    MatrixXd value = MatrixXd::Identity(n_, n_);
    for (Eigen::Index k = 0; k < n_; ++k) value(k, next(k)) += wave * std::cos(y[next(k)]);
    return value;
  }
  VectorXd psi(const VectorXd& x) const {
    VectorXd value(n_);
    for (Eigen::Index k = 0; k < n_; ++k) value[k] = 0.7 * x[next(k)] + 0.2 * x[k] * x[k];
    return value;
  }
  double score(const VectorXd& psi_x, const VectorXd& y) const {
    const VectorXd r = phi(y) - psi_x;
    return 0.5 * r.dot(a_ * r) * (1 + skew * std::tanh(b_.dot(r)));
  }
  // Newton on phi(y) = psi(x); phi is the identity and a contraction.
  VectorXd minimiser(const VectorXd& psi_x) const {
    VectorXd y = psi_x;
    for (int step = 0; step < 30; ++step) y -= jacobian(y).partialPivLu().solve(phi(y) - psi_x);
    return y;
  }
  MatrixXd hessian(const VectorXd& y) const {
    const MatrixXd j = jacobian(y);
    return j.transpose() * a_ * j;
  }
  // (d : M)_c = sum_ab d_abc M_ab for a symmetric M.
  VectorXd third_derivatives(const VectorXd& y, const MatrixXd& m) const {
    const MatrixXd j = jacobian(y), aj = a_ * j, jm = j * m;
    const MatrixXd inner = jm * j.transpose();  // J M J'
    VectorXd sum = skew * (j.transpose() * (b_ * (a_.cwiseProduct(inner)).sum() + 2 * a_ * inner * b_));
    // phi_k,ab is -s sin y_(k+1) for a = b = k + 1 and zero otherwise.
    for (Eigen::Index k = 0; k < n_; ++k) {
      const Eigen::Index at = next(k);
      const double bend = -wave * std::sin(y[at]);
      sum += bend * m(at, at) * aj.row(k).transpose();
      sum[at] += 2 * bend * aj.row(k).dot(m.row(at));
    }
    return sum;
  }

 private:
  Eigen::Index next(Eigen::Index k) const { return (k + 1) % n_; }
  Eigen::Index n_;
  MatrixXd a_;
  VectorXd b_;
};

// H(y) = sin(y_0) + 0.4 y_0 y_last + 0.3 y_last^2
double value_of(const VectorXd& y) {
  const double last = y[y.size() - 1];
  return std::sin(y[0]) + 0.4 * y[0] * last + 0.3 * last * last;
}
VectorXd gradient_of(const VectorXd& y) {
  const Eigen::Index last = y.size() - 1;
  VectorXd slope = VectorXd::Zero(y.size());
  slope[0] += std::cos(y[0]) + 0.4 * y[last];
  slope[last] += 0.4 * y[0] + 0.6 * y[last];
  return slope;
}
MatrixXd hessian_of(const VectorXd& y) {
  const Eigen::Index last = y.size() - 1;
  MatrixXd second = MatrixXd::Zero(y.size(), y.size());
  second(0, 0) -= std::sin(y[0]);
  second(0, last) += 0.4;
  second(last, 0) += 0.4;
  second(last, last) += 0.6;
  return second;
}

// H'(x), the softmax(-f / (2 eps)) average under the density, by the trapezoid rule on a lattice around y* in the coordinates
// in which f is |z|^2 eps to second order.  Error exp(-2 pi^2 / 0.7^2), e^-40.
double attended(const GeneralScore& score, const VectorXd& psi_x, const VectorXd& at, const MatrixXd& hessian, double epsilon) {
  constexpr double step = 0.7;
  constexpr int half = 14;
  const MatrixXd root = Eigen::SelfAdjointEigenSolver<MatrixXd>(hessian).operatorInverseSqrt() * std::sqrt(2 * epsilon);
  double sum = 0, total = 0;
  VectorXd z(at.size());
  const auto add = [&](const auto& self, Eigen::Index level) -> void {
    if (level == z.size()) {
      const VectorXd y = at + root * z;
      const double weight = std::exp(-score.score(psi_x, y) / (2 * epsilon) - 0.5 * (y.array() - centre).square().sum());
      total += weight;
      sum += weight * value_of(y);
      return;
    }
    for (int k = -half; k <= half; ++k) {
      z[level] = k * step;
      self(self, level + 1);
    }
  };
  add(add, 0);
  return sum / total;
}

std::vector<Row> rows_in(int n, const ClosedForms& theory, const Context& context) {
  constexpr std::int64_t query_count = 24;
  const GeneralScore score(n);
  const std::vector<double> ladder = halved(0.02, 5);
  std::vector<std::vector<double>> rate(ladder.size(), std::vector<double>(query_count));  // (H'(x) - H(y*)) / eps
  MatrixXd parts(query_count, 2);  // of the closed form: all but third derivatives, third derivatives
  Random random(23, Purpose::test, static_cast<std::uint64_t>(n));
  std::vector<VectorXd> queries;
  for (std::int64_t i = 0; i < query_count; ++i) queries.push_back(VectorXd::NullaryExpr(n, [&] { return random.uniform(-1, 1); }));
  parallel_for(query_count, context.threads, [&](std::int64_t i) {
    context.check_stop("limit");
    const VectorXd psi = score.psi(queries[static_cast<std::size_t>(i)]), at = score.minimiser(psi);
    const MatrixXd hessian = score.hessian(at), inverse = hessian.inverse();
    const VectorXd slope = gradient_of(at), log_density = centre - at.array();
    parts(i, 0) = inverse.cwiseProduct(hessian_of(at)).sum() + 2 * slope.dot(inverse * log_density);
    parts(i, 1) = -slope.dot(inverse * score.third_derivatives(at, inverse));
    for (std::size_t k = 0; k < ladder.size(); ++k)
      rate[k][static_cast<std::size_t>(i)] = (attended(score, psi, at, hessian, ladder[k]) - value_of(at)) / ladder[k];
  });

  const VectorXd closed = parts.col(0) + theory.third_derivatives * parts.col(1);
  Series errors{"measured", ladder, {}, false};
  for (std::size_t k = 0; k < ladder.size(); ++k)
    errors.y.push_back(ladder[k] * root_mean_square_difference(rate[k], {closed.data(), static_cast<std::size_t>(closed.size())}));
  const Estimate slope = order(errors.x, errors.y);
  const std::vector<double> limit = extrapolate(rate);
  const std::vector<Estimate> fit = least_squares(parts, Eigen::Map<const VectorXd>(limit.data(), query_count));
  const Plot plot{"First-order term", "closed form", "measured, extrapolated", false, false,
                  {{"queries", {closed.data(), closed.data() + closed.size()}, limit, false}}};
  return {judged({fmt::format("general score remainder order, n = {}", n), "minimiser", "T5",
                  "For an asymmetric score attention jumps to the minimiser y*(x) and diffuses there; the remainder is of order eps^2.", 2,
                  slope.value, slope.low, slope.high, 0.02, false,
                  {{"Remainder against eps", "eps", "root mean square remainder", true, true, {errors, order_line(errors, 2, "order 2")}}}}),
          judged({fmt::format("general score diffusion and density, n = {}", n), "minimiser", "T5",
                  "Diffusion C^-1 : Hess H and drift 2 C^-1 grad log p enter with the factor 1.", 1, fit[0].value, fit[0].low, fit[0].high, 0.002,
                  false, {plot}}),
          judged({fmt::format("general score third derivatives, n = {}", n), "minimiser", "T5",
                  "The third derivatives of the score drive a drift of their own, -C^-1 (d : C^-1).", theory.third_derivatives, fit[1].value,
                  fit[1].low, fit[1].high, 0.005, false, {plot}})};
}

}  // namespace

std::vector<Row> minimiser_rows(const Settings& settings, const Context& context) {
  std::vector<Row> rows;
  for (const int n : {2, 3})
    for (Row& row : rows_in(n, settings.theory, context)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace calor::limit

// T5 on R^n: asymmetric smooth scores with a unique minimiser.  Attention jumps to y*(x) and then diffuses:
//
//   H'(x) = H(y*) + eps [ C^-1 : H'' + < 2 C^-1 grad log p - C^-1 (d : C^-1), grad H > ](y*) + O(eps^2)
//
// with C the Hessian and d the third derivatives of f in y at y* (docs/theory/general-scores.md).  All derivatives are those of the
// functions below by automatic differentiation (jet.h), and y* is found from them: any other smooth score can stand in their place.
// The density is normal around (0.4, ..., 0.4).
#include <fmt/format.h>

#include <Eigen/Core>
#include <array>
#include <cmath>

#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/limit/experiments.h"
#include "calor/limit/jet.h"
#include "calor/limit/regression.h"

namespace calor::limit {
namespace {

template <int n>
using Vector = std::array<double, n>;
template <int n>
using Square = std::array<std::array<double, n>, n>;

// Where the query's tokens point: psi_k(x) = 0.7 x_(k+1) + 0.2 x_k^2, indices modulo n.
template <int n>
Vector<n> psi(const Vector<n>& x) {
  Vector<n> value;
  for (int k = 0; k < n; ++k) value[k] = 0.7 * x[(k + 1) % n] + 0.2 * x[k] * x[k];
  return value;
}

// f = r'Ar / 2 (1 + 0.3 tanh(b . r)), r_k = y_k + 0.25 sin y_(k+1) - psi_k(x): least where r = 0, by a bent and lopsided distance.
struct BentDistance {
  static constexpr const char* name = "bent distance";
  template <class T, int n>
  static T score(const Vector<n>& x, const std::array<T, n>& y) {
    using std::sin, std::tanh;
    const Vector<n> target = psi<n>(x);
    std::array<T, n> r;
    for (int k = 0; k < n; ++k) r[k] = y[k] + 0.25 * sin(y[(k + 1) % n]) - target[k];
    T form = 0, along = 0;
    for (int k = 0; k < n; ++k) {
      form = form + 0.5 * (1 + 0.3 * k) * (r[k] * r[k]);
      if (k > 0) form = form + 0.25 * (r[k] * r[k - 1]);
      along = along + (0.8 - 0.5 * k) * r[k];
    }
    return form * (1 + 0.3 * tanh(along));
  }
};

// f = sum_k (1 + 0.2 k)(y_k - psi_k)^2 / 2 + cosh(y_k) / 4 + sin(y_k + 1.5 y_(k+1) + x_k) / 10: convex, and least nowhere special, at
// a value that differs from query to query.
struct NoDistance {
  static constexpr const char* name = "no distance";
  template <class T, int n>
  static T score(const Vector<n>& x, const std::array<T, n>& y) {
    using std::cosh, std::sin;
    const Vector<n> target = psi<n>(x);
    T sum = 0;
    for (int k = 0; k < n; ++k) {
      const T gap = y[k] - target[k];
      sum = sum + (0.5 + 0.1 * k) * (gap * gap) + 0.25 * cosh(y[k]) + 0.1 * sin(y[k] + 1.5 * y[(k + 1) % n] + x[k]);
    }
    return sum;
  }
};

// H(y) = sin(y_0) + 0.4 y_0 y_last + 0.3 y_last^2
template <class T, std::size_t n>
T value_of(const std::array<T, n>& y) {
  using std::sin;
  return sin(y[0]) + 0.4 * (y[0] * y[n - 1]) + 0.3 * (y[n - 1] * y[n - 1]);
}
template <class T, std::size_t n>
T log_density(const std::array<T, n>& y) {
  T sum = 0;
  for (const T& one : y) sum = sum + -0.5 * ((one - 0.4) * (one - 0.4));
  return sum;
}

// Upper triangular R with R R' = C^-1: the inverse transpose of Cholesky's factor.
template <int n>
Square<n> inverse_root(const Square<n>& c) {
  Square<n> factor{}, root{};
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      double sum = c[i][j];
      for (int k = 0; k < j; ++k) sum -= factor[i][k] * factor[j][k];
      factor[i][j] = i == j ? std::sqrt(sum) : sum / factor[j][j];
    }
  for (int column = 0; column < n; ++column)  // L' R = I, from below
    for (int i = column; i >= 0; --i) {
      double sum = i == column;
      for (int k = i + 1; k <= column; ++k) sum -= factor[k][i] * root[k][column];
      root[i][column] = sum / factor[i][i];
    }
  return root;
}

template <int n>
Square<n> inverse_of(const Square<n>& root) {
  Square<n> inverse{};
  for (int a = 0; a < n; ++a)
    for (int b = 0; b < n; ++b)
      for (int k = 0; k < n; ++k) inverse[a][b] += root[a][k] * root[b][k];
  return inverse;
}

template <class Score, int n>
Vector<n> minimiser(const Vector<n>& x) {
  Vector<n> y = psi<n>(x);
  for (int step = 0; step < 30; ++step) {  // Newton
    const Jet<n> f = Score::template score<Jet<n>, n>(x, variables<n>(y));
    const Square<n> inverse = inverse_of<n>(inverse_root<n>(f.second));
    for (int a = 0; a < n; ++a)
      for (int b = 0; b < n; ++b) y[a] -= inverse[a][b] * f.first[b];
  }
  return y;
}

// What the theorem says of one query: the bracket without the third derivatives, and they alone.
struct Terms {
  double diffusion_and_density = 0, third_derivatives = 0;
};

template <int n>
Terms terms(const Jet<n>& f, const Jet<n>& h, const Jet<n>& density, const Square<n>& inverse) {
  Terms found;
  for (int a = 0; a < n; ++a)
    for (int b = 0; b < n; ++b) {
      double contracted = 0;  // (d : C^-1)_b
      for (int i = 0; i < n; ++i)
        for (int j = 0; j < n; ++j) contracted += f.third[i][j][b] * inverse[i][j];
      found.diffusion_and_density += inverse[a][b] * (h.second[a][b] + 2 * h.first[a] * density.first[b]);
      found.third_derivatives -= h.first[a] * inverse[a][b] * contracted;
    }
  return found;
}

// (H'(x) - H(y*)) / eps for the softmax(-f / (2 eps)) average under the density, by the trapezoid rule on a lattice around y* in the
// coordinates in which f - f* is eps |z|^2 to second order.  Error exp(-2 pi^2 / 0.7^2), e^-40; what is left out begins at exp(-8.4^2 / 2),
// e^-35.
template <class Score, int n>
double rate(const Vector<n>& x, const Vector<n>& at, const Square<n>& root, double epsilon) {
  constexpr double step = 0.7;
  constexpr int half = 12, width = 2 * half + 1;
  const double least = Score::template score<double, n>(x, at), own = value_of(at), scale = step * std::sqrt(2 * epsilon);
  int nodes = 1;
  for (int k = 0; k < n; ++k) nodes *= width;
  double sum = 0, total = 0;
  for (int node = 0; node < nodes; ++node) {
    std::array<int, n> z;
    int squared = 0;
    for (int k = 0, rest = node; k < n; ++k, rest /= width) {
      z[k] = rest % width - half;
      squared += z[k] * z[k];
    }
    if (squared > half * half) continue;
    Vector<n> y = at;
    for (int a = 0; a < n; ++a)
      for (int b = a; b < n; ++b) y[a] += scale * root[a][b] * z[b];
    const double weight = std::exp((least - Score::template score<double, n>(x, y)) / (2 * epsilon) + log_density(y));
    total += weight;
    sum += weight * (value_of(y) - own);
  }
  return sum / total / epsilon;
}

template <class Score, int n>
std::vector<Row> rows_of(const Settings& settings, const Context& context) {
  const ClosedForms& theory = settings.theory;
  const std::int64_t query_count = n == 2 ? settings.queries : settings.queries / 10;  // each an integral over a lattice in n dimensions
  const std::vector<double> ladder = halved(0.02, 5);
  std::vector<std::vector<double>> rates(ladder.size(), std::vector<double>(static_cast<std::size_t>(query_count)));
  Eigen::MatrixXd parts(query_count, 2);
  Random random(23, Purpose::test, n);
  std::vector<Vector<n>> queries(static_cast<std::size_t>(query_count));
  for (Vector<n>& x : queries)
    for (double& value : x) value = random.uniform(-1, 1);
  parallel_for(query_count, context.threads, [&](std::int64_t i) {
    context.check_stop("limit");
    const Vector<n>& x = queries[static_cast<std::size_t>(i)];
    const Vector<n> at = minimiser<Score, n>(x);
    const auto y = variables<n>(at);
    const Jet<n> f = Score::template score<Jet<n>, n>(x, y);
    const Square<n> root = inverse_root<n>(f.second);
    const Terms closed = terms<n>(f, value_of(y), log_density(y), inverse_of<n>(root));
    parts.row(i) << closed.diffusion_and_density, closed.third_derivatives;
    for (std::size_t k = 0; k < ladder.size(); ++k) rates[k][static_cast<std::size_t>(i)] = rate<Score, n>(x, at, root, ladder[k]);
  });

  const Eigen::VectorXd closed = parts.col(0) + theory.third_derivatives * parts.col(1);
  Series errors{"measured", ladder, {}, false};
  for (std::size_t k = 0; k < ladder.size(); ++k)
    errors.y.push_back(ladder[k] * root_mean_square_difference(rates[k], {closed.data(), static_cast<std::size_t>(closed.size())}));
  const Estimate slope = order(errors.x, errors.y);
  const std::vector<double> limit = extrapolate(rates);
  const std::vector<Estimate> fit = least_squares(parts, Eigen::Map<const Eigen::VectorXd>(limit.data(), query_count));
  const Plot plot{"First-order term", "closed form", "measured, extrapolated", false, false,
                  {{"queries", {closed.data(), closed.data() + closed.size()}, limit, false}}};
  return {judged({fmt::format("{} remainder order, n = {}", Score::name, n), "minimiser", "T5",
                  "For an asymmetric score attention jumps to the minimiser y*(x) and diffuses there; the remainder is of order eps^2.", 2,
                  slope.value, slope.low, slope.high, 0.02, false,
                  {{"Remainder against eps", "eps", "root mean square remainder", true, true, {errors, order_line(errors, 2, "order 2")}}}}),
          judged({fmt::format("{} diffusion and density, n = {}", Score::name, n), "minimiser", "T5",
                  "Diffusion C^-1 : Hess H and drift 2 C^-1 grad log p enter with the factor 1.", 1, fit[0].value, fit[0].low, fit[0].high, 0.002,
                  false, {plot}}),
          judged({fmt::format("{} third derivatives, n = {}", Score::name, n), "minimiser", "T5",
                  "The third derivatives of the score drive a drift of their own, -C^-1 (d : C^-1).", theory.third_derivatives, fit[1].value,
                  fit[1].low, fit[1].high, 0.005, false, {plot}})};
}

}  // namespace

std::vector<Row> minimiser_rows(const Settings& settings, const Context& context) {
  std::vector<Row> rows;
  for (const auto& some : {rows_of<BentDistance, 2>(settings, context), rows_of<BentDistance, 3>(settings, context),
                           rows_of<NoDistance, 2>(settings, context), rows_of<NoDistance, 3>(settings, context)})
    rows.insert(rows.end(), some.begin(), some.end());
  return rows;
}

}  // namespace calor::limit

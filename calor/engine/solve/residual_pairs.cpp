// The smallest eigenpairs of (I - W)'(I - W): they lie 1e-7 apart and below a spectrum of about 1, where Lanczos's method alone
// would take 10^4 products.  Shift and invert takes a factorisation and about twenty solutions.
#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/engine/solve/dense.h"
#include "calor/engine/solve/eigenpairs.h"
#include "calor/engine/solve/krylov.h"
#include "calor/engine/solve/sparse_cholesky.h"

namespace calor::engine {

namespace {

constexpr std::int64_t dense_below = 200;     // the dense solver takes a few milliseconds there
constexpr double tolerance = 1e-10;           // of an eigenvalue of the inverse, relative
constexpr double largest_residual = 1e-10;    // |M v - lambda v| over the largest diagonal entry of M
constexpr int most_restarts = 1000;

// x -> (M + shift)^-1 x on the vectors that add up to 0: constants are the eigenvectors of 0.
struct Inverse {
  const SparseCholesky* factors;
  const Context* context;
  mutable std::int64_t solutions = 0;
  void operator()(const double* in, double* out) const {
    context->check_stop("eigen");
    const Eigen::Map<const Vector> x(in, factors->size());
    const Vector y = factors->solve(x.array() - x.mean());
    Eigen::Map<Vector>(out, factors->size()) = y.array() - y.mean();
    ++solutions;
    context->advance(static_cast<double>(solutions), static_cast<double>(solutions + 10), "eigenvectors");
  }
};

Sparse residual_matrix(const Csr& weights) {
  std::vector<Eigen::Triplet<double>> entries;
  entries.reserve(static_cast<std::size_t>(weights.edges() + weights.rows));
  for (std::int64_t i = 0; i < weights.rows; ++i) {
    entries.emplace_back(static_cast<int>(i), static_cast<int>(i), 1.0);
    for (std::int64_t e = weights.begin[i]; e < weights.begin[i + 1]; ++e)
      entries.emplace_back(static_cast<int>(i), weights.column[e], -weights.values[e]);
  }
  Sparse difference(weights.rows, weights.columns);
  difference.setFromTriplets(entries.begin(), entries.end());
  return Sparse(difference.transpose()) * difference;
}

Pairs from_dense(const Sparse& m, std::int64_t k) {
  const SymmetricPairs pairs = symmetric_eigenpairs(Eigen::MatrixXd(m));
  return {pairs.values.segment(1, k), pairs.vectors.middleCols(1, k)};
}

Pairs by_inversion(Sparse& m, std::int64_t k, const Context& context) {
  const std::int64_t n = m.rows();
  SparseCholesky factors(m);
  context.memory.require(factors.bytes(), "eigen",
                         fmt::format("the factorisation of {} points with {:.3g} numbers", n, static_cast<double>(factors.nonzeros())),
                         "raise --max-memory, lower k of knn, or fit a sample and place the others with calor apply");
  // The matrix is singular along the constant: a shift far below the eigenvalues looked for, far above rounding.  Points that hang
  // together by one direction of their edges alone make it more singular, and rounding may then take a larger one.
  const double mean = m.diagonal().sum() / static_cast<double>(n);
  double shift = 0;
  bool positive = false;
  for (const double share : {1e-12, 1e-10, 1e-8}) {
    if (positive) break;
    const double more = share * mean - shift;
    for (std::int64_t i = 0; i < n; ++i) m.coeffRef(static_cast<int>(i), static_cast<int>(i)) += more;
    shift = share * mean;
    positive = factors.factorise(m, context);
  }
  require(positive, Fault::convergence,
          "[eigen] expected a positive residual matrix, found a factorisation that failed: raise reg of local_weights");
  Random random(0, Purpose::weights, 0);
  Vector start(n);
  for (double& value : start) value = random.normal();
  const std::int64_t basis = std::min(n, std::max(2 * k + 1, k + 6));
  const KrylovPairs found =
      largest_symmetric(n, Inverse{&factors, &context}, k, {basis, most_restarts, tolerance}, start);
  require(found.converged, Fault::convergence,
          "[eigen] expected {} eigenpairs, found them not converged: raise reg of local_weights", k);
  Pairs result{found.pairs.values.array().inverse() - shift, found.pairs.vectors};
  const double scale = m.diagonal().maxCoeff();
  for (Eigen::Index c = 0; c < k; ++c) {
    const Vector left = m * result.vectors.col(c) - (result.values[c] + shift) * result.vectors.col(c);
    require(left.norm() <= largest_residual * scale, Fault::convergence,
            "[eigen] expected eigenvectors with a residual of at most {:g}, found {:g}: raise reg of local_weights", largest_residual * scale,
            left.norm());
  }
  return result;
}

}  // namespace

Pairs smallest_residual_pairs(const Csr& weights, std::int64_t k, const Context& context) {
  const std::int64_t n = weights.rows;
  k = std::min(k, n - 1);
  Pairs result;
  if (k <= 0) {
    result.vectors.resize(n, 0);
    return result;
  }
  Sparse m = residual_matrix(weights);
  result = n < dense_below || k + 3 >= n ? from_dense(m, k) : by_inversion(m, k, context);
  fix_signs(result.vectors);
  return result;
}

}  // namespace calor::engine

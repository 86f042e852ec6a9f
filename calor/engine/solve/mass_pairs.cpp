// The smooth end of a stiffness matrix: eigenvalues lie near 4 pi k / area below a spectrum that reaches the inverse of the smallest triangle.  Shift and
// invert takes a factorisation (a surface fills little: 10^4 points 10^6 numbers) and about four solutions a pair.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/solve/block_eigen.h"
#include "calor/engine/solve/dense.h"
#include "calor/engine/solve/eigenpairs.h"
#include "calor/engine/solve/sparse_cholesky.h"

namespace calor::engine {

namespace {

constexpr std::int64_t dense_below = 200;  // the dense solver takes a few milliseconds there

// mass^-1/2 stiffness mass^-1/2 on the nodes that have mass, and its null vectors.
struct Conjugate {
  std::vector<std::int64_t> nodes;
  Vector half;    // square roots of their masses
  Sparse matrix;
  Matrix known;   // orthonormal; a component each
};

Conjugate conjugate_of(const Csr& stiffness, const Vector& mass) {
  Conjugate result;
  std::vector<std::int64_t> number(static_cast<std::size_t>(stiffness.rows), -1);
  for (std::int64_t i = 0; i < stiffness.rows; ++i)
    if (mass[i] > 0) {
      number[i] = static_cast<std::int64_t>(result.nodes.size());
      result.nodes.push_back(i);
    }
  const auto n = static_cast<std::int64_t>(result.nodes.size());
  result.half.resize(n);
  for (std::int64_t p = 0; p < n; ++p) result.half[p] = std::sqrt(mass[result.nodes[p]]);
  Csr graph;
  graph.rows = graph.columns = n;
  std::vector<Eigen::Triplet<double>> entries;
  for (std::int64_t p = 0; p < n; ++p) {
    const std::int64_t i = result.nodes[p];
    for (std::int64_t e = stiffness.begin[i]; e < stiffness.begin[i + 1]; ++e) {
      const std::int64_t q = number[stiffness.column[e]];
      if (q < 0) continue;
      graph.column.push_back(static_cast<std::int32_t>(q));
      entries.emplace_back(static_cast<int>(p), static_cast<int>(q), stiffness.values[e] / (result.half[p] * result.half[q]));
    }
    graph.begin.push_back(graph.edges());
  }
  result.matrix.resize(n, n);
  result.matrix.setFromTriplets(entries.begin(), entries.end());
  const Components components = connected_components(graph);
  result.known = Matrix::Zero(n, components.count);
  for (std::int64_t p = 0; p < n; ++p) result.known(p, components.of[p]) = result.half[p];
  for (std::int64_t c = 0; c < components.count; ++c) result.known.col(c).normalize();
  return result;
}

class Inverse final : public BlockOperator {
 public:
  Inverse(const SparseCholesky& factors, const Context& context) : factors_(factors), context_(context) {}
  std::int64_t size() const override { return factors_.size(); }
  Matrix products(const Matrix& x) const override {
    Matrix y(x.rows(), x.cols());
    std::vector<Vector> columns(static_cast<std::size_t>(x.cols()));
    parallel_for(x.cols(), context_.threads, [&](std::int64_t c) { columns[c] = factors_.solve(x.col(c)); });
    for (Eigen::Index c = 0; c < x.cols(); ++c) y.col(c) = columns[c];
    return y;
  }

 private:
  const SparseCholesky& factors_;
  const Context& context_;
};

// Beside the null vectors, which are put above all others.
Pairs from_dense(const Conjugate& a, std::int64_t k) {
  Eigen::MatrixXd full(a.matrix);
  const double above = 2 * full.cwiseAbs().rowwise().sum().maxCoeff() + 1;
  full += above * a.known * a.known.transpose();
  const SymmetricPairs pairs = symmetric_eigenpairs(full);
  return {pairs.values.head(k), pairs.vectors.leftCols(k)};
}

Pairs by_inversion(Conjugate& a, std::int64_t k, const Context& context) {
  SparseCholesky factors(a.matrix);
  const Reservation reservation = context.memory.reserve(factors.bytes() + static_cast<std::uint64_t>(block_eigen_bytes(static_cast<double>(factors.size()), static_cast<double>(k))), "eigen",
                                                         fmt::format("the factorisation of {} points with {:.3g} numbers", factors.size(),
                                                             static_cast<double>(factors.nonzeros())),
                                                         "use a coarser mesh, ask for fewer pairs, or raise --max-memory");
  // A hundredth of the first eigenvalue that Weyl's law gives; more where slivers leave pivots to rounding.
  const double first = 0.04 * std::numbers::pi / a.half.squaredNorm();
  double shift = 0;
  bool positive = false;
  for (const double wanted : {first, 100 * first, 1e4 * first}) {
    if (positive) break;
    for (std::int64_t i = 0; i < factors.size(); ++i) a.matrix.coeffRef(static_cast<int>(i), static_cast<int>(i)) += wanted - shift;
    shift = wanted;
    positive = factors.factorise(a.matrix, context);
  }
  require(positive, Fault::convergence, "[eigen] expected a positive stiffness matrix, found a factorisation that failed: give a mesh without slivers");
  Pairs result = largest_pairs_in_blocks(Inverse(factors, context), k, a.known, context);
  result.values = result.values.array().inverse() - shift;
  return result;
}

}  // namespace

Pairs smallest_mass_pairs(const Csr& stiffness, const Vector& mass, std::int64_t k, const Context& context) {
  Conjugate a = conjugate_of(stiffness, mass);
  const auto n = static_cast<std::int64_t>(a.nodes.size());
  k = std::min(k, n);
  const std::int64_t constant = std::min(k, a.known.cols()), others = k - constant;
  Pairs found{Vector(0), Matrix(n, 0)};
  if (others > 0) found = n < dense_below || 2 * (others + 5 * kernels::block_width) > n - a.known.cols() ? from_dense(a, others) : by_inversion(a,
      others, context);
  Pairs result{Vector::Zero(k), Matrix::Zero(stiffness.rows, k)};
  result.values.tail(others) = found.values.cwiseMax(0.0);
  for (std::int64_t p = 0; p < n; ++p) {
    result.vectors.row(a.nodes[p]).head(constant) = a.known.row(p).head(constant) / a.half[p];
    result.vectors.row(a.nodes[p]).tail(others) = found.vectors.row(p) / a.half[p];
  }
  fix_signs(result.vectors);
  return result;
}

}  // namespace calor::engine

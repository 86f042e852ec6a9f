#include <algorithm>
#include <cmath>
#include <memory>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/engine/solve/block_eigen.h"
#include "calor/engine/solve/dense.h"
#include "calor/engine/solve/eigenpairs.h"
#include "calor/engine/solve/krylov.h"
#include "calor/engine/passes.h"

namespace calor::engine {

namespace {

constexpr std::int64_t dense_below = 200;  // the dense solver takes a few milliseconds there
constexpr double tolerance = 1e-10;        // of an eigenvalue, relative
constexpr int most_restarts = 2000;

class SparseOperator : public SymmetricOperator {
 public:
  SparseOperator(Csr graph, int threads) : graph_(std::move(graph)), threads_(threads) {}
  std::int64_t size() const override { return graph_.rows; }
  Vector operator()(const Vector& x) const override {
    Vector y(graph_.rows);
    constexpr std::int64_t piece = 2048;
    parallel_for((size() + piece - 1) / piece, threads_, [&](std::int64_t p) {
      for (std::int64_t i = p * piece; i < std::min(size(), (p + 1) * piece); ++i) {
        double sum = 0;
        for (std::int64_t e = graph_.begin[i]; e < graph_.begin[i + 1]; ++e) sum += graph_.values[e] * x[graph_.column[e]];
        y[i] = sum;
      }
    });
    return y;
  }

 private:
  Csr graph_;
  int threads_;
};

// The operator without the known eigenvectors.
struct Deflated {
  const SymmetricOperator* a;
  const Matrix* known;
  const Context* context;
  double shift;  // added to what is deflated, so that it lies below all that is looked for
  double unit;   // of the eigenvalues: the solver's tolerance has a part that is absolute
  mutable std::int64_t products = 0;

  std::int64_t rows() const { return a->size(); }
  void operator()(const double* in, double* out) const {
    context->check_stop("eigen");
    const Eigen::Map<const Vector> x(in, rows());
    Vector y;
    if (known->cols() == 0) {
      y = (*a)(x);
    } else {
      const Vector along = known->transpose() * x;
      y = (*a)(x - *known * along);
      y -= *known * (known->transpose() * y);
      y -= shift * (*known * along);
    }
    Eigen::Map<Vector>(out, rows()) = y / unit;
    ++products;
    context->advance(static_cast<double>(products), static_cast<double>(products + 40), "eigenvectors");
  }
};

Pairs from_dense(const Deflated& a, std::int64_t k) {
  const std::int64_t n = a.rows();
  Eigen::MatrixXd full(n, n);
  for (std::int64_t j = 0; j < n; ++j) {
    const Vector unit = Vector::Unit(n, j);
    a(unit.data(), full.col(j).data());
  }
  const SymmetricPairs pairs = symmetric_eigenpairs((full + full.transpose()) / 2);
  return {pairs.values.reverse().head(k), pairs.vectors.rowwise().reverse().leftCols(k)};
}

Vector beginning(std::int64_t n, const Matrix& known) {
  Random random(0, Purpose::weights, 0);
  Vector x(n);
  for (double& value : x) value = random.normal();
  if (known.cols()) x -= known * (known.transpose() * x);
  return x;
}

}  // namespace

void fix_signs(Matrix& vectors) {
  for (Eigen::Index c = 0; c < vectors.cols(); ++c) {
    if (vectors.rows() == 0) return;
    // Ties up to rounding (an odd function has two equal extremes) go to the first.
    const double greatest = vectors.col(c).cwiseAbs().maxCoeff();
    Eigen::Index at = 0;
    while (std::abs(vectors(at, c)) < greatest * (1 - 1e-6)) ++at;
    if (vectors(at, c) < 0) vectors.col(c) *= -1;
  }
}

Pairs largest_pairs(const SymmetricOperator& a, std::int64_t k, const Matrix& known, const Context& context) {
  if (const auto* blocks = dynamic_cast<const BlockOperator*>(&a)) return largest_pairs_in_blocks(*blocks, k, known, context);
  const std::int64_t n = a.size();
  k = std::min(k, n - known.cols());
  // A lower bound of the norm, within a small factor of it.
  double bound = 0;
  Vector x = beginning(n, known).normalized();
  for (int step = 0; step < 10; ++step) {
    const Vector y = a(x);
    bound = std::max(bound, y.norm());
    if (!(y.norm() > 0)) break;
    x = y.normalized();
  }
  // What has known eigenvectors is normalised, with a spectrum within [-1, 1]; others are measured in a power of two near their norm.
  const bool ordinary = known.cols() > 0 || bound == 0 || !std::isfinite(bound) || (bound > 1e-3 && bound < 1e3);
  Deflated deflated{&a, &known, &context, 2 * (ordinary ? std::max(1.0, bound) : bound), ordinary ? 1 : std::ldexp(1.0, std::ilogb(bound))};
  Pairs result;
  if (k <= 0) {
    result.vectors.resize(n, 0);
    return result;
  }
  if (n < dense_below || k + 2 >= n) {
    result = from_dense(deflated, k);
  } else {
    const std::int64_t basis = std::min(n, std::max(2 * k + 1, k + 24));
    const KrylovPairs found =
        largest_symmetric(n, std::cref(deflated), k, {basis, most_restarts, tolerance}, beginning(n, known));
    require(found.converged, Fault::convergence,
            "[eigen] expected {} eigenpairs, found them not converged after {} restarts: ask for more or fewer, or a larger k of knn", k,
            most_restarts);
    result.values = found.pairs.values;
    result.vectors = found.pairs.vectors;
  }
  result.values *= deflated.unit;
  fix_signs(result.vectors);
  return result;
}

std::unique_ptr<SymmetricOperator> conjugate(const Similarity& similarity, const std::vector<std::int64_t>& members, const Context& context) {
  Similarity record = similarity;
  Vector half = Vector::Zero(record.rows);
  for (std::int64_t i = 0; i < record.rows; ++i) half[i] = (record.row_factor(i) + record.column_factor(i)) / 2;
  record.log_row = record.log_column = half;
  const bool all = members.empty();
  const std::int64_t n = all ? record.rows : static_cast<std::int64_t>(members.size());
  if (record.all_pairs()) return all_pairs_conjugate(record, members, context);
  std::vector<std::int32_t> number(static_cast<std::size_t>(record.columns), -1);
  for (std::int64_t m = 0; !all && m < n; ++m) number[members[m]] = static_cast<std::int32_t>(m);
  Csr values = values_on_support(record, context), graph;
  if (all) return std::make_unique<SparseOperator>(std::move(values), context.threads);
  graph.rows = graph.columns = n;
  for (const std::int64_t i : members) {
    for (std::int64_t e = values.begin[i]; e < values.begin[i + 1]; ++e)
      if (const std::int32_t to = number[values.column[e]]; to >= 0) {
        graph.column.push_back(to);
        graph.values.push_back(values.values[e]);
      }
    graph.begin.push_back(graph.edges());
  }
  return std::make_unique<SparseOperator>(std::move(graph), context.threads);
}

}  // namespace calor::engine

#include "calor/engine/solve/block_eigen.h"

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/engine/solve/dense.h"

namespace calor::engine {

using kernels::block_width;

namespace {

using Basis = Eigen::MatrixXd;  // columns are vectors

constexpr std::int64_t usual_columns = 192;  // of the basis: a restart loses little, and orthogonalising costs less than the products
constexpr std::int64_t most_products = 20000;
constexpr double tolerance = 1e-10, rounding = 1e-14;

std::int64_t basis_columns(std::int64_t k) { return std::max(usual_columns, (2 * k + 80) / block_width * block_width); }

class Solver {
 public:
  Solver(const BlockOperator& a, std::int64_t k, std::int64_t columns, const Matrix& known, const Context& context)
      : a_(a), known_(known), context_(context), n_(a.size()), k_(k), columns_(columns), random_(0, Purpose::weights, 0),
        basis_(n_, columns + block_width), projected_(Basis::Zero(columns, columns)) {}

  Pairs solve() {
    Basis start(n_, block_width);
    for (double& value : start.reshaped()) value = random_.normal();
    leave_out_known(start);
    width_ = 0;
    basis_.leftCols(block_width) = orthonormal(start);
    std::int64_t next_look = 2;
    for (std::int64_t step = 1; step <= most_products; ++step) {
      extend(step);
      const bool full = width_ == columns_;
      if (step >= next_look || full) {
        const SymmetricPairs ritz = symmetric_eigenpairs(projected_.topLeftCorner(width_, width_));
        if (width_ >= k_ && converged(ritz)) return pairs_of(ritz);
        if (full) restart(ritz);
        next_look = step + std::max<std::int64_t>(1, step / 5);
      }
    }
    fail(Fault::convergence, "[eigen] expected {} eigenpairs, found them not converged after {} products: ask for more or fewer", k_,
         most_products * block_width);
  }

 private:
  void leave_out_known(Basis& x) const {
    if (known_.cols()) x -= known_ * (known_.transpose() * x);
  }

  // An orthonormal block that spans what is left of x beside the first width_ columns of the basis, to which it is already orthogonal;
  // `factor` becomes what makes x of it.  Columns that are rounding alone give way to random ones.
  Basis orthonormal(const Basis& x) {
    Basis q(n_, block_width);
    factor_ = Basis::Zero(block_width, block_width);
    for (std::int64_t c = 0; c < block_width; ++c) {
      Vector w = x.col(c);
      for (int pass = 0; pass < 2; ++pass) {
        const Vector along = q.leftCols(c).transpose() * w;
        w -= q.leftCols(c) * along;
        factor_.col(c).head(c) += along;
      }
      double length = w.norm();
      if (length > 10 * rounding * largest_) {
        factor_(c, c) = length;
      } else {
        for (double& value : w) value = random_.normal();
        for (int pass = 0; pass < 2; ++pass) {
          if (known_.cols()) w -= known_ * (known_.transpose() * w);
          w -= basis_.leftCols(width_) * (basis_.leftCols(width_).transpose() * w);
          w -= q.leftCols(c) * (q.leftCols(c).transpose() * w);
        }
        length = w.norm();
      }
      q.col(c) = w / length;
    }
    return q;
  }

  // One more block of A's projection, and the next block of the basis.
  void extend(std::int64_t step) {
    context_.check_stop("eigen");
    const std::int64_t begin = width_;
    width_ += block_width;
    Basis w = a_.products(basis_.middleCols(begin, block_width));
    leave_out_known(w);
    // In exact arithmetic only the last two blocks and what a restart kept are met; the second pass is for rounding.
    const std::int64_t met = std::min(begin, std::max(met_, std::min<std::int64_t>(block_width, begin)));
    const auto near = basis_.middleCols(begin - met, met + block_width);
    Basis along = near.transpose() * w;
    w -= near * along;
    const auto all = basis_.leftCols(width_);
    const Basis rest = all.transpose() * w;
    w -= all * rest;
    along += rest.bottomRows(met + block_width);
    projected_.block(begin - met, begin, met + block_width, block_width) = along;
    projected_.block(begin, begin - met, block_width, met + block_width) = along.transpose();
    const Basis own = along.bottomRows(block_width);
    projected_.block(begin, begin, block_width, block_width) = (own + own.transpose()) / 2;
    largest_ = std::max(largest_, along.norm());
    met_ = 0;
    basis_.middleCols(width_, block_width) = orthonormal(w);
    context_.advance(static_cast<double>(step), static_cast<double>(step + 10), "eigenvectors");
  }

  bool converged(const SymmetricPairs& ritz) const {
    const double greatest = ritz.values.cwiseAbs().maxCoeff();
    for (std::int64_t i = 0; i < k_; ++i) {
      const double residual = (factor_ * ritz.vectors.col(width_ - 1 - i).tail(block_width)).norm();
      if (residual > std::max(tolerance * std::abs(ritz.values[width_ - 1 - i]), rounding * greatest)) return false;
    }
    return true;
  }

  Pairs pairs_of(const SymmetricPairs& ritz) const {
    Pairs result;
    result.values = ritz.values.reverse().head(k_);
    result.vectors = basis_.leftCols(width_) * ritz.vectors.rowwise().reverse().leftCols(k_);
    fix_signs(result.vectors);
    return result;
  }

  // Keeps the best Ritz vectors and the next block.
  void restart(const SymmetricPairs& ritz) {
    const std::int64_t kept = (k_ + columns_) / 2 / block_width * block_width;
    const Basis vectors = basis_.leftCols(width_) * ritz.vectors.rightCols(kept);
    const Basis next = basis_.middleCols(width_, block_width);
    basis_.leftCols(kept) = vectors;
    basis_.middleCols(kept, block_width) = next;
    projected_.setZero();
    projected_.diagonal().head(kept) = ritz.values.tail(kept);
    width_ = met_ = kept;
  }

  const BlockOperator& a_;
  const Matrix& known_;
  const Context& context_;
  const std::int64_t n_, k_, columns_;
  Random random_;
  Basis basis_, projected_, factor_;
  std::int64_t width_ = 0;  // columns of the basis whose projection is known; a block follows them
  std::int64_t met_ = 0;    // columns that the next block's product reaches beyond the block before it
  double largest_ = 0;      // a lower bound of A's norm
};

Pairs from_whole_matrix(const BlockOperator& a, std::int64_t k, const Matrix& known, const Context& context) {
  const std::int64_t n = a.size();
  Basis full(n, n);
  for (std::int64_t j = 0; j < n; j += block_width) {
    context.check_stop("eigen");
    Matrix unit = Matrix::Zero(n, block_width);
    const std::int64_t count = std::min(block_width, n - j);
    for (std::int64_t c = 0; c < count; ++c) unit(j + c, c) = 1;
    full.middleCols(j, count) = a.products(unit).leftCols(count);
    context.advance(static_cast<double>(j), static_cast<double>(n), "eigenvectors");
  }
  full = ((full + full.transpose()) / 2).eval();
  if (known.cols()) {
    // Below all others: no eigenvalue is less than minus the greatest row sum.
    const double below = 2 * full.cwiseAbs().rowwise().sum().maxCoeff() + 1;
    full -= known * (known.transpose() * full);
    full -= (full * known) * known.transpose();
    full -= below * known * known.transpose();
  }
  const SymmetricPairs pairs = symmetric_eigenpairs(full);
  Pairs result{pairs.values.reverse().head(k), pairs.vectors.rowwise().reverse().leftCols(k)};
  fix_signs(result.vectors);
  return result;
}

}  // namespace

Vector BlockOperator::operator()(const Vector& x) const {
  Matrix block = Matrix::Zero(x.size(), block_width);
  block.col(0) = x;
  return products(block).col(0);
}

Pairs largest_pairs_in_blocks(const BlockOperator& a, std::int64_t k, const Matrix& known, const Context& context) {
  const std::int64_t room = a.size() - known.cols();
  k = std::min(k, room);
  if (k <= 0) return {Vector(0), Matrix(a.size(), 0)};
  constexpr std::int64_t dense_below = 200;  // the dense solver takes a few milliseconds there
  const std::int64_t columns = std::min(basis_columns(k), room / 2 / block_width * block_width);
  if (a.size() < dense_below || columns < k + 4 * block_width) return from_whole_matrix(a, k, known, context);
  return Solver(a, k, columns, known, context).solve();
}

double block_eigen_bytes(double n, double k) {
  const double columns = static_cast<double>(basis_columns(static_cast<std::int64_t>(k)));
  // The basis, its best part at a restart, a few blocks, and the sums of a product's sixteen pieces.
  return 8 * n * (columns + (columns + k) / 2 + 6 * block_width + 16 * block_width);
}

}  // namespace calor::engine

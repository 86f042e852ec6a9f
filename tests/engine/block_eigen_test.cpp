// Block Lanczos against spectra that are known by construction: A = Q diag(lambda) Q' with Q a product of three reflections.
#include <gtest/gtest.h>

#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/solve/block_eigen.h"
#include "support.h"

namespace calor::engine {
namespace {

class Known : public BlockOperator {
 public:
  explicit Known(Vector lambda) : lambda_(std::move(lambda)), mirrors_(random_points(lambda_.size(), 3, 1)) {
    for (Eigen::Index c = 0; c < 3; ++c) mirrors_.col(c).normalize();
  }
  std::int64_t size() const override { return lambda_.size(); }
  Matrix products(const Matrix& x) const override { return turn(lambda_.asDiagonal() * back(x)); }
  Matrix vectors() const { return turn(Matrix::Identity(size(), size())); }

 private:
  Matrix mirrored(const Matrix& x, Eigen::Index c) const { return x - 2 * mirrors_.col(c) * (mirrors_.col(c).transpose() * x); }
  Matrix turn(const Matrix& x) const { return mirrored(mirrored(mirrored(x, 0), 1), 2); }
  Matrix back(const Matrix& x) const { return mirrored(mirrored(mirrored(x, 2), 1), 0); }
  Vector lambda_;
  Matrix mirrors_;
};

Vector spectrum(std::int64_t n, const std::string& kind) {
  Vector lambda(n);
  for (std::int64_t i = 0; i < n; ++i) {
    const double at = static_cast<double>(i) / static_cast<double>(n);
    if (kind == "even") lambda[i] = 1 - 2 * at;
    else if (kind == "crowded at the top") lambda[i] = 1 - at * at;
    else if (kind == "multiple") lambda[i] = i < 12 ? 5 - static_cast<double>(i / 4) : 1 - at;
    else if (kind == "of low rank") lambda[i] = i < 3 ? 3 - static_cast<double>(i) : 0;
    else if (kind == "negative") lambda[i] = -1 - at;
    else lambda[i] = 1e8;  // "constant"
  }
  return lambda;
}

void expect_pairs(const Known& a, const Vector& lambda, const Pairs& pairs, std::int64_t k, std::int64_t from, const std::string& what) {
  ASSERT_EQ(pairs.values.size(), k) << what;
  const double scale = lambda.cwiseAbs().maxCoeff();
  for (std::int64_t i = 0; i < k; ++i) EXPECT_NEAR(pairs.values[i], lambda[from + i], 1e-12 * scale) << what << ", pair " << i;
  EXPECT_LT((pairs.vectors.transpose() * pairs.vectors - Eigen::MatrixXd::Identity(k, k)).cwiseAbs().maxCoeff(), 1e-12) << what;
  for (std::int64_t i = 0; i < k; ++i) {
    Matrix block = Matrix::Zero(lambda.size(), kernels::block_width);
    block.col(0) = pairs.vectors.col(i);
    EXPECT_LT((a.products(block).col(0) - pairs.values[i] * block.col(0)).norm(), 2e-10 * scale) << what << ", pair " << i;
  }
}

TEST(BlockEigen, FindsTheLargestOfKnownSpectra) {
  for (const std::int64_t n : {1, 2, 7, 150, 230, 700})
    for (const char* kind : {"even", "crowded at the top", "multiple", "of low rank", "negative", "constant"})
      for (const std::int64_t wanted : {1, 5, 9, 40}) {
        const Vector lambda = spectrum(n, kind);
        const Known a(lambda);
        const std::int64_t k = std::min(wanted, n);
        expect_pairs(a, lambda, largest_pairs_in_blocks(a, wanted, Matrix(n, 0), Context()), k, 0, fmt::format("{}, n = {}, k = {}", kind, n, k));
      }
}

TEST(BlockEigen, LeavesOutWhatIsKnown) {
  for (const std::int64_t n : {150, 700}) {
    const Vector lambda = spectrum(n, "even");
    const Known a(lambda);
    const Matrix known = a.vectors().leftCols(2);
    const Pairs pairs = largest_pairs_in_blocks(a, 4, known, Context());
    expect_pairs(a, lambda, pairs, 4, 2, fmt::format("n = {}", n));
    EXPECT_LT((known.transpose() * pairs.vectors).cwiseAbs().maxCoeff(), 1e-12);
  }
}

}  // namespace
}  // namespace calor::engine

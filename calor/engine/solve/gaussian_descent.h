// SNE's descent: rows of Gaussian similarities matched by the Kullback-Leibler divergence, whose loss never rises.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/matrix.h"
#include "calor/engine/operator.h"
#include "calor/engine/solve/downhill.h"

namespace calor::engine {

// L(Y) = sum_ij p_ij log(p_ij / q_ij), q_ij = exp(-|y_i - y_j|^2) / sum_{k != i} exp(-|y_i - y_k|^2).  The given values are p_ij >= 0, 0 on
// the diagonal, over all pairs (stored: 8 N^2 bytes) or on a graph; each row adds up to 1, or to 0.  Hinton & Roweis 2002.
class GaussianLoss {
 public:
  // Throws Fault::input for a negative value, Fault::usage for a row that adds up to neither.
  GaussianLoss(const Similarity& similarity, const Context& context);

  std::int64_t rows() const { return n_; }
  // L and dL/dY, for Y of N x dims.  O(N^2 dims); the same bits for any number of threads.
  double operator()(const Matrix& y, Matrix& gradient, const Context& context) const;

 private:
  std::int64_t n_;
  double entropy_ = 0;  // sum p log p
  Vector sums_, both_;  // of the rows, and of rows and columns together
  std::unique_ptr<const Operator> values_;
};

// From `start` by downhill(); Y is left with its mean at the origin.
Downhill gaussian_descent(const GaussianLoss& loss, Matrix& y, const DownhillOptions& options, const Context& context);

}  // namespace calor::engine

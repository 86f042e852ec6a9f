// A symmetric matrix times a block of vectors, each entry of one triangle read once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "calor/core/progress.h"

namespace calor::kernels {

inline constexpr std::int64_t block_width = 8;

// y = A x, [n][block_width]: row(i) is where row i of the lower triangle begins, entries 0..i.  Sums are cut at rows that depend on n
// alone: the same bits for any number of threads.  Error at most n eps sum_j |a_ij x_j|.  Beside its result it takes 1 KiB a row.
void symmetric_product(std::int64_t n, const std::function<const double*(std::int64_t)>& row, const double* x, double* y,
                       const Context& context);

// The lower triangle of a symmetric matrix: 4 n (n + 1) bytes.
class SymmetricMatrix {
 public:
  SymmetricMatrix() = default;
  explicit SymmetricMatrix(std::int64_t n) : n_(n), entries_(new double[static_cast<std::size_t>(n * (n + 1) / 2)]) {}
  std::int64_t size() const { return n_; }
  double* row(std::int64_t i) { return entries_.get() + i * (i + 1) / 2; }
  const double* row(std::int64_t i) const { return entries_.get() + i * (i + 1) / 2; }

 private:
  std::int64_t n_ = 0;
  std::unique_ptr<double[]> entries_;  // not touched before it is written
};

// Rows of the triangle in pieces of about equal area, at most sixteen: begin of each, then n.  Multiples of 8 but for the last.
std::vector<std::int64_t> triangle_pieces(std::int64_t n);

}  // namespace calor::kernels

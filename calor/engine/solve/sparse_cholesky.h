// A sparse Cholesky factorisation for shift and invert.
#pragma once

#include <Eigen/SparseCore>

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/matrix.h"
#include "calor/kernels/workspace.h"

namespace calor::engine {

using Sparse = Eigen::SparseMatrix<double>;

// P A P' = L L' for a symmetric positive definite A, given by both triangles.  Columns of L with the same rows below them
// form a block (a supernode), so that nearly all of the work is dense products of the kernels.  The order is approximate minimum
// degree (Eigen's).  Left-looking, with relaxed supernodes: Ng & Peyton 1993, Ashcraft & Grimes 1989.
// One thread; the same bits for any number of them.
class SparseCholesky {
 public:
  // Finds order and structure, in about the time of nonzeros() steps: what factorise() will take is known after this.
  explicit SparseCholesky(const Sparse& a);

  std::int64_t size() const { return static_cast<std::int64_t>(position_.size()); }
  // Numbers that L stores, zeros in its blocks with them.
  std::int64_t nonzeros() const { return stored_; }
  std::uint64_t bytes() const { return static_cast<std::uint64_t>(stored_) * sizeof(double) + structure_bytes_; }
  double operations() const { return operations_; }  // multiply-adds of factorise()

  // For the a of the constructor (or one with the same structure).  False where a pivot is not positive.
  bool factorise(const Sparse& a, const Context& context);

  // A^-1 b.
  Vector solve(const Vector& b) const;

 private:
  // Columns first .. first + width of L and the rows below them.  Its numbers lie in panels of panel_ rows, the columns' own rows
  // first: [panel][column][row of the panel], filled up with zeros.
  struct Block {
    std::int32_t first = 0, width = 0;
    std::vector<std::int32_t> below;  // ascending
    std::int64_t begin = 0;           // of its numbers
    std::int64_t height() const { return width + static_cast<std::int64_t>(below.size()); }
  };

  void find_blocks(const Sparse& permuted, const std::vector<std::int32_t>& parent, const std::vector<std::int32_t>& counts);
  void lay_out();
  void subtract(const Block& from, std::int64_t row, std::int64_t end, const Block& to, const std::vector<std::int64_t>& place,
                double* tile, std::vector<std::int64_t>& offsets);
  bool factorise_block(Block& block, double* tile);
  template <int panel>
  void solve_in_order(Vector& x) const;

  std::vector<std::int32_t> position_;  // of each row of A in the order of L
  std::vector<Block> blocks_;
  std::vector<std::int32_t> block_of_;  // of each column
  std::int64_t panel_ = 1, stored_ = 0;
  std::uint64_t structure_bytes_ = 0;
  double operations_ = 0;
  kernels::Workspace memory_;
  double* numbers_ = nullptr;
};

}  // namespace calor::engine

// A similarity made ready for many products with it.
#pragma once

#include <memory>
#include <mutex>

#include "calor/core/progress.h"
#include "calor/engine/record.h"

namespace calor::engine {

// One rule decides what is stored: on a graph the values, 12 bytes per edge, and the same of the transposed graph with the first product
// that needs it; over all pairs the values where 8 rows x columns bytes are at most a quarter of the memory limit, otherwise nothing, and each
// product streams them.
class Operator {
 public:
  Operator(const Similarity& similarity, const Context& context);
  static bool stores(double pairs, double memory) { return 8 * pairs <= memory / 4; }  // over all pairs

  // Whether it is of this similarity, number for number: then it need not be prepared again.  O(rows + columns).
  bool is_of(const Similarity& similarity) const { return same_values(source_, similarity); }

  Matrix apply(const Matrix& h, const Context& context) const;             // S h; h: columns x width
  Matrix apply_transposed(const Matrix& h, const Context& context) const;  // S' h; h: rows x width
  // S h, where rows were made to add up to 1 by their sums as computed (flow of passes.h).
  Matrix flow(const Matrix& h, const Context& context) const;
  // The least value, where values are stored; 0 otherwise, and where none is negative.
  double least_value() const;

 private:
  const Similarity& transposed() const;

  Similarity source_, ready_;  // as given, and with its values where they are stored
  bool stored_;
  Vector sums_;                // of the rows, where rows were made to add up to 1
  mutable std::once_flag turned_once_;
  mutable Similarity turned_;
};

}  // namespace calor::engine

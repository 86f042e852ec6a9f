// One step of normalising a similarity, whoever's: a record's, a learned layer's, an inspected head's.
#pragma once

#include <string_view>

namespace calor::engine {

struct Normaliser {
  enum class Kind { row, column, two_side, global, sinkhorn };
  static constexpr int usual_iterations = 10;  // of a trained layer, where each is one more pass of the gradient

  Kind kind = Kind::row;
  double alpha = 0;                    // of two_side
  int iterations = usual_iterations;   // of sinkhorn; 0: until every sum is within 1e-10 of 1, at most 1000
};

// "row", "column", "two_side", "global" or "sinkhorn".
std::string_view name_of(Normaliser::Kind kind);

}  // namespace calor::engine

// The generator of heat on a similarity.
#pragma once

#include "calor/core/progress.h"
#include "calor/engine/operator.h"

namespace calor::engine {

// L = I - S for a similarity whose rows or columns were made to add up to 1, else D - W with D the row sums; written as
// L = rate (I - walk) with the spectrum of `walk` within [-1, 1].  A point without edges stands still: its row of L is 0.
// Values are stored as operator.h says.  As many rows as columns.  `op` names the stage in errors.  Throws Fault::input for a negative weight.
class Laplacian {
 public:
  Laplacian(const Similarity& similarity, const char* op, const Context& context);

  double rate() const { return rate_; }
  Matrix walk(const Matrix& h) const;
  // The diagonal of D (1 for a stochastic similarity).
  const Vector& degrees() const { return degrees_; }
  // Weights w with <x, L y>_w = <L x, y>_w; empty when the similarity is not symmetric up to factors.
  const Vector& weights() const { return weights_; }

 private:
  Context context_;
  Operator similarity_;
  bool stochastic_;
  double rate_ = 1;
  Vector degrees_, weights_;
};

}  // namespace calor::engine

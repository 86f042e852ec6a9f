// What a sceptic asks for beside attention: logistic regression, nearest neighbours, and a network without propagation.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "calor/core/progress.h"
#include "calor/learn/protocol.h"
#include "calor/learn/tokens.h"

namespace calor::learn {

// Multinomial logistic regression with a bias, fitted by L-BFGS (Liu and Nocedal 1989) in double: the minimiser of
// C sum of cross-entropies + |weights|^2 / 2, C = 1, the bias free, as in scikit-learn.  Stops when the largest component
// of the gradient per row is under 1e-5 (ten times closer than scikit-learn), or after 300 iterations.
class LogisticRegression {
 public:
  LogisticRegression(const Points& train, std::int64_t classes, const Context& context);
  at::Tensor logits(const at::Tensor& points) const;  // float
  std::int64_t parameters() const { return solution_.numel(); }
  double objective() const { return objective_; }  // C sum + penalty, at the solution

 private:
  at::Tensor solution_;  // [columns + 1, classes], the bias last, double
  double objective_ = 0;
};

// The vote of the `neighbours` nearest training points (Euclidean, exact, brute force in blocks): their counts, [points,
// classes].  Equal counts: the lower class wins, as in scikit-learn.  O(points train columns).
at::Tensor neighbour_votes(const Points& train, std::int64_t classes, const at::Tensor& points, std::int64_t neighbours,
                           const Context& context);

// The protocol of a network without propagation, linear -> tanh -> linear, with as near `parameters` trainable numbers as a
// width can give; everything else as it is.
Protocol without_propagation(const Protocol& protocol, std::int64_t parameters, std::int64_t columns, std::int64_t classes);

}  // namespace calor::learn

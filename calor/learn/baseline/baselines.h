// What a sceptic asks for beside attention: logistic regression, nearest neighbours, and a network without propagation.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/learn/baseline/contender.h"
#include "calor/learn/rows/protocol.h"

namespace calor::learn {

// Multinomial logistic regression with a bias, fitted by L-BFGS (Liu and Nocedal 1989) in double: the minimiser of
// C sum of cross-entropies + |weights|^2 / 2, the bias free, as in scikit-learn.  Stops when the largest component
// of the gradient per row is under C 1e-5 (ten times closer than scikit-learn), or after 300 iterations.
class LogisticRegression {
 public:
  LogisticRegression(const LabelledRows& train, std::int64_t classes, double c, const Context& context);
  // Goes on from another solution, for a larger C.
  void refit(double c);
  at::Tensor logits(const at::Tensor& points) const;  // double
  std::int64_t parameters() const { return solution_.numel(); }

 private:
  at::Tensor points_, target_;  // with a last column of ones; one-hot
  at::Tensor solution_;         // [columns + 1, classes], the bias last
  const Context& context_;
};

// C of 1e-4 to 1e4, in tens.
Contender logistic_regression(std::int64_t columns, std::int64_t classes, const Context& context);

// The classes of the nearest training points (Euclidean, exact, brute force in blocks), the nearest first: [points, most].  O(points train
// columns).
at::Tensor nearest_classes(const LabelledRows& train, const engine::Matrix& points, std::int64_t most, const Context& context);

// The vote of the nearest points, as many as one of `numbers` (descending).  Equal counts: the lower class wins, as in scikit-learn.
Contender nearest_neighbours(std::string name, std::vector<double> numbers, std::int64_t classes, const Context& context);

// The protocol of a network without propagation, linear -> tanh -> linear, with as near `parameters` trainable numbers as a
// width can give; everything else as it is.
Protocol without_propagation(const Protocol& protocol, std::int64_t parameters, std::int64_t columns, std::int64_t classes);

}  // namespace calor::learn

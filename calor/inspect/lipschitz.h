// How much a head can stretch differences between inputs: X -> S(X) V(X) in the Frobenius norm.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "calor/core/progress.h"
#include "calor/inspect/head.h"

namespace calor::inspect {

struct Lipschitz {
  // Holds for all inputs of N tokens.  Distance scores only: with z the metric's coordinates, v = B z and c the solution of
  // c e^(c+1) = N - 1, sum_j S_ij scale |z_i - z_j|^2 <= c (Kim, Papamakarios and Mnih 2021), hence
  // ||B|| Lip(z) (sqrt(N) (1 + 2 c) + 2 c).  l2: Lip(z) = ||W||, B = V W^+ where V sees no direction that W does not;
  // metric: Lip(phi) <= 1 + L, Lip of its inverse <= 1 / (1 - L), L = ||W1|| ||W2||, where L < 1.
  std::optional<double> bound;
  std::string no_bound;     // why there is none
  // The largest singular value of the Jacobian at these tokens, with the factors of other normalisations than row's held fixed.
  double measured = 0;
  std::int64_t tokens = 0;  // that it was measured on: the first of them
  bool converged = true;    // the last step changed it by less than 1e-3
};

// Power iteration with products of the Jacobian and of its transpose; O(tokens^2) memory for at most 512 tokens.
Lipschitz lipschitz_of(const Head& head, const Matrix& tokens, const Context& context);

// The Jacobian at `tokens` applied to a change of the tokens, and its transpose to a change of the output: for tests and the iteration.
class HeadJacobian {
 public:
  HeadJacobian(const Head& head, const Matrix& tokens);
  Matrix forward(const Matrix& change) const;       // N x d -> N x v
  Matrix backward(const Matrix& gradient) const;    // N x v -> N x d
  const Matrix& output() const { return output_; }  // N x v

 private:
  const Head& head_;
  Features features_;
  Matrix weights_, slopes_, inner_, output_;  // S; of the additive score; 1 - tanh^2 of the metric
};

}  // namespace calor::inspect

// Probabilities from decisions: a sigmoid for two classes, and one distribution from the probabilities of every pair of classes.
#pragma once

#include <vector>

#include "calor/engine/matrix.h"

namespace calor::engine {

// p = 1 / (1 + exp(a f + b)).
struct Sigmoid {
  double a = 0, b = 0;
  double at(double decision) const;
};

// The sigmoid of greatest likelihood for decisions on rows that the machine was not made from; `first` says which belong to the first class.
// Platt 2000, by the Newton method of Lin, Lin & Weng 2007, whose targets keep away from 0 and 1.
Sigmoid fit_sigmoid(const std::vector<double>& decisions, const std::vector<std::uint8_t>& first);

// p(a) of k classes from pairwise(a, b) = p(a | a or b): the second method of Wu, Lin & Weng 2004, as libsvm has it.
Vector couple(const Matrix& pairwise);

}  // namespace calor::engine

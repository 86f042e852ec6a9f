// Adam on one flat vector: Kingma and Ba 2015 with bias correction, and weight decay either coupled (added to the gradient:
// torch.optim.Adam) or decoupled (Loshchilov and Hutter 2019: torch.optim.AdamW).  The first beta is 0.9.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calor/learn/rows/protocol.h"

namespace calor::learn {

struct AdamConstants {
  double beta2 = 0.999, epsilon = 1e-8;
};

class Adam {
 public:
  // Decay applies to the first `decayed` of `size` numbers.
  Adam(Optimizer kind, double learning_rate, double weight_decay, std::int64_t size, std::int64_t decayed, AdamConstants constants = {});

  void set_rate(double learning_rate) { learning_rate_ = learning_rate; }  // of the steps to come

  // values and gradients: `size` numbers each.
  void step(std::span<float> values, std::span<const float> gradients);

  // The state, to store and resume: numbers of steps taken, and the two moments.
  struct State {
    std::int64_t steps = 0;
    std::vector<float> first, second;
  };
  const State& state() const { return state_; }
  void restore(State state);  // throws Fault::internal for another size

 private:
  Optimizer kind_;
  double learning_rate_, weight_decay_;
  std::int64_t decayed_;
  AdamConstants constants_;
  State state_;
};

}  // namespace calor::learn

// The information propagation network: linear -> tanh -> layers of H <- tanh(H + S H V) -> linear, S the similarity that the
// pipeline says: softmax(score) for score | exp | row.
// Data points are the tokens.  Ruan and Zhang 2024 (arXiv 2412.18288); theory and readings in docs/protocols.md.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "calor/learn/network/weights.h"
#include "calor/learn/rows/attend.h"
#include "calor/learn/rows/protocol.h"
#include "calor/learn/rows/score_kind.h"

namespace calor::learn {

struct IpnShape {
  std::int64_t columns = 0, width = 0, layers = 0, classes = 0;
  bool residual = true;
  Temperature temperature = Temperature::fixed;
  std::string score = "metric";  // a name in the table of scores
  std::vector<Normaliser> normalise{Normaliser{}};
  double bandwidth = 1;          // Temperature::fixed: the score's own fixed factor is divided by it
};

// Trainable numbers of such a network.
std::int64_t parameter_count(const IpnShape& shape);

class Ipn {
 public:
  // Weights start uniform in +-1/sqrt(fan_in), drawn by (seed, parameter), so that networks which differ in their score
  // alone share the start of all else.  `dtype`: at::kFloat, or at::kDouble for checks of gradients.
  Ipn(const IpnShape& shape, std::uint64_t seed, at::ScalarType dtype = at::kFloat);
  Ipn(const Ipn&) = delete;
  Ipn& operator=(const Ipn&) = delete;

  // Temperature data and learn: sets each layer's factor to one over the spread of its scores on these tokens [n, columns];
  // other networks are left as they are.
  void start_factors(const at::Tensor& tokens);

  // Factors that are not trained, one per layer, as factors() gave them; trained ones are among the values.
  void set_factors(const std::vector<float>& factors);

  at::Tensor encode(const at::Tensor& points) const;  // [n, columns] -> [n, width]
  LayerInput prepare(std::int64_t layer, const at::Tensor& hidden) const;
  at::Tensor propagate(const at::Tensor& hidden, const at::Tensor& received) const;  // the residual, and tanh
  at::Tensor decode(const at::Tensor& hidden) const;  // [n, width] -> [n, classes], logits
  at::Tensor forward(const at::Tensor& points) const; // all points attend to each other

  const IpnShape& shape() const { return shape_; }
  const Attention& attention() const { return attention_; }
  at::Tensor factor(std::int64_t layer) const;  // [1, 1]
  std::vector<double> factors() const;

  // One flat vector each, parameters in order; a step of the optimiser works on these.  Decay applies to the first
  // decayed() numbers: to all but the logarithms of the factors.
  at::Tensor values() const { return weights_.values(); }
  at::Tensor gradients() const { return weights_.gradients(); }
  std::int64_t decayed() const { return decayed_; }

  // Everything that a saved model needs, by name: the parameters, and factors that are not trained.
  struct Named {
    std::string name;
    at::Tensor tensor;  // shares memory with the network
  };
  const std::vector<Named>& state() const { return state_; }

 private:
  struct Layer {
    at::Tensor value;
    std::vector<at::Tensor> score;
    at::Tensor factor, log_factor;  // one of the two is defined
  };
  IpnShape shape_;
  Attention attention_;
  Weights weights_;
  at::Tensor encode_weight_, encode_bias_, decode_weight_, decode_bias_;
  std::vector<Layer> layers_;
  std::vector<Named> state_;
  std::int64_t decayed_ = 0;
};

}  // namespace calor::learn

// A network of the grammar on the rows of a table: what is trained on some rows, and asked about others that attend to them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "calor/learn/network/flow.h"
#include "calor/model/networks.h"

namespace calor::learn {

// What a network is made of, known before its weights are.
struct RowShape {
  std::int64_t parameters = 0;
  std::int64_t widest = 0;              // features of a row between its stages, without its columns and its logits
  double activations = 0;               // numbers of a row, all stages together
  std::vector<Attention> attentions;    // among all rows, in order
  std::vector<WeightSpec> weights;
};
RowShape shape_of(const model::Network& network, std::int64_t columns, std::int64_t classes);

class RowNetwork {
 public:
  // Weights start uniform in +-1/sqrt(fan_in), drawn by (seed, layer, role).  dtype: at::kFloat, or at::kDouble for checks of gradients.  Throws Fault::usage with a caret for
  // stages that do not fit each other.
  RowNetwork(const model::Network& network, std::int64_t columns, std::int64_t classes, std::uint64_t seed, at::ScalarType dtype = at::kFloat);
  RowNetwork(const RowNetwork&) = delete;
  RowNetwork& operator=(const RowNetwork&) = delete;

  // exp(auto) and exp(learned): each factor starts from one over the spread of its scores among these rows [n, columns].
  void start_factors(const at::Tensor& rows);

  // Logits [n, classes] of rows [n, columns] that attend to each other.
  at::Tensor forward(const at::Tensor& rows) const;
  at::Tensor training_forward(const at::Tensor& rows, std::uint64_t step) const;  // dropout is drawn by the seed and the step

  // The same, and what each attention leaves for rows that come later; and of those: each attends to the rows kept and to itself.
  at::Tensor forward(const at::Tensor& rows, std::vector<KeptAttention>& kept) const;
  at::Tensor forward_beside(const std::vector<KeptAttention>& kept, const at::Tensor& rows) const;

  const std::vector<Attention>& attentions() const { return shape_.attentions; }

  // Factors of the scores, of each attention and head in order; and those that are not trained, as factors() gave them (trained ones are among the values).
  std::vector<double> factors() const;
  void set_factors(const std::vector<float>& factors);

  // One flat vector each; a step of the optimiser works on these.  Decay applies to the first decayed() numbers: to all but the logarithms of the factors.
  at::Tensor values() const { return weights_->values(); }
  at::Tensor gradients() const { return weights_->gradients(); }
  std::int64_t decayed() const { return weights_->decayed(); }

  // Everything that a saved model needs, by name (network/places.h): weights, and factors that are not trained.
  struct Named {
    std::string name;
    at::Tensor tensor;  // shares memory with the network
  };
  const std::vector<Named>& state() const { return state_; }

 private:
  at::Tensor run(const at::Tensor& rows, const Pass& pass) const;

  struct Factor {
    at::Tensor constant, log;  // one of the two
  };
  std::uint64_t seed_;
  RowShape shape_;
  Steps steps_;
  std::unique_ptr<const Weights> weights_;
  std::vector<Factor> factors_;
  std::vector<Named> state_;
};

}  // namespace calor::learn

// What of a propagator is trained (propagator.h says what it computes), and the loss that it is trained by.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "calor/learn/propagator/propagator.h"

namespace calor::learn {

class PropagatorNetwork {
 public:
  // phi starts as the identity: R = 1, W2 = 0; W1 and b1 uniform in +-1/sqrt(width), drawn by the seed.  `dtype`: at::kFloat, or
  // at::kDouble for checks of gradients.
  PropagatorNetwork(std::int64_t width, std::int64_t hidden, double temperature, double alpha, std::uint64_t seed,
                    at::ScalarType dtype = at::kFloat);

  at::Tensor embed(const at::Tensor& points) const;  // [n, width] -> [n, width]

  // Mean of -log p(own class) over the points that have another of their class, each point predicted by all others.  A key is left
  // out of its own density.  In logarithms: the loss is finite however far a point is from its class.  Undefined when no two points
  // share a class.  O(n width) memory: pairs are streamed, those of own classes class by class.
  at::Tensor loss(const at::Tensor& points, const at::Tensor& labels) const;

  // Mean square of value - target [n], each point's value the weighted mean of all others' targets.  Undefined for fewer than two
  // points.  O(n width) memory.
  at::Tensor squared_error(const at::Tensor& points, const at::Tensor& targets) const;

  // Either with its gradient by values(), overwritten; nothing where it is undefined.  Up to kernels::most_mutual points in float by kernels that
  // form each affinity once, about a fifth of the time of the graph's; else, and where those do not hold the sums, through the graph.
  std::optional<double> loss(const at::Tensor& points, const at::Tensor& labels, std::span<float> gradient);
  std::optional<double> squared_error(const at::Tensor& points, const at::Tensor& targets, std::span<float> gradient);

  // All trained numbers in one leaf: R, W1, b1, W2, log temperature, alpha.  Decay applies to all but the last two.
  const at::Tensor& values() const { return values_; }
  std::int64_t decayed() const { return values_.numel() - 2; }

  // Whether products of the trained numbers with points are: all are below 1e15 in magnitude, and the temperature is.
  bool finite() const;

  // Puts the trained numbers into a model, in double.
  void write(Propagator& model) const;

 private:
  template <class Loss>
  std::optional<double> by_kernels(const at::Tensor& points, const std::vector<std::int64_t>& order, std::span<float> gradient, const Loss& loss) const;
  std::optional<double> by_graph(const at::Tensor& loss, std::span<float> gradient);
  at::Tensor temperature() const;
  at::Tensor key_bias(const at::Tensor& embedded) const;  // -alpha log q: [n]
  at::Tensor part(std::int64_t begin, std::int64_t rows, std::int64_t columns) const;
  at::Tensor residual() const { return part(0, width_, width_); }
  at::Tensor first() const { return part(width_ * width_, hidden_, width_); }
  at::Tensor first_bias() const { return part(width_ * width_ + hidden_ * width_, 1, hidden_); }
  at::Tensor second() const { return part(width_ * width_ + hidden_ * width_ + hidden_, width_, hidden_); }

  std::int64_t width_, hidden_;
  at::Tensor values_;
};

}  // namespace calor::learn

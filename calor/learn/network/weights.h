// The weights of a network: tensors that share one flat vector, so that an optimiser's step is one loop.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace calor::learn {

// A weight to create: uniform in +-bound around `start`, drawn from a stream of its own: by its place among a network's weights, or the one given.
struct WeightSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  double bound = 0, start = 0;
  std::optional<std::uint64_t> stream = std::nullopt;
  bool decays = true;  // false: no weight decay
  std::int64_t size() const;
};

// Glorot and Bengio's bound: sqrt(6 / (in + out)).
double glorot(std::int64_t in, std::int64_t out);

// A contiguous tensor's numbers.
inline std::span<float> floats(const at::Tensor& tensor) { return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())}; }

class Weights {
 public:
  Weights(const std::vector<WeightSpec>& specs, std::uint64_t seed, at::ScalarType dtype = at::kFloat);
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  const at::Tensor& operator[](std::size_t i) const { return each_[i]; }  // requires gradients
  at::Tensor values() const { return values_; }                           // all of them, flat, by their streams, those that do not decay at the end
  at::Tensor gradients() const { return gradients_; }
  std::int64_t decayed() const { return decayed_; }                       // how many numbers decay

 private:
  at::Tensor values_, gradients_;
  std::vector<at::Tensor> each_;
  std::int64_t decayed_ = 0;
};

}  // namespace calor::learn

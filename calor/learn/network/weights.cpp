#include "calor/learn/network/weights.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "calor/core/random.h"

namespace calor::learn {

double glorot(std::int64_t in, std::int64_t out) { return std::sqrt(6.0 / static_cast<double>(in + out)); }

std::int64_t WeightSpec::size() const {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) product *= extent;
  return product;
}

Weights::Weights(const std::vector<WeightSpec>& specs, std::uint64_t seed, at::ScalarType dtype) {
  const at::NoGradGuard no_gradient;
  std::int64_t total = 0;
  for (const WeightSpec& spec : specs) {
    total += spec.size();
    if (spec.decays) decayed_ += spec.size();
  }
  values_ = at::zeros({total}, dtype);
  gradients_ = at::zeros({total}, dtype);
  const auto stream_of = [&](std::size_t s) { return specs[s].stream.value_or(s); };
  std::vector<std::size_t> order(specs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return std::pair(!specs[a].decays, stream_of(a)) < std::pair(!specs[b].decays, stream_of(b)); });
  each_.resize(specs.size());
  std::int64_t begin = 0;
  for (const std::size_t s : order) {
    const WeightSpec& spec = specs[s];
    const std::int64_t size = spec.size();
    Random random(seed, Purpose::weights, stream_of(s));
    std::vector<double> drawn(static_cast<std::size_t>(size), spec.start);
    if (spec.bound > 0)
      for (double& number : drawn) number += random.uniform(-spec.bound, spec.bound);
    at::Tensor weight = values_.narrow(0, begin, size).view(spec.shape).detach();
    weight.copy_(at::from_blob(drawn.data(), weight.sizes(), at::kDouble));
    weight.requires_grad_();
    weight.mutable_grad() = gradients_.narrow(0, begin, size).view(spec.shape).detach();
    each_[s] = weight;
    begin += size;
  }
}

}  // namespace calor::learn

#include "calor/learn/rows/network_weights.h"

#include <ATen/core/grad_mode.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/learn/rows/learner.h"

namespace calor::learn {
namespace {

void require_weight(const Weight& weight, const RowNetwork::Named& expected) {
  const std::vector<std::int64_t> shape = expected.tensor.sizes().vec();
  require(weight.shape == shape, Fault::input, "[model] expected the tensor '{}' of shape [{}], found [{}]", expected.name,
          fmt::join(shape, ", "), fmt::join(weight.shape, ", "));
  require(std::all_of(weight.values.begin(), weight.values.end(), [](float value) { return std::isfinite(value); }),
          Fault::input, "[model] expected finite weights, found NaN or infinity in the tensor '{}'", expected.name);
}

}  // namespace

std::string network_text(const Model& model) { return model.network.empty() ? attention_learner(model.pipeline).network(model.protocol).text : model.network; }

std::map<std::string, Weight> weights_of(const RowNetwork& network) {
  std::map<std::string, Weight> weights;
  for (const RowNetwork::Named& named : network.state()) {
    const float* begin = named.tensor.data_ptr<float>();
    weights[named.name] = {named.tensor.sizes().vec(), std::vector<float>(begin, begin + named.tensor.numel())};
  }
  return weights;
}

std::unique_ptr<RowNetwork> network_of(const Model& model) {
  const at::NoGradGuard no_gradient;
  std::unique_ptr<RowNetwork> network;
  try {
    network = std::make_unique<RowNetwork>(model::network_of(network_text(model)), model.columns(), static_cast<std::int64_t>(model.classes.size()), model.seed);
  } catch (const Error& error) {
    fail(Fault::input, "[model] expected the stages of a network, found: {}", error.what());
  }
  for (const RowNetwork::Named& named : network->state()) {
    const auto found = model.weights.find(named.name);
    require(found != model.weights.end(), Fault::input, "[model] expected the tensor '{}', found none", named.name);
    require_weight(found->second, named);
    const auto& values = found->second.values;
    std::copy(values.begin(), values.end(), named.tensor.data_ptr<float>());
  }
  require(model.weights.size() == network->state().size(), Fault::input,
          "[model] expected {} tensors of weights, found {}", network->state().size(), model.weights.size());
  return network;
}

}  // namespace calor::learn

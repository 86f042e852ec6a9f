#include "calor/learn/rows/network_weights.h"

#include <ATen/core/grad_mode.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/learn/rows/learner.h"

namespace calor::learn {
namespace {

const Weight& weight_of(const Model& model, const std::string& name, const std::vector<std::int64_t>& shape) {
  const auto found = model.weights.find(name);
  require(found != model.weights.end(), Fault::input, "[model] expected the tensor '{}', found none", name);
  const Weight& weight = found->second;
  require(weight.shape == shape, Fault::input, "[model] expected the tensor '{}' of shape [{}], found [{}]", name, fmt::join(shape, ", "), fmt::join(weight.shape, ", "));
  require(std::all_of(weight.values.begin(), weight.values.end(), [](float value) { return std::isfinite(value); }),
          Fault::input, "[model] expected finite weights, found NaN or infinity in the tensor '{}'", name);
  return weight;
}

}  // namespace

std::string network_text(const Model& model) { return model.network.empty() ? attention_learner(model.pipeline).network(model.protocol).text : model.network; }

std::map<std::string, Weight> weights_of(const RowNetwork& network) {
  std::map<std::string, Weight> weights;
  for (const RowNetwork::Named& named : network.state()) {
    const float* begin = named.tensor.data_ptr<float>();
    const bool first = weights.emplace(named.name, Weight{named.tensor.sizes().vec(), std::vector<float>(begin, begin + named.tensor.numel())}).second;
    require(first, Fault::internal, "[model] expected weights of different names, found '{}' twice", named.name);
  }
  return weights;
}

std::unique_ptr<RowNetwork> network_of(const Model& model) {
  const at::NoGradGuard no_gradient;
  model::Network text;
  RowShape shape;
  const auto classes = static_cast<std::int64_t>(model.classes.size());
  try {
    text = model::network_of(network_text(model));
    shape = shape_of(text, model.columns(), classes);
  } catch (const Error& error) {
    fail(Fault::input, "[model] expected the stages of a network, found: {}", error.what());
  }
  for (const WeightSpec& spec : shape.weights) weight_of(model, spec.name, spec.shape);  // before anything is allocated for them
  auto network = std::make_unique<RowNetwork>(text, model.columns(), classes, model.seed);
  for (const RowNetwork::Named& named : network->state()) {
    const std::vector<float>& values = weight_of(model, named.name, named.tensor.sizes().vec()).values;
    std::copy(values.begin(), values.end(), named.tensor.data_ptr<float>());
  }
  require(model.weights.size() == network->state().size(), Fault::input,
          "[model] expected {} tensors of weights, found {}", network->state().size(), model.weights.size());
  return network;
}

}  // namespace calor::learn

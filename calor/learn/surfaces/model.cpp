#include "calor/learn/surfaces/model.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/learn/surfaces/data.h"
#include "calor/learn/train/saved_model.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {
namespace {

using nlohmann::json;

constexpr int schema = 1;

std::vector<WeightSpec> specs_of(const SurfaceModel& model) {
  return surface_weight_specs(model::network_of(model.pipeline), static_cast<std::int64_t>(model.classes.size()), model.of_faces);
}

SurfaceModel model_of(const io::Safetensors& content) {
  SurfaceModel model;
  read_origin(content, schema, model);
  model.name = entry(content, "name");
  model.pipeline = entry(content, "pipeline");
  const std::string& of = entry(content, "of");
  require(of == "triangles" || of == "points", Fault::input, "[model] expected a network of triangles or points, found {}", of);
  require(model.classes.size() >= 2, Fault::input, "[model] expected at least 2 classes, found {}", model.classes.size());
  model.of_faces = of == "triangles";
  model.weights = restored_weights(content, specs_of(model));
  return model;
}

// The authors' names of the weights of a recipe's stages, in the order of its specs.
std::vector<std::string> published_names(std::int64_t blocks) {
  std::vector<std::string> names{"first_lin.weight", "first_lin.bias"};
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::string block = fmt::format("block_{}.", b);
    for (const char* name : {"diffusion.diffusion_time", "gradient_features.A_re.weight", "gradient_features.A_im.weight"}) names.push_back(block + name);
    for (int layer = 0; layer < 3; ++layer)
      for (const char* role : {"weight", "bias"}) names.push_back(fmt::format("{}mlp.miniMLP_mlp_layer_{:03}.{}", block, layer, role));
  }
  names.insert(names.end(), {"last_lin.weight", "last_lin.bias"});
  return names;
}

SurfaceModel published_model(const io::Safetensors& content) {
  const auto shape_of = [&](const std::string& name) {
    const auto found = content.tensors.find(name);
    require(found != content.tensors.end() && found->second.shape.size() == 2, Fault::input, "[model] expected the matrix {} of a DiffusionNet, found none", name);
    return found->second.shape;
  };
  const auto first = shape_of("first_lin.weight"), last = shape_of("last_lin.weight");
  std::int64_t blocks = 0;
  while (content.tensors.contains(fmt::format("block_{}.diffusion.diffusion_time", blocks))) ++blocks;
  require(first[1] == 3 || first[1] == 16, Fault::input, "[model] expected a DiffusionNet of 3 features (points in space) or 16 (heat kernel signatures), found {}", first[1]);
  SurfaceModel model;
  model.name = fmt::format("diffusion-net{} width={} blocks={} weights=cotangent", first[1] == 3 ? "-xyz" : "", first[0], blocks);
  model.pipeline = model::network_of(model.name).text;
  model.data_name = "published weights";
  for (std::int64_t c = 1; c <= last[0]; ++c) model.classes.push_back(std::to_string(c));
  io::Safetensors named;
  const auto specs = specs_of(model);
  const auto names = published_names(blocks);
  require(specs.size() == names.size() && content.tensors.size() == names.size(), Fault::input, "[model] expected a DiffusionNet of {} tensors, with gradients and networks of three layers, found {} tensors",
          names.size(), content.tensors.size());
  for (std::size_t n = 0; n < names.size(); ++n) {
    const auto found = content.tensors.find(names[n]);
    require(found != content.tensors.end(), Fault::input, "[model] expected the tensor {} of a DiffusionNet, found none", names[n]);
    named.tensors[std::string(weight_prefix) + specs[n].name] = found->second;
  }
  model.weights = restored_weights(named, specs);
  return model;
}

}  // namespace

void save_surface_model(const std::string& path, const SurfaceModel& model) {
  io::Safetensors content;
  content.metadata = {{"name", model.name}, {"pipeline", model.pipeline}, {"of", model.of_faces ? "triangles" : "points"}, {"protocol", json(model.protocol).dump()}};
  store_origin(content, io::surface_network_mark, schema, model);
  store_weights(content, specs_of(model), model.weights);
  io::write_safetensors(path, content);
}

SurfaceModel load_surface_model(const std::string& path) {
  constexpr std::string_view expected = "a network of calor train on surfaces, or a DiffusionNet";
  if (io::file_kind(path).kind == io::FileKind::diffusion_net) return read_model(path, io::FileKind::diffusion_net, expected, published_model);
  return read_model(path, io::FileKind::surface_network, expected, model_of);
}

SurfacePredictions predict_surfaces(const SurfaceModel& model, const io::SurfaceSet& set, const std::shared_ptr<const ModeStore>& modes, const Context& context) {
  const at::NoGradGuard no_gradient;
  require(!set.labelled() || set.of_faces == model.of_faces, Fault::input, "[predict] expected labels of {}, as the model was trained with, found labels of {}: leave --labels out, or give others",
          model.of_faces ? "triangles" : "points", set.of_faces ? "triangles" : "points");
  SurfaceData data = surface_data(set, modes);
  data.of_faces = model.of_faces;
  data.classes = static_cast<std::int64_t>(model.classes.size());
  const model::Network network = model::network_of(model.pipeline);
  const auto weights = std::make_shared<const Weights>(specs_of(model), model.seed);
  std::ranges::copy(model.weights, floats(weights->values()).begin());
  const auto networks = networks_on(network, data, model.seed, weights, context);
  SurfacePredictions result;
  Predictions& all = result.all;
  all.classes = data.classes;
  double right = 0;
  const OneThread one_thread;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    context.check_stop("predict");
    const at::Tensor logits = networks[i]->logits(false, 0), probability = at::softmax(logits, 1).contiguous(), winner = at::argmax(logits, 1).contiguous();
    all.winner.insert(all.winner.end(), winner.const_data_ptr<std::int64_t>(), winner.const_data_ptr<std::int64_t>() + winner.numel());
    all.probability.insert(all.probability.end(), probability.const_data_ptr<float>(), probability.const_data_ptr<float>() + probability.numel());
    const double correct = set.labelled() ? winner.eq(data.surfaces[i].labels).sum().item<double>() : std::numeric_limits<double>::quiet_NaN();
    right += correct;
    result.rows.push_back(logits.size(0));
    result.accuracy.push_back(correct / static_cast<double>(result.rows.back()));
  }
  all.rows = static_cast<std::int64_t>(all.winner.size());
  all.accuracy = right / static_cast<double>(all.rows);
  return result;
}

}  // namespace calor::learn

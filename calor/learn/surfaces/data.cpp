#include "calor/learn/surfaces/data.h"

#include <algorithm>
#include <atomic>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/text.h"
#include "calor/core/threads.h"
#include "calor/learn/data/tokens.h"
#include "calor/learn/network/memory.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {
namespace {

std::unique_ptr<NodeNetwork> network_on(const model::Network& network, const LabelledSurface& surface, const SurfaceData& data, std::uint64_t seed, std::shared_ptr<const Weights> weights,
                                        const Context& context) {
  NodeFeatures features;
  features.dense = surface.surface->points(at::kFloat);
  features.columns = 3;
  return std::make_unique<NodeNetwork>(network, Domain{nullptr, surface.surface, data.of_faces}, features, data.classes, seed, context, at::kFloat, std::move(weights));
}

double mode_bytes(const model::Network& network, const SurfaceData& data) {
  double modes = 0;
  pipeline::for_each_stage(network.stages, [&](const pipeline::BoundStage& bound) {
    if (bound.stage->name == "laplacian" || bound.stage->name == "heat_signature") modes = std::max(modes, bound.arguments.number("modes"));
  });
  double bytes = 0;
  for (const LabelledSurface& each : data.surfaces) {
    const auto points = static_cast<double>(each.surface->mesh().nodes());
    bytes += points * (8 * std::min(modes, points) + 1000);  // modes twice; graphs, gradients and features
  }
  return bytes;
}

}  // namespace

std::int64_t SurfaceData::rows() const {
  std::int64_t sum = 0;
  for (const LabelledSurface& each : surfaces) sum += each.labels.defined() ? each.labels.numel() : 0;
  return sum;
}

SurfaceData surface_data(const io::SurfaceSet& set, const std::shared_ptr<const ModeStore>& modes) {
  SurfaceData data;
  data.classes = static_cast<std::int64_t>(set.classes.size());
  data.of_faces = set.of_faces;
  for (std::size_t m = 0; m < set.meshes.size(); ++m)
    data.surfaces.push_back({set.meshes[m].name, std::make_shared<const Surface>(set.meshes[m], modes), set.labelled() ? index_tensor(set.labels[m]) : at::Tensor()});
  return data;
}

void require_trainable(const io::SurfaceSet& set, const std::optional<io::SurfaceSet>& test) {
  require(set.labelled(), Fault::input, "[surfaces] expected labels to learn, found none: name their folder with --labels");
  require(set.classes.size() >= 2, Fault::input, "[surfaces] expected at least 2 classes, found {}", set.classes.size());
  require(test || set.size() >= 2, Fault::input, "[surfaces] expected at least 2 surfaces, one of them to test on, found {}: give more, or a test set with --test", set.size());
  require(!test || test->of_faces == set.of_faces, Fault::input, "[surfaces] expected test labels of {}, as in training, found others", set.of_faces ? "triangles" : "points");
}

SurfaceParts split_surfaces(const SurfaceData& all, const std::optional<SurfaceData>& test, double share, std::uint64_t seed) {
  if (test) return {all, *test};
  const auto count = static_cast<std::int64_t>(all.surfaces.size());
  Random random(seed, Purpose::split);
  auto order = permutation(count, random);
  const std::int64_t held = std::clamp<std::int64_t>(static_cast<std::int64_t>(share * static_cast<double>(count)), 1, count - 1);
  std::sort(order.begin(), order.begin() + held);
  std::sort(order.begin() + held, order.end());
  SurfaceParts parts{all, all};
  parts.train.surfaces.clear();
  parts.test.surfaces.clear();
  for (std::int64_t i = 0; i < count; ++i) (i < held ? parts.test : parts.train).surfaces.push_back(all.surfaces[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
  return parts;
}

std::vector<std::unique_ptr<NodeNetwork>> networks_on(const model::Network& network, const SurfaceData& data, std::uint64_t seed, std::shared_ptr<const Weights> weights, const Context& context) {
  context.memory.require(static_cast<std::uint64_t>(std::min(mode_bytes(network, data), 1e18)), "surfaces", fmt::format("the modes of {}", counted(static_cast<std::int64_t>(data.surfaces.size()), "surface")),
                         "choose fewer modes, or fewer or coarser surfaces");
  std::vector<std::unique_ptr<NodeNetwork>> networks(data.surfaces.size());
  if (networks.empty()) return networks;
  context.check_stop("surfaces");
  networks.front() = network_on(network, data.surfaces.front(), data, seed, std::move(weights), context);
  std::atomic<std::int64_t> done{1};
  const auto all = static_cast<std::int64_t>(networks.size());
  parallel_for(all - 1, context.threads, [&](std::int64_t i) {
    const OneThread one_thread;
    context.check_stop("surfaces");
    const LabelledSurface& surface = data.surfaces[static_cast<std::size_t>(i + 1)];
    try {
      networks[static_cast<std::size_t>(i + 1)] = network_on(network, surface, data, seed, networks.front()->shared_weights(), context);
    } catch (const Error& error) {
      if (error.fault() == Fault::interrupted) throw;
      fail(error.fault(), "{} (surface {})", error.what(), surface.name);
    }
    context.advance(static_cast<double>(++done), static_cast<double>(all), "smooth functions of the surfaces");
  });
  return networks;
}

void require_surface_memory(const model::Network& network, const SurfaceData& train, const SurfaceData& test, std::uint64_t workers, const char* op, const Context& context) {
  std::int64_t rows = 0;
  for (const LabelledSurface& each : train.surfaces) rows = std::max({rows, each.surface->mesh().nodes(), each.surface->mesh().faces()});
  const double bytes = mode_bytes(network, train) + mode_bytes(network, test) + static_cast<double>(workers) * training_bytes(network_size(network.stages, 3, false, train.classes), rows);
  context.memory.require(static_cast<std::uint64_t>(std::min(bytes, 1e18)), op, fmt::format("{} on {}", network.name, counted(static_cast<std::int64_t>(train.surfaces.size() + test.surfaces.size()), "surface")),
                         "choose a smaller width, fewer modes, or fewer or coarser surfaces");
}

std::vector<std::string> surface_remarks(const SurfaceData& train, const std::vector<std::unique_ptr<NodeNetwork>>& networks, const std::vector<std::string>& classes) {
  constexpr double usual = 1e4;  // heat kernel signatures of a body are below 100
  std::vector<std::string> remarks;
  std::vector<bool> present(classes.size(), false);
  for (const LabelledSurface& each : train.surfaces) {
    const std::int64_t* label = each.labels.const_data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < each.labels.numel(); ++i) present[static_cast<std::size_t>(label[i])] = true;
  }
  std::vector<std::string> missing;
  for (std::size_t c = 0; c < classes.size(); ++c)
    if (!present[c]) missing.push_back(classes[c]);
  if (!missing.empty()) remarks.push_back(fmt::format("no training surface has the {} {}", missing.size() == 1 ? "class" : "classes", list_names(missing, 10)));
  for (std::size_t i = 0; i < networks.size(); ++i)
    if (const double largest = networks[i]->largest_feature(); largest > usual) {
      remarks.push_back(fmt::format("features of {} reach {:.2g}: it has a piece that is far smaller than the rest, where heat cannot spread; leave the piece out, or take diffusion-net-xyz",
                                    train.surfaces[i].name, largest));
      break;
    }
  return remarks;
}

std::vector<WeightSpec> surface_weight_specs(const model::Network& network, std::int64_t classes, bool of_faces) {
  io::Mesh tetrahedron;
  tetrahedron.points = {1, 1, 1, 1, -1, -1, -1, 1, -1, -1, -1, 1};
  tetrahedron.triangles = {0, 1, 2, 0, 3, 1, 0, 2, 3, 1, 3, 2};
  SurfaceData data;
  data.surfaces.push_back({"", std::make_shared<const Surface>(tetrahedron), {}});
  data.classes = classes;
  data.of_faces = of_faces;
  return network_on(network, data.surfaces.front(), data, 0, nullptr, Context())->specs();
}

}  // namespace calor::learn

#include "calor/learn/surfaces/train.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/version.h"
#include "calor/learn/surfaces/data.h"
#include "calor/learn/surfaces/run.h"
#include "calor/learn/train/checkpoint.h"

namespace calor::learn {
namespace {

using nlohmann::json;

json command_of(const io::SurfaceSet& set, const std::optional<io::SurfaceSet>& test, const model::Network& network, const TrainSurfacesOptions& options) {
  json command = options.protocol;
  command.update({{"version", version},
                  {"model", "surfaces"},
                  {"pipeline", network.text},
                  {"seed", options.seed},
                  {"data", set.hash},
                  {"test data", test ? json(test->hash) : json()}});
  return command;
}

io::SurfaceSet those(const io::SurfaceSet& set, std::vector<std::int64_t> chosen) {
  std::sort(chosen.begin(), chosen.end());
  io::SurfaceSet result = set;
  result.meshes.clear();
  result.labels.clear();
  for (const std::int64_t i : chosen) {
    result.meshes.push_back(set.meshes[static_cast<std::size_t>(i)]);
    result.labels.push_back(set.labels[static_cast<std::size_t>(i)]);
  }
  return result;
}

}  // namespace

SurfaceSplit split_surfaces(const io::SurfaceSet& set, const std::optional<io::SurfaceSet>& test, double share, std::uint64_t seed) {
  require(set.labelled(), Fault::input, "[surfaces] expected labels to learn, found none: name their folder with --labels");
  require(set.classes.size() >= 2, Fault::input, "[surfaces] expected at least 2 classes, found {}", set.classes.size());
  if (test) {
    require(test->of_faces == set.of_faces, Fault::input, "[surfaces] expected test labels of {}, as in training, found others", set.of_faces ? "triangles" : "points");
    return {set, *test};
  }
  require(set.size() >= 2, Fault::input, "[surfaces] expected at least 2 surfaces, one of them to test on, found {}: give more, or a test set with --test", set.size());
  Random random(seed, Purpose::split);
  const auto order = permutation(set.size(), random);
  const std::int64_t held = std::clamp<std::int64_t>(static_cast<std::int64_t>(share * static_cast<double>(set.size())), 1, set.size() - 1);
  return {those(set, {order.begin() + held, order.end()}), those(set, {order.begin(), order.begin() + held})};
}

model::Network surface_network(const std::string& text, bool of_faces) {
  model::Network network = model::network_of(text);
  bool leads_there = !of_faces;
  for (const pipeline::BoundStage& bound : network.stages) leads_there |= bound.stage->name == "faces";
  if (leads_there) return network;
  model::Network extended = model::network_of(network.text + " | faces");
  extended.name = network.name;
  return extended;
}

TrainedSurfaces train_surfaces(const io::SurfaceSet& set, const std::optional<io::SurfaceSet>& test, const TrainSurfacesOptions& options, const Context& context) {
  validate(options.protocol);
  const SurfaceSplit split = split_surfaces(set, test, options.protocol.test_share, options.seed);
  const model::Network network = surface_network(options.pipeline, set.of_faces);
  Checkpoints checkpoints(options.save, command_of(set, test, network, options), options.restart, options.checkpoint_seconds);
  const SurfaceData train_data = surface_data(split.train), test_data = surface_data(split.test);
  require_surface_memory(network, train_data, test_data, 1, "train", context);
  TrainedSurfaces result;
  SurfaceRun run(network, train_data, test_data, options.protocol, options.seed, context);
  result.remarks = surface_remarks(train_data, run.networks(), set.classes);
  result.resumed_epoch = train_to_end(run, checkpoints, "train", context);
  result.record = run.record();
  result.failure = run.failure();
  result.train = split.train.size(), result.test = split.test.size();
  const auto values = floats(run.network().weights().values());
  result.model = {network.name, network.text, version, set.hash, set.name, options.seed, set.classes, set.of_faces, options.protocol, {values.begin(), values.end()}};
  if (!options.save.empty() && !result.failure) save_surface_model(options.save, result.model);
  checkpoints.remove();
  return result;
}

}  // namespace calor::learn

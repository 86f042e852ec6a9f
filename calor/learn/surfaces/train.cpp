#include "calor/learn/surfaces/train.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
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

}  // namespace

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
  require_trainable(set, test);
  const model::Network network = surface_network(options.pipeline, set.of_faces);
  Checkpoints checkpoints(options.save, command_of(set, test, network, options), options.restart, options.checkpoint_seconds);
  const SurfaceParts parts = split_surfaces(surface_data(set, options.modes), test ? std::optional(surface_data(*test, options.modes)) : std::nullopt, options.protocol.test_share, options.seed);
  require_surface_memory(network, parts.train, parts.test, 1, "train", context);
  TrainedSurfaces result;
  SurfaceRun run(network, parts.train, parts.test, options.protocol, options.seed, context);
  result.remarks = surface_remarks(parts.train, run.networks(), set.classes);
  result.resumed_epoch = train_to_end(run, checkpoints, "train", context);
  result.record = run.record();
  result.failure = run.failure();
  result.train = static_cast<std::int64_t>(parts.train.surfaces.size()), result.test = static_cast<std::int64_t>(parts.test.surfaces.size());
  const auto values = floats(run.network().weights().values());
  result.model = {network.name, network.text, version, set.hash, set.name, options.seed, set.classes, set.of_faces, options.protocol, {values.begin(), values.end()}};
  if (!options.save.empty() && !result.failure) save_surface_model(options.save, result.model);
  checkpoints.remove();
  return result;
}

}  // namespace calor::learn

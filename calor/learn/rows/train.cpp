#include "calor/learn/rows/train.h"

#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/version.h"
#include "calor/learn/data/preprocess.h"
#include "calor/learn/rows/memory_estimate.h"
#include "calor/learn/rows/network_weights.h"
#include "calor/learn/rows/run.h"
#include "calor/learn/train/checkpoint.h"

namespace calor::learn {
namespace {

using nlohmann::json;

// Everything that decides the bits of a run: a checkpoint belongs to one such command.
json command_of(const io::Dataset& data, const std::optional<io::Dataset>& test, const TrainOptions& options,
                const Protocol& protocol, const model::Network& network) {
  json command = to_json(protocol);
  command["version"] = version;
  command["model"] = "network";
  command["pipeline"] = network.text;
  command["seed"] = options.seed;
  command["data"] = data.hash;
  command["label"] = data.label;
  command["test data"] = test ? json(test->hash) : json();
  return command;
}

void require_memory(const io::Dataset& data, const std::optional<io::Dataset>& test, const Protocol& protocol,
                    const Learner& learner, const Context& context) {
  const TrainingSize size = training_size(data, test, protocol.test_share);
  const Protocol resolved = resolve(protocol, {learner}, std::max<std::int64_t>(1, size.train), size.columns, size.classes);
  const RowShape shape = shape_of(learner.network(resolved), size.columns, size.classes);
  context.memory.require(points_bytes(size) + run_bytes(size, resolved, shape), "train",
                         "points, network and activations", "choose a smaller --batch, or a smaller width");
}

Model model_of(const Run& run, const io::Dataset& data, const Prepared& prepared, const TrainOptions& options,
               const Protocol& protocol, const Points& kept) {
  Model model;
  model.attention = options.learner.name;
  model.pipeline = options.learner.pipeline;
  const model::Network network = options.learner.network(protocol);
  model.network = network.text;
  model.protocol = protocol;
  if (const auto propagation = options.learner.attention ? std::nullopt : propagation_of(network)) {
    model.pipeline = propagation->attention.text;
    model.protocol.width = propagation->width;
    model.protocol.layers = propagation->layers;
    model.protocol.residual = propagation->residual;
    model.protocol.temperature = propagation->attention.temperature.value_or(Temperature::fixed);
  }
  model.seed = options.seed;
  model.version = version;
  model.input_hash = data.hash;
  model.data_name = data.name;
  model.features = data.features;
  model.coding = data.coding;
  model.filling = prepared.filling;
  model.label = data.label;
  model.classes = data.classes;
  model.standardisation = prepared.standardisation;
  const float* tokens = kept.values.data_ptr<float>();
  model.tokens.assign(tokens, tokens + kept.values.numel());
  const std::int64_t* labels = kept.labels.data_ptr<std::int64_t>();
  model.labels.assign(labels, labels + kept.labels.numel());
  model.weights = weights_of(run.network());
  return model;
}

}  // namespace

TrainResult train(const io::Dataset& data, const std::optional<io::Dataset>& test, const TrainOptions& options,
                  const Context& context) {
  validate(options.protocol);
  require(options.checkpoint_seconds >= 0, Fault::usage, "[train] expected at least 0 seconds between checkpoints, found {}",
          options.checkpoint_seconds);
  require_memory(data, test, options.protocol, options.learner, context);
  const OneThread one_thread;
  const Prepared prepared = prepare(data, test,
                                    {options.protocol.test_share, options.protocol.standardise,
                                     options.protocol.kept_tokens, options.seed});
  const Protocol protocol = resolve(options.protocol, {options.learner}, prepared.train_count(), prepared.columns, prepared.classes);
  Checkpoints checkpoints(options.save, command_of(data, test, options, protocol, options.learner.network(protocol)), options.restart, options.checkpoint_seconds);

  TrainResult result;
  const RunData points = run_data(prepared);
  Run run(protocol, options.learner, options.seed, points);
  result.resumed_epoch = train_to_end(run, checkpoints, "train", context);
  result.failure = run.failure();
  result.record = run.record();
  result.train_rows = prepared.train_count();
  result.test_rows = prepared.test_count();
  result.constant_columns = prepared.constant_columns;
  result.model = model_of(run, data, prepared, options, protocol, points.kept);
  if (!options.save.empty() && !result.failure) save_model(options.save, result.model);
  checkpoints.remove();
  return result;
}

}  // namespace calor::learn

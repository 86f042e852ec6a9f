#include "train_nodes.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/learn/nodes/model.h"
#include "calor/model/networks.h"
#include "new_points.h"
#include "predictions.h"

namespace calor::app {

using nlohmann::json;

static json training_json(const Globals& globals, const io::NodeDataset& data, const learn::NodeTraining& result, const std::string& save) {
  return {{"schema", 1},
          {"kind", "train-nodes"},
          {"version", version},
          {"command", globals.command_line},
          {"network", result.model.name},
          {"pipeline", result.model.pipeline},
          {"seed", result.model.seed},
          {"input_hash", result.model.input_hash},
          {"read", reading_json(io::reading_line(data), data.reading)},
          {"features", learn::name_of(result.model.scale)},
          {"train", result.train},
          {"validation", result.validation},
          {"test", result.test},
          {"learning_rate", result.rate},
          {"weight_decay", result.decay},
          {"epoch", result.epoch},
          {"parameters", result.parameters},
          {"train_accuracy", result.train_accuracy},
          {"validation_accuracy", result.validation > 0 ? json(result.validation_accuracy) : json()},
          {"test_accuracy", result.test_accuracy},
          {"share", result.shares},
          {"model", save.empty() ? json() : json(save)}};
}

void train_nodes(const Globals& globals, const DataOptions& given, const NodeOptions& options, const ProtocolOptions& protocol, const std::string& save) {
  require(options.pipelines.size() == 1, Fault::usage, "[train] expected one --pipeline, found {}: {}", options.pipelines.size(),
          options.pipelines.empty() ? "name it, as in --pipeline gcn" : "compare several with calor compare");
  require_node_options("train", protocol, false);
  const learn::NodeProtocol settled = options.protocol(protocol);
  const bool edge_columns = model::network_of(options.pipelines.front()).edge_features;  // a text that does not fit is refused before anything is read
  if (!save.empty()) check_node_output(save, given.data, options.graph);
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const io::NodeDataset data = load_nodes(globals, given.data, options.graph, given.load_options(), context, nullptr, edge_columns);
  const learn::NodeTraining result = learn::train_nodes(data, options.pipelines.front(), settled, globals.seed, context);
  bar.clear();
  if (!save.empty()) learn::save_node_model(save, result.model);
  if (globals.json) return print_json(training_json(globals, data, result, save));
  fmt::print("{}: {} nodes to train on, {} to validate, {} to test; features {}\n", data.name, grouped_digits(result.train), grouped_digits(result.validation), grouped_digits(result.test),
             learn::name_of(result.model.scale));
  const std::string validated = result.validation > 0 ? fmt::format("validation {:.1f} %", 100 * result.validation_accuracy) : "no validation";
  fmt::print("{}: test accuracy {:.1f} %, {}, at epoch {} of learning rate {} and weight decay {}; {} parameters\n", result.model.name, 100 * result.test_accuracy,
             validated, result.epoch, result.rate, result.decay, grouped_digits(result.parameters));
  if (!save.empty()) fmt::print("Model: {}\n", save);
}

void predict_nodes(const Globals& globals, const std::string& path, const DataOptions& given, const std::string& graph, const std::string& output, pipeline::Format format, bool missing_asked) {
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const learn::NodeModel model = learn::load_node_model(path);
  io::LoadOptions options = given.load_options();
  io::Filling filling = model.filling;
  const bool known = !model.coding.columns.empty() && !graph.empty();  // a table, as the model's was
  if (known) {
    options.label_must_exist = options.label.has_value();
    if (!options.label) options.label = model.label;
    options.classes = model.classes;
    options.coding = model.coding;
    if (missing_asked) filling = asked_filling(given, model.filling, model.features, nullptr, "predict", "train");
    options.missing = filling.how;
  }
  const io::NodeDataset data = load_nodes(globals, given.data, graph, options, context, known ? &filling : nullptr, !model.edge_features.empty());
  const learn::Predictions predictions = learn::predict_nodes(model, data, context);
  bar.clear();
  write_predictions(globals, output, format, data.hash, reading_json(io::reading_line(data), data.reading), predictions_of(data.node_names, model.classes, predictions),
                    {{"accuracy", accuracy_json(predictions.accuracy)}});
  if (!globals.quiet && !std::isnan(predictions.accuracy)) fmt::print(stderr, "accuracy {:.1f} % of the labelled nodes, those of the training included\n", 100 * predictions.accuracy);
}

}  // namespace calor::app

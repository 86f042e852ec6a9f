// calor train: one network, or a propagator, on the user's data, saved as one self-contained file.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/io/output.h"
#include "calor/learn/propagator/train_propagator.h"
#include "calor/learn/rows/train.h"
#include "calor/model/propagator.h"
#include "command.h"
#include "data_folder.h"
#include "explain_networks.h"
#include "kept_memory.h"
#include "node_options.h"
#include "protocol_options.h"
#include "train_nodes.h"
#include "train_propagator.h"
#include "train_surfaces.h"
#include "train_translation.h"

namespace calor::app {

using nlohmann::json;

struct TrainArguments {
  DataOptions data;
  ProtocolOptions protocol;
  NodeOptions nodes;
  std::string model = "network", attention = "metric", save, test;
  std::optional<double> noise;
  bool restart = false;
  double checkpoint_seconds = learn::TrainOptions{}.checkpoint_seconds;
  const CLI::Option *attention_option = nullptr, *checkpoint_option = nullptr;
  bool attends() const { return attention_option->count() > 0; }
};

static void print_result(const io::Dataset& data, const learn::TrainResult& result, const TrainArguments& arguments) {
  const auto& record = result.record;
  fmt::print("{}: {} training and {}, {}{}, {}\n", data.name, grouped_digits(result.train_rows), counted(result.test_rows, "test point"),
             counted(data.columns, "feature"), result.model.protocol.standardise ? " (standardised)" : " (as they are)",
             counted(static_cast<std::int64_t>(data.classes.size()), "class"));
  if (!result.constant_columns.empty())
    fmt::print("  constant columns, kept as zeros: {}\n", list_names(result.constant_columns));
  if (result.resumed_epoch) fmt::print("  went on from the checkpoint at epoch {}\n", *result.resumed_epoch);
  const double loss = record.loss.back();
  fmt::print("{}: test accuracy {:.1f} %, training loss {} after {}, {} parameters\n", result.model.attention, 100 * record.test_accuracy.back(),
             loss < 1e6 ? fmt::format("{:.4f}", loss) : std::isfinite(loss) ? fmt::format("{:.4g}", loss) : "non-finite", counted(record.epoch.back(), "epoch"), record.parameters);
  if (!arguments.save.empty() && !result.failure) fmt::print("Model: {}\n", arguments.save);
}

// What a network's own text says is no part of the protocol.
static json protocol_json(const learn::Model& model) {
  json protocol = learn::to_json(model.protocol);
  if (model.pipeline == model.network)
    for (const char* field : {"layers", "width", "residual", "temperature"}) protocol[field] = nullptr;
  return protocol;
}

static json result_json(const Globals& globals, const io::Dataset& data, const learn::TrainResult& result, const TrainArguments& arguments) {
  const auto& record = result.record;
  return {{"schema", 1},
          {"kind", "train"},
          {"version", version},
          {"command", globals.command_line},
          {"attention", result.model.attention},
          {"pipeline", result.model.pipeline},
          {"network", result.model.network},
          {"protocol", protocol_json(result.model)},
          {"seed", result.model.seed},
          {"input_hash", result.model.input_hash},
          {"read", reading_json(io::reading_line(data), io::full_reading(data))},
          {"train", result.train_rows},
          {"test", result.test_rows},
          {"constant_columns", result.constant_columns},
          {"parameters", record.parameters},
          {"epoch", record.epoch},
          {"loss", record.loss},
          {"train_accuracy", record.train_accuracy},
          {"test_accuracy", record.test_accuracy},
          {"seconds", record.seconds},
          {"share", record.share},
          {"temperature", record.temperature},
          {"failure", result.failure ? json(*result.failure) : json()},
          {"model", arguments.save.empty() || result.failure ? json() : json(arguments.save)}};
}

static learn::Learner learner_of(const TrainArguments& arguments, bool on_rows) {
  if (!on_rows) return learn::attention_learner(arguments.attention);
  require(!arguments.attends(), Fault::usage, "[train] expected --attention or --pipeline, found both: put the attention into the pipeline");
  require(arguments.nodes.pipelines.size() == 1, Fault::usage, "[train] expected one --pipeline, found {}: `calor compare` trains several", arguments.nodes.pipelines.size());
  require_labels("train", arguments.nodes);
  require_row_options("train", arguments.protocol, arguments.nodes, false);
  return learn::network_learner(arguments.nodes.pipelines.front());
}

// The propagator that --model or --pipeline means; nothing where it is a network.
static std::optional<model::PropagatorForm> propagator_of(const TrainArguments& arguments) {
  const auto& pipelines = arguments.nodes.pipelines;
  if (arguments.model != "network") {
    const bool measured = arguments.model == "propagator-regressor";
    const std::int64_t width = arguments.protocol.width.value_or(learn::PropagatorOptions{}.hidden);
    return model::PropagatorForm{model::propagator_text(width, measured), width, measured};
  }
  if (pipelines.size() != 1 || !model::is_propagator(pipelines.front())) return {};
  require(!arguments.protocol.width, Fault::usage, "[train] expected the width in the pipeline, found --width: write --pipeline \"learned-propagator width={}\"", arguments.protocol.width.value_or(0));
  require(!arguments.attends() && arguments.nodes.graph.empty() && !arguments.nodes.surfaces(), Fault::usage, "[train] expected a propagator on the rows of a table, found --attention, --graph or --labels with it: leave it out");
  return model::propagator_form(pipelines.front());
}

static void train(const Globals& globals, const TrainArguments& arguments) {
  keep_freed_memory(globals);
  require(arguments.save.empty() || arguments.data.missing != "neighbours", Fault::usage,
          "[train] expected --missing drop or mean with --save, found neighbours, which a saved model does not keep: use mean");
  require_surfaces_for_modes("train", arguments.nodes.modes, arguments.nodes.surfaces());
  if (arguments.nodes.surfaces()) {
    require(arguments.model == "network" && !arguments.attends() && !arguments.noise, Fault::usage,
            "[train] expected surfaces without --model, --attention and --noise, found one of them: the pipeline says what the network is");
    if (arguments.nodes.explain) {
      ProgressBar bar(globals.quiet);
      return explain_surfaces(globals, arguments.nodes, arguments.data.data, arguments.test, surface_pipelines(arguments.nodes), make_context(globals, bar));
    }
    return train_surfaces(globals, arguments.nodes, arguments.protocol, {arguments.data, arguments.test, arguments.save, arguments.restart, arguments.checkpoint_seconds});
  }
  const std::optional<model::PropagatorForm> propagator = propagator_of(arguments);
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const bool on_rows = arguments.nodes.on_rows("train", {arguments.data.data}, context);
  if (arguments.nodes.wanted() && !on_rows) {
    require_labels("train", arguments.nodes);
    require(arguments.model == "network" && !arguments.attends() && !arguments.noise && arguments.test.empty() && !arguments.restart, Fault::usage,
            "[train] expected --pipeline without --model, --attention, --noise, --test and --restart, found one of them: the pipeline says what the network is, and a training of seconds begins anew");
    require(arguments.checkpoint_option->count() == 0, Fault::usage,
            "[train] expected no --checkpoint-seconds for the nodes of a graph, found one: such a training takes seconds, keeps no checkpoint and begins anew after an interruption; leave it out");
    if (arguments.nodes.explain) return explain_nodes(globals, arguments.data, arguments.nodes, arguments.data.data, node_pipelines(arguments.nodes), context);
    return train_nodes(globals, arguments.data, arguments.nodes, arguments.protocol, arguments.save);
  }
  require(!on_rows || arguments.model == "network", Fault::usage, "[train] expected --pipeline without --model {}, found both: the pipeline says what the network is", arguments.model);
  if (propagator) {
    require(!arguments.nodes.explain, Fault::usage, "[train] expected no --explain with --model propagator, found it: it is no network of layers (calor recipes learned-propagator says what it does)");
    require(!arguments.attends(), Fault::usage,
            "[train] expected no --attention with --model {}, found one: it has its own attention", arguments.model);
    train_propagator(globals, arguments.data, arguments.protocol,
                     {*propagator, arguments.restart, arguments.checkpoint_seconds, arguments.noise, arguments.save,
                      arguments.test});
    return;
  }
  require(!arguments.noise, Fault::usage, "[train] expected no --noise with --model network, found one: it is the propagator's");
  learn::TrainOptions options;
  options.protocol = arguments.protocol.protocol();
  options.learner = learner_of(arguments, on_rows);
  options.seed = globals.seed;
  options.save = arguments.save;
  options.restart = arguments.restart;
  options.checkpoint_seconds = arguments.checkpoint_seconds;
  if (!options.save.empty()) check_output(options.save, {arguments.data.data, arguments.test});

  const io::Dataset data = load_training(globals, arguments.data.data, arguments.data.load_options(), context);
  const auto test = load_test(globals, arguments.test, data, arguments.data, context);
  if (arguments.nodes.explain) return explain_rows(data, options.protocol, {options.learner});
  const learn::TrainResult result = learn::train(data, test, options, context);
  bar.clear();
  if (globals.json) print_json(result_json(globals, data, result, arguments));
  else print_result(data, result, arguments);
  require(!result.failure, Fault::convergence, "[train] expected a finite loss, found that {}{}: try a smaller --lr, or standardise",
          result.failure.value_or(""), arguments.save.empty() ? "" : "; no model was written");
}

void add_train_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("train", train_summary);
  const auto arguments = std::make_shared<TrainArguments>();
  // Not required of the parser, which would take the word of a subcommand for it.
  command->add_option("data", arguments->data.data, "A file (csv, tsv, libsvm, npy, npz, idx, also .gz) or a bundled name")->type_name("DATA");
  command->add_option("--model", arguments->model,
                      "network: by --attention or --pipeline; propagator: labels flow from the training points under a learned metric; "
                      "propagator-regressor: the same for a column of measured values")
      ->capture_default_str()
      ->check(CLI::IsMember({"network", "propagator", "propagator-regressor"}));
  arguments->attention_option = command->add_option("--attention", arguments->attention, "self, l2, metric, uniform, or a pipeline: \"score(metric) | exp | two_side(1) | row | apply\"")
      ->capture_default_str();
  command->add_option("--save", arguments->save,
                      "Model file to write (.safetensors). Interrupted training goes on from FILE.checkpoint")
      ->check(not_empty);
  command->add_flag("--restart", arguments->restart, "Discard a checkpoint of an interrupted run");
  arguments->checkpoint_option = command->add_option("--checkpoint-seconds", arguments->checkpoint_seconds, "Seconds between checkpoints; not for the nodes of a graph, which are trained in seconds")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("--noise", arguments->noise,
                      "Of a propagator: noise on the points while training, in median distances (default: the best of 0, 0.15, 0.3, 0.6 and no training on held-out training rows)")
      ->check(CLI::NonNegativeNumber);
  add_data_options(*command, arguments->data, label_of_predictions);
  command->add_option("--test", arguments->test, "A separate test set; without it a share of DATA is held out");
  add_protocol(*command, arguments->protocol);
  add_node_options(*command, arguments->nodes);
  add_globals(*command, globals);
  CLI::App* captions = add_captions_command(*command, globals);
  command->callback([&globals, arguments, captions] {
    if (captions->parsed()) return;
    if (arguments->data.data.empty()) throw CLI::RequiredError("data");
    arguments->data.data = node_source(arguments->data.data);
    arguments->nodes.settle("train");
    train(globals, *arguments);
  });
}

}  // namespace calor::app

// calor predict: classes or values of new points by a saved model.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/file_kind.h"
#include "calor/io/number.h"
#include "calor/learn/propagator/propagator.h"
#include "calor/learn/rows/predict.h"
#include "apply.h"
#include "command.h"
#include "data_folder.h"
#include "new_points.h"
#include "predictions.h"
#include "train_nodes.h"
#include "train_propagator.h"
#include "train_surfaces.h"

namespace calor::app {

using nlohmann::json;

// The model's feature columns, and labels where the data has them.
static io::Dataset load_points(const PredictArguments& arguments, const learn::Model& model, const Context& context) {
  io::LoadOptions options = arguments.data.load_options();
  options.label_must_exist = options.label.has_value();
  if (!options.label) options.label = model.label;
  options.classes = model.classes;
  options.coding = model.coding;
  options.missing = model.filling.how;
  io::Dataset data = io::load_dataset(arguments.data.data, options, context);
  io::fill_new(data, model.filling, context);
  return data;
}

static void predict(const Globals& globals, PredictArguments arguments) {
  arguments.data.data = node_source(arguments.data.data);
  if (!arguments.output.empty()) check_output(arguments.output, {arguments.model, arguments.data.data, arguments.graph});
  const pipeline::Format format = pipeline::format_of(arguments.output, globals.json);
  require_own_columns(arguments.data, "predict", "model");
  const auto kind = io::expect_kind(arguments.model, {io::FileKind::network, io::FileKind::node_network, io::FileKind::surface_network, io::FileKind::diffusion_net, io::FileKind::propagator},
                                   "predict", "a model of calor train");
  if (kind == io::FileKind::surface_network || kind == io::FileKind::diffusion_net) {
    require(arguments.evidence == 0 && arguments.graph.empty(), Fault::usage, "[predict] expected no --evidence and no --graph with a network on surfaces, found one of them: leave it out");
    return predict_surfaces(globals, arguments.model, arguments.data, {arguments.labels, arguments.modes}, arguments.output, format);
  }
  require_surfaces_for_modes("predict", arguments.modes, false);
  require(arguments.labels.empty(), Fault::usage, "[predict] expected a network on surfaces for --labels, found {}: leave --labels out", io::file_kind(arguments.model).what);
  if (kind == io::FileKind::node_network) {
    require(arguments.evidence == 0, Fault::usage, "[predict] expected a propagator for --evidence, found a network on nodes");
    if (!arguments.output.empty()) check_node_output(arguments.output, arguments.data.data, arguments.graph);
    return predict_nodes(globals, arguments.model, arguments.data, arguments.graph, arguments.output, format, arguments.missing_asked);
  }
  const auto require_no_graph = [&](const char* found) { require(arguments.graph.empty(), Fault::usage, "[predict] expected a network on nodes for --graph, found {}: leave --graph out", found); };
  if (kind == io::FileKind::propagator) {
    require_no_graph("a propagator");
    return predict_with_propagator(globals, {arguments.model, arguments.output, arguments.data, format, arguments.evidence, arguments.missing_asked});
  }
  require(arguments.evidence == 0, Fault::usage,
          "[predict] expected a propagator for --evidence, found a network, whose layers mix its tokens: train with --model propagator");
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  learn::Model model = learn::load_model(arguments.model);
  require_no_graph("a network on rows");
  if (arguments.missing_asked) model.filling = asked_filling(arguments.data, model.filling, model.features, nullptr, "predict", "train");
  const io::Dataset data = load_points(arguments, model, context);
  bar.clear();
  say_reading(globals, io::reading_line(data), data.reading);
  const learn::Predictions predictions = learn::predict(model, data, context);
  bar.clear();
  write_predictions(globals, arguments.output, format, data.hash, reading_json(io::reading_line(data), io::full_reading(data)), predictions_of(data.row_names, model.classes, predictions),
                    {{"accuracy", accuracy_json(predictions.accuracy)}});
  if (!globals.quiet && !std::isnan(predictions.accuracy))
    fmt::print(stderr, "accuracy {:.1f} % of {}\n", 100 * predictions.accuracy, counted(predictions.rows, "labelled row"));
}

void add_apply_command(CLI::App& app, Globals& globals) {
  add_apply_command(app, globals, [](const Globals& all, const PredictArguments& arguments) { predict(all, arguments); });
}

void add_predict_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("predict", predict_summary);
  const auto arguments = std::make_shared<PredictArguments>();
  command->add_option("model", arguments->model, "A model that `calor train --save` wrote")->required()->type_name("MODEL");
  command->add_option("data", arguments->data.data, "A file with the model's feature columns, or a bundled name; for a network on surfaces a mesh, a folder or a list of meshes")
      ->required()
      ->type_name("DATA");
  add_output(*command, arguments->output);
  command->add_option("--evidence", arguments->evidence, "Of a propagator: for each prediction, list this many training rows of largest weight")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1000}));
  add_graph_option(*command, arguments->graph);
  add_labels_option(*command, arguments->labels);
  add_modes_option(*command, arguments->modes);
  add_data_options(*command, arguments->data, "that of the model");
  add_globals(*command, globals);
  command->callback([&globals, arguments, missing = as_saved(*command, "the model")] {
    arguments->missing_asked = missing->count() > 0;
    predict(globals, *arguments);
  });
}

}  // namespace calor::app

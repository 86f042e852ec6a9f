// calor predict: classes of new points by a saved model, as csv or JSON.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/version.h"
#include "calor/io/file_kind.h"
#include "calor/io/output.h"
#include "calor/io/separated.h"
#include "calor/learn/predict.h"
#include "calor/learn/propagator.h"
#include "command.h"
#include "train_propagator.h"

namespace calor::app {

using nlohmann::json;

struct PredictArguments {
  std::string model, output;
  std::int64_t evidence = 0;  // 0: none
  DataOptions data;
};

// A csv cell: quoted where it holds a comma, a quote or a line break.
static std::string as_csv(const learn::Model& model, const learn::Predictions& predictions) {
  std::string text = "prediction";
  for (const std::string& name : model.classes) text += "," + io::separated_cell("p_" + name, ',');
  text += "\n";
  for (std::int64_t i = 0; i < predictions.rows; ++i) {
    text += io::separated_cell(model.classes[static_cast<std::size_t>(predictions.winner[static_cast<std::size_t>(i)])], ',');
    for (std::int64_t c = 0; c < predictions.classes; ++c)
      fmt::format_to(std::back_inserter(text), ",{:.6g}",
                     predictions.probability[static_cast<std::size_t>(i * predictions.classes + c)]);
    text += "\n";
  }
  return text;
}

static json as_json(const Globals& globals, const learn::Model& model, const io::Dataset& data,
                    const learn::Predictions& predictions) {
  json rows = json::array();
  for (std::int64_t i = 0; i < predictions.rows; ++i) {
    const auto begin = predictions.probability.begin() + i * predictions.classes;
    rows.push_back({{"prediction", model.classes[static_cast<std::size_t>(predictions.winner[static_cast<std::size_t>(i)])]},
                    {"probability", std::vector<float>(begin, begin + predictions.classes)}});
  }
  return {{"schema", 1},
          {"kind", "predict"},
          {"version", version},
          {"command", globals.command_line},
          {"classes", model.classes},
          {"input_hash", data.hash},
          {"accuracy", std::isnan(predictions.accuracy) ? json() : json(predictions.accuracy)},
          {"rows", std::move(rows)}};
}

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

static void predict(const Globals& globals, const PredictArguments& arguments) {
  if (!arguments.output.empty()) check_output(arguments.output, {arguments.model, arguments.data.data});
  const auto kind = io::expect_kind(arguments.model, {io::FileKind::network, io::FileKind::propagator}, "predict", "a model of calor train");
  if (kind == io::FileKind::propagator)
    return predict_with_propagator(globals, arguments.model, arguments.data, arguments.output, arguments.evidence);
  require(arguments.evidence == 0, Fault::usage,
          "[predict] expected a propagator for --evidence, found a network, whose layers mix its tokens: train with --model propagator");
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const learn::Model model = learn::load_model(arguments.model);
  const io::Dataset data = load_points(arguments, model, context);
  bar.clear();
  say_reading(globals, io::reading_line(data), data.reading);
  const learn::Predictions predictions = learn::predict(model, data, context);
  bar.clear();

  const std::string text =
      globals.json ? dump(as_json(globals, model, data, predictions)) + "\n" : as_csv(model, predictions);
  if (arguments.output.empty()) std::fwrite(text.data(), 1, text.size(), stdout);
  else io::write_file(arguments.output, text);
  if (!globals.quiet && !std::isnan(predictions.accuracy))
    fmt::print(stderr, "accuracy {:.1f} % of {} labelled rows\n", 100 * predictions.accuracy, predictions.rows);
}

void add_predict_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("predict", predict_summary);
  const auto arguments = std::make_shared<PredictArguments>();
  command->add_option("model", arguments->model, "A model that `calor train --save` wrote")->required()->type_name("MODEL");
  command->add_option("data", arguments->data.data, "A file with the model's feature columns, or a bundled name")
      ->required()
      ->type_name("DATA");
  command->add_option("-o,--output", arguments->output, "File to write (default: standard output)")->check(not_empty);
  command->add_option("--evidence", arguments->evidence, "Of a propagator: for each prediction so many of the training rows that decided it, with their weights")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1000}));
  add_data_options(*command, arguments->data, "that of the model");
  add_globals(*command, globals);
  command->callback([&globals, arguments] { predict(globals, *arguments); });
}

}  // namespace calor::app

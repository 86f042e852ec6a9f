#include "train_propagator.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/version.h"
#include "calor/io/output.h"
#include "calor/learn/train_propagator.h"
#include "run_quality.h"

namespace calor::app {

using nlohmann::json;

static learn::PropagatorOptions options_of(const Globals& globals, const ProtocolOptions& protocol) {
  const ProtocolOptions standard;
  for (const auto& [name, other] : {std::pair{"--layers", protocol.layers.has_value()}, {"--reading", protocol.reading != standard.reading},
                                    {"--attend", protocol.attend != standard.attend}, {"--temperature", protocol.temperature != standard.temperature},
                                    {"--optimizer", !protocol.optimizer.empty()}, {"--no-standardise", protocol.no_standardise}})
    require(!other, Fault::usage, "[train] expected no {} with --model propagator, found one: it has one layer, learns its temperature and chooses "
                                  "standardisation from the data", name);
  learn::PropagatorOptions options;
  options.seed = globals.seed;
  if (protocol.epochs) options.epochs = *protocol.epochs;
  if (protocol.batch) options.batch = *protocol.batch;
  if (protocol.width) options.hidden = *protocol.width;
  if (protocol.learning_rate) options.learning_rate = *protocol.learning_rate;
  if (protocol.weight_decay) options.weight_decay = *protocol.weight_decay;
  if (protocol.test_share) options.test_share = *protocol.test_share;
  require(!protocol.epochs || options.epochs >= 1, Fault::usage, "[train] expected at least 1 epoch, found {}", options.epochs);
  return options;
}

static json quality_json(const analyse::ClassQuality& found) {
  json reliability = json::array();
  for (const analyse::ReliabilityBin& bin : found.reliability)
    reliability.push_back({{"rows", bin.rows}, {"confidence", bin.confidence}, {"accuracy", bin.accuracy}});
  return {{"rows", found.rows},
          {"accuracy", number_or_null(found.accuracy)},
          {"log_loss", number_or_null(found.log_loss)},
          {"brier", number_or_null(found.brier)},
          {"calibration_error", number_or_null(found.calibration_error)},
          {"reliability", std::move(reliability)},
          {"confusion", found.confusion}};
}

static json result_json(const Globals& globals, const learn::TrainedPropagator& result, const std::string& save) {
  json loss = json::array();
  for (const double value : result.loss) loss.push_back(number_or_null(value));
  json trials = json::array();  // noise null: untrained
  for (const learn::PropagatorTrial& trial : result.trials)
    trials.push_back({{"noise", trial.noise ? json(*trial.noise) : json()}, {"log_loss", number_or_null(trial.log_loss)}});
  return {{"schema", 1},
          {"kind", "train-propagator"},
          {"version", version},
          {"command", globals.command_line},
          {"seed", result.model.seed},
          {"input_hash", result.model.input_hash},
          {"classes", result.model.classes},
          {"train", result.train_rows},
          {"test", result.test_rows},
          {"parameters", result.parameters},
          {"start", {{"standardised", result.start.standardised}, {"temperature", result.start.temperature}, {"alpha", result.start.alpha},
                     {"leave_one_out", result.start.likelihood}}},
          {"trials", std::move(trials)},
          {"noise", result.noise ? json(*result.noise) : json()},
          {"temperature", result.model.temperature},
          {"alpha", result.model.alpha},
          {"loss", std::move(loss)},
          {"seconds", result.seconds},
          {"quality", quality_json(result.test)},
          {"untrained_quality", quality_json(result.untrained_test)},
          {"failure", result.failure ? json(*result.failure) : json()},
          {"model", save.empty() || result.failure ? json() : json(save)}};
}

static std::string quality_line(const analyse::ClassQuality& found) {
  return fmt::format("accuracy {:.1f} %, log-loss {:.3f}, Brier score {:.3f}, calibration error {:.3f}", 100 * found.accuracy, found.log_loss, found.brier,
                     found.calibration_error);
}

static void print_result(const io::Dataset& data, const learn::TrainedPropagator& result, const std::string& save) {
  fmt::print("{}: {} training and {} test points, {} features{}, {} classes\n", data.name, result.train_rows, result.test_rows, data.columns,
             result.start.standardised ? " (standardised, as leave-one-out prefers)" : " (as they are, as leave-one-out prefers)", data.classes.size());
  fmt::print("untrained: {}\n", quality_line(result.untrained_test));
  if (result.noise)
    fmt::print("trained:   {}; {} epochs, {} parameters, noise {}, alpha {:.2f}\n", quality_line(result.test), result.loss.size(),
               result.parameters, *result.noise, result.model.alpha);
  else fmt::print("trained:   no way of training predicted left-out rows better than the untrained one, which is kept\n");
  if (!save.empty() && !result.failure) fmt::print("Model: {}\n", save);
}

void train_propagator(const Globals& globals, const DataOptions& data_options, const ProtocolOptions& protocol, const PropagatorTraining& training) {
  learn::PropagatorOptions options = options_of(globals, protocol);
  options.noise = training.noise;
  const std::string &save = training.save, &test_path = training.test;
  if (!save.empty()) {
    check_output(save, {data_options.data, test_path});
    io::check_writable(save);
  }
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const io::Dataset data = io::load_dataset(data_options.data, data_options.load_options(), context);
  const auto test = load_test(test_path, data, data_options, context);
  const learn::TrainedPropagator result = learn::train_propagator(data, test, options, context);
  if (!save.empty() && !result.failure) learn::save_propagator(save, result.model);
  bar.clear();
  if (globals.json) print_json(result_json(globals, result, save));
  else print_result(data, result, save);
  require(!result.failure, Fault::convergence, "[train] expected a finite loss, found: {}{}: try a smaller --lr", result.failure.value_or(""),
          save.empty() ? "" : "; no model was written");
}

// Rows of evidence count from 1, as in the file trained on.
static json predictions_json(const learn::Propagator& model, const learn::Propagated& found, std::int64_t evidence) {
  json rows = json::array();
  for (Eigen::Index i = 0; i < found.probability.rows(); ++i) {
    Eigen::Index best = 0;
    found.probability.row(i).maxCoeff(&best);
    const auto row = found.probability.row(i);
    json entry{{"prediction", model.classes[static_cast<std::size_t>(best)]}, {"probability", std::vector<double>(row.begin(), row.end())}};
    if (evidence > 0) {
      entry["evidence"] = json::array();
      for (const pipeline::Evidence& one : found.evidence[static_cast<std::size_t>(i)]) {
        const auto key = std::lower_bound(model.rows.begin(), model.rows.end(), one.row) - model.rows.begin();
        entry["evidence"].push_back({{"row", one.row + 1}, {"label", model.classes[static_cast<std::size_t>(model.labels[static_cast<std::size_t>(key)])]},
                                     {"weight", one.weight}});
      }
    }
    rows.push_back(std::move(entry));
  }
  return rows;
}

static std::string cell(const json& text) {
  const std::string plain = text.get<std::string>();
  if (plain.find_first_of(",\"\n\r") == std::string::npos) return plain;
  std::string quoted = "\"";
  for (const char c : plain) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

static std::string as_csv(const learn::Propagator& model, const json& rows, std::int64_t evidence) {
  std::string text = "prediction";
  for (const std::string& name : model.classes) text += "," + cell("p_" + name);
  for (std::int64_t k = 1; k <= evidence; ++k) text += fmt::format(",evidence{0},evidence{0}_label,evidence{0}_weight", k);
  for (const json& row : rows) {
    text += "\n" + cell(row["prediction"]);
    for (const json& value : row["probability"]) text += fmt::format(",{}", value.get<double>());
    for (std::size_t k = 0; k < static_cast<std::size_t>(evidence); ++k) {
      if (k >= row["evidence"].size()) text += ",,,";
      else
        text += fmt::format(",{},{},{}", row["evidence"][k]["row"].get<std::int64_t>(), cell(row["evidence"][k]["label"]),
                            row["evidence"][k]["weight"].get<double>());
    }
  }
  return text + "\n";
}

void predict_with_propagator(const Globals& globals, const std::string& path, const DataOptions& data_options, const std::string& output,
                             std::int64_t evidence) {
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const learn::Propagator model = learn::load_propagator(path);
  io::LoadOptions load = data_options.load_options();
  if (!load.label) load.label = model.label;
  load.classes = model.classes;
  load.features = model.features;
  const io::Dataset data = io::load_dataset(data_options.data, load, context);
  const learn::Propagated found = learn::propagate(model, learn::points_for(model, data), evidence, context);
  bar.clear();
  std::optional<analyse::ClassQuality> quality;
  if (data.labelled()) {
    std::vector<std::int64_t> labels;
    for (const std::int64_t label : data.labels)
      labels.push_back(std::find(model.classes.begin(), model.classes.end(), data.classes[static_cast<std::size_t>(label)]) - model.classes.begin());
    quality = analyse::class_quality({found.probability.data(), static_cast<std::size_t>(found.probability.size())}, found.probability.cols(), labels);
  }
  json rows = predictions_json(model, found, evidence);
  std::string text;
  if (globals.json) {
    text = dump(json{{"schema", 1},
                     {"kind", "predict"},
                     {"version", version},
                     {"command", globals.command_line},
                     {"classes", model.classes},
                     {"input_hash", data.hash},
                     {"accuracy", quality ? number_or_null(quality->accuracy) : json()},
                     {"quality", quality ? quality_json(*quality) : json()},
                     {"rows", std::move(rows)}}) + "\n";
  } else {
    text = as_csv(model, rows, evidence);
  }
  if (output.empty()) std::fwrite(text.data(), 1, text.size(), stdout);
  else io::write_file(output, text);
  if (!globals.quiet && quality) fmt::print(stderr, "{} of {} labelled rows\n", quality_line(*quality), quality->rows);
}

}  // namespace calor::app

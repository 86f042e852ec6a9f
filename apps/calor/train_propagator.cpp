#include "train_propagator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <span>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/learn/propagator/train_propagator.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/quality.h"
#include "new_points.h"
#include "predictions.h"

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
          {"accuracy", pipeline::number_or_null(found.accuracy)},
          {"log_loss", pipeline::number_or_null(found.log_loss)},
          {"brier", pipeline::number_or_null(found.brier)},
          {"calibration_error", pipeline::number_or_null(found.calibration_error)},
          {"reliability", std::move(reliability)},
          {"confusion", found.confusion}};
}

static json quality_json(const analyse::ValueQuality& found) {
  return {{"rows", found.rows}, {"rmse", pipeline::number_or_null(found.root_mean_square_error)}, {"r2", pipeline::number_or_null(found.r2)}};
}

static json quality_json(const learn::Propagator& model, const learn::PropagatorQuality& found) {
  return model.measured() ? quality_json(found.values) : quality_json(found.classes);
}

static json result_json(const Globals& globals, const learn::TrainedPropagator& result, const PropagatorTraining& training, json read) {
  json loss = json::array();
  for (const double value : result.loss) loss.push_back(pipeline::number_or_null(value));
  json trials = json::array();  // noise null: untrained; error null: given up
  for (const learn::PropagatorTrial& trial : result.trials)
    trials.push_back({{"noise", trial.noise ? json(*trial.noise) : json()}, {result.model.measured() ? "rmse" : "log_loss", pipeline::number_or_null(trial.error)}});
  return {{"schema", 1},
          {"kind", "train-propagator"},
          {"version", version},
          {"command", globals.command_line},
          {"model_kind", result.model.measured() ? "propagator-regressor" : "propagator"},
          {"pipeline", training.form.text},
          {"seed", result.model.seed},
          {"input_hash", result.model.input_hash},
          {"read", std::move(read)},
          {"label", result.model.label},
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
          {"quality", quality_json(result.model, result.test)},
          {"untrained_quality", quality_json(result.model, result.untrained_test)},
          {"failure", result.failure ? json(*result.failure) : json()},
          {"model", training.save.empty() || result.failure ? json() : json(training.save)}};
}

static std::string quality_line(const analyse::ClassQuality& found) {
  return fmt::format("accuracy {:.1f} %, log-loss {:.3f}, Brier score {:.3f}, calibration error {:.3f}", 100 * found.accuracy, found.log_loss, found.brier,
                     found.calibration_error);
}

static std::string quality_line(const analyse::ValueQuality& found) {
  return fmt::format("root mean square error {:.4g}, R2 {:.3f}", found.root_mean_square_error, found.r2);
}

static std::string quality_line(const learn::Propagator& model, const learn::PropagatorQuality& found) {
  return model.measured() ? quality_line(found.values) : quality_line(found.classes);
}

static void print_result(const learn::TrainedPropagator& result, const std::string& save) {
  const learn::Propagator& model = result.model;
  fmt::print("{}: {} training and {}, {}{}, {}\n", model.data_name, grouped_digits(result.train_rows), counted(result.test_rows, "test point"),
             counted(static_cast<std::int64_t>(model.features.size()), "feature"),
             result.start.standardised ? " (standardised, as leave-one-out prefers)" : " (as they are, as leave-one-out prefers)",
             model.measured() ? fmt::format("values of \"{}\"", model.label) : fmt::format("{} classes", model.classes.size()));
  if (result.resumed_epoch) fmt::print("  went on from the checkpoint at epoch {}\n", *result.resumed_epoch);
  fmt::print("untrained: {}\n", quality_line(model, result.untrained_test));
  if (result.noise)
    fmt::print("trained:   {}; {}, {} parameters, noise {}, alpha {:.2f}\n", quality_line(model, result.test), counted(static_cast<std::int64_t>(result.loss.size()), "epoch"),
               result.parameters, *result.noise, std::round(100 * model.alpha) / 100 + 0.0);  // no -0.00
  else fmt::print("trained:   no way of training predicted left-out rows better than the untrained one, which is kept\n");
  if (!save.empty() && !result.failure) fmt::print("Model: {}\n", save);
}

void train_propagator(const Globals& globals, const DataOptions& data_options, const ProtocolOptions& protocol, const PropagatorTraining& training) {
  learn::PropagatorOptions options = options_of(globals, protocol);
  const bool measured = training.form.measured;
  options.hidden = training.form.width;
  options.noise = training.noise;
  options.save = training.save;
  options.restart = training.restart;
  options.checkpoint_seconds = training.checkpoint_seconds;
  if (!training.save.empty()) check_output(training.save, {data_options.data, training.test});
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  json read;
  const learn::PropagatorData data = [&] {
    io::LoadOptions load = data_options.load_options();
    load.measured = measured;
    const io::Dataset set = load_training(globals, data_options.data, load, context);
    read = reading_json(io::reading_line(set), io::full_reading(set));
    const auto test = load_test(globals, training.test, set, data_options, context, measured);
    return measured ? learn::propagator_values(set, test, options) : learn::propagator_classes(set, test, options);
  }();
  const learn::TrainedPropagator result = learn::train_propagator(data, options, context);
  bar.clear();
  if (globals.json) print_json(result_json(globals, result, training, std::move(read)));
  else print_result(result, training.save);
  require(!result.failure, Fault::convergence, "[train] expected a finite loss, found that {}{}: try a smaller --lr, --noise or --weight-decay", result.failure.value_or(""),
          training.save.empty() ? "" : "; no model was written");
}

// Rows of evidence count from 1, as in the file trained on.
static NewPredictions written(const learn::Propagator& model, const io::Dataset& data, const learn::Propagated& found, std::int64_t most) {
  NewPredictions result{data.row_names, model.classes, {}, found.probability, found.values, most, {}};
  for (Eigen::Index i = 0; i < found.probability.rows() && !model.measured(); ++i) {
    Eigen::Index best = 0;
    found.probability.row(i).maxCoeff(&best);
    result.winner.push_back(best);
  }
  for (const auto& rows : found.evidence) {
    auto& cells = result.evidence.emplace_back();
    for (const engine::Evidence& one : rows) {
      const auto key = std::lower_bound(model.rows.begin(), model.rows.end(), one.row) - model.rows.begin();
      const std::string label = model.measured() ? pipeline::number_cell(model.targets[key]) : model.classes[static_cast<std::size_t>(model.labels[static_cast<std::size_t>(key)])];
      cells.push_back({std::to_string(one.row + 1), label, pipeline::number_cell(one.weight)});
    }
  }
  return result;
}

// New points with what is known of them: classes as the model counts them, or values; without, neither.
struct NewPoints {
  engine::Matrix points;
  std::vector<std::int64_t> labels;
  engine::Vector targets;
  io::Dataset data;
};

static NewPoints load_new(const Globals& globals, const learn::Propagator& model, const DataOptions& options, const Context& context) {
  io::LoadOptions load = options.load_options();
  load.label_must_exist = load.label.has_value();
  if (!load.label) load.label = model.label;
  load.classes = model.classes;
  load.measured = model.measured();
  load.partly_labelled = model.measured();
  load.coding = model.coding;
  load.missing = model.filling.how;
  io::Dataset data = io::load_dataset(options.data, load, context);
  io::fill_new(data, model.filling, context);
  say_reading(globals, io::reading_line(data), data.reading);
  NewPoints result{learn::points_of(model.features, data, "predict"), {}, {}, {}};
  if (model.measured()) result.targets = pipeline::data_of(data).targets;
  else
    for (const std::int64_t label : data.labels)
      result.labels.push_back(std::find(model.classes.begin(), model.classes.end(), data.classes[static_cast<std::size_t>(label)]) - model.classes.begin());
  result.data = std::move(data);
  return result;
}

template <class Values>
static std::span<const double> span_of(const Values& values) {
  return {values.data(), static_cast<std::size_t>(values.size())};
}

void predict_with_propagator(const Globals& globals, const PropagatorPrediction& wanted) {
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  learn::Propagator model = learn::load_propagator(wanted.model);
  if (wanted.missing_asked) model.filling = asked_filling(wanted.data, model.filling, model.features, nullptr, "predict", "train");
  const NewPoints points = load_new(globals, model, wanted.data, context);
  const learn::Propagated found = learn::propagate(model, points.points, wanted.evidence, context);
  bar.clear();
  learn::PropagatorQuality quality;
  const bool known = !points.labels.empty() || points.targets.size() > 0;
  if (points.targets.size()) quality.values = analyse::value_quality(span_of(found.values), span_of(points.targets));
  else if (known) quality.classes = analyse::class_quality(span_of(found.probability), found.probability.cols(), points.labels);
  const NewPredictions predictions = written(model, points.data, found, wanted.evidence);
  std::string text;
  if (wanted.format == pipeline::Format::json) {
    json document = document_of(globals, points.data.hash, reading_json(io::reading_line(points.data), io::full_reading(points.data)), predictions);
    document["quality"] = known ? quality_json(model, quality) : json();
    if (!model.measured()) document["accuracy"] = known ? pipeline::number_or_null(quality.classes.accuracy) : json();
    text = pipeline::dump(document) + "\n";
  } else {
    text = as_file(table_of(predictions), wanted.format, {});
  }
  write_result(wanted.output, text);
  if (globals.quiet || !known) return;
  const std::int64_t judged = model.measured() ? quality.values.rows : quality.classes.rows;
  fmt::print(stderr, "{} of {}\n", quality_line(model, quality), counted(judged, "labelled row"));
}

}  // namespace calor::app

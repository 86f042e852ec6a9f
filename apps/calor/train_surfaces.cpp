#include "train_surfaces.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/io/surface_set.h"
#include "calor/learn/surfaces/train.h"
#include "predictions.h"

namespace calor::app {

using nlohmann::json;

learn::SurfaceProtocol surface_protocol(const char* op, const ProtocolOptions& p, const NodeOptions& options) {
  const NodeOptions usual;
  const std::pair<const char*, bool> of_networks[] = {{"--layers", p.layers.has_value()}, {"--width", p.width.has_value()}, {"--temperature", p.temperature != "fixed"}};
  for (const auto& [option, given] : of_networks)
    require(!given, Fault::usage, "[{}] expected no {} with surfaces, found one: what a network is stands in its --pipeline (\"diffusion-net width=64\")", op, option);
  const std::pair<const char*, bool> others[] = {{"--batch", p.batch.has_value()},         {"--optimizer", !p.optimizer.empty()},  {"--reading", p.reading != "recommended"},
                                                 {"--attend", p.attend != "train"},        {"--no-standardise", p.no_standardise},  {"--graph", !options.graph.empty()},
                                                 {"--feature-scale", options.scale != usual.scale}, {"--per-class", options.per_class != usual.per_class},
                                                 {"--patience", options.patience != usual.patience}};
  for (const auto& [option, given] : others)
    require(!given, Fault::usage, "[{}] expected no {} with surfaces, which are trained on one by one, with Adam, for all epochs, found one: leave it out", op, option);
  learn::SurfaceProtocol protocol;
  if (p.epochs) protocol.epochs = *p.epochs;
  if (p.learning_rate) protocol.learning_rate = *p.learning_rate;
  if (p.weight_decay) protocol.weight_decay = *p.weight_decay;
  if (p.test_share) protocol.test_share = *p.test_share;
  validate(protocol);
  return protocol;
}

void require_no_table(const char* op, const DataOptions& given) {
  const DataOptions usual;
  const std::pair<const char*, bool> all[] = {{"--label", given.label != usual.label},       {"--names", given.names != usual.names},          {"--header", given.header != usual.header},
                                              {"--delimiter", given.delimiter != usual.delimiter}, {"--decimal", given.decimal != usual.decimal}, {"--encoding", given.encoding != usual.encoding},
                                              {"--missing", given.missing != usual.missing}, {"--features", !given.features.empty()},          {"--one-hot", !given.one_hot.empty()},
                                              {"--layer", given.layer != usual.layer},       {"--obsm", given.obsm != usual.obsm},              {"--as", given.as != usual.as}};
  for (const auto& [option, found] : all) require(!found, Fault::usage, "[{}] expected no {} with surfaces, which are no tables, found one: leave it out", op, option);
}

static io::SurfaceSet load(const Globals& globals, const std::string& source, const std::string& labels, const io::KnownLabels* known, const std::vector<std::string>& outputs, const Context& context) {
  io::SurfaceSet set = io::load_surfaces(source, labels, known, context);
  for (const std::string& output : outputs)
    if (!output.empty()) check_output(output, set.files);
  if (!globals.quiet) fmt::print(stderr, "{}\n", io::reading_line(set));
  return set;
}

Surfaces load_training_surfaces(const Globals& globals, const std::string& source, const std::string& test, const std::string& labels, const std::vector<std::string>& outputs, const Context& context) {
  require(test.empty() || std::filesystem::is_directory(labels), Fault::usage, "[surfaces] expected a folder of labels with --test, found one file, which cannot be of both sets ({})", labels);
  Surfaces surfaces{load(globals, source, labels, nullptr, outputs, context), {}};
  if (test.empty()) return surfaces;
  const io::KnownLabels known{surfaces.train.classes, surfaces.train.of_faces};
  surfaces.test = load(globals, test, labels, &known, outputs, context);
  std::int64_t both = 0;
  for (const io::Mesh& mesh : surfaces.test->meshes) both += std::ranges::count(surfaces.train.meshes, mesh.hash, &io::Mesh::hash) > 0;
  if (both > 0 && !globals.quiet) fmt::print(stderr, "note: {} of the test set {} in the training set as well\n", counted(both, "surface"), both == 1 ? "is" : "are");
  return surfaces;
}

static json training_json(const Globals& globals, const learn::TrainedSurfaces& result, const std::string& save) {
  const auto& record = result.record;
  return {{"schema", 1},
          {"kind", "train-surfaces"},
          {"version", version},
          {"command", globals.command_line},
          {"network", result.model.name},
          {"pipeline", result.model.pipeline},
          {"protocol", result.model.protocol},
          {"seed", result.model.seed},
          {"input_hash", result.model.input_hash},
          {"of", result.model.of_faces ? "triangles" : "points"},
          {"classes", result.model.classes},
          {"train", result.train},
          {"test", result.test},
          {"parameters", record.parameters},
          {"epoch", record.epoch},
          {"loss", record.loss},
          {"train_accuracy", record.train_accuracy},
          {"test_accuracy", record.test_accuracy},
          {"seconds", record.seconds},
          {"share", record.share},
          {"failure", result.failure ? json(*result.failure) : json()},
          {"model", save.empty() || result.failure ? json() : json(save)}};
}

void train_surfaces(const Globals& globals, const NodeOptions& options, const ProtocolOptions& protocol, const SurfaceTraining& training) {
  require(options.pipelines.size() == 1, Fault::usage, "[train] expected one --pipeline, found {}: {}", options.pipelines.size(),
          options.pipelines.empty() ? "name it, as in --pipeline diffusion-net" : "compare several with calor compare");
  learn::TrainSurfacesOptions all;
  all.pipeline = options.pipelines.front();
  all.protocol = surface_protocol("train", protocol, options);
  all.seed = globals.seed;
  all.modes = mode_store(options.modes);
  all.save = training.save;
  all.restart = training.restart;
  all.checkpoint_seconds = training.checkpoint_seconds;
  model::network_of(all.pipeline);  // refused before anything is read
  require_no_table("train", training.data);
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const Surfaces surfaces = load_training_surfaces(globals, training.data.data, training.test, options.labels, {training.save}, context);
  const io::SurfaceSet& set = surfaces.train;
  const learn::TrainedSurfaces result = learn::train_surfaces(set, surfaces.test, all, context);
  bar.clear();
  if (!globals.quiet)
    for (const std::string& remark : result.remarks) fmt::print(stderr, "note: {}\n", remark);
  say_modes(globals, all.modes);
  if (globals.json) {
    print_json(training_json(globals, result, training.save));
  } else {
    const auto& record = result.record;
    fmt::print("{}: {} to train on and {} to test on, {} of {}\n", set.name, counted(result.train, "surface"), result.test, counted(static_cast<std::int64_t>(set.classes.size()), "class"),
               set.of_faces ? "triangles" : "points");
    if (result.resumed_epoch) fmt::print("  went on from the checkpoint at epoch {}\n", *result.resumed_epoch);
    fmt::print("{}: test accuracy {:.1f} % of {}, training loss {:.4f} after {}, {} parameters\n", result.model.name, 100 * record.test_accuracy.back(), set.of_faces ? "triangles" : "points",
               record.loss.back(), counted(record.epoch.back(), "epoch"), grouped_digits(record.parameters));
    if (!training.save.empty() && !result.failure) fmt::print("Model: {}\n", training.save);
  }
  require(!result.failure, Fault::convergence, "[train] expected a finite loss, found that {}{}: try a smaller --lr", result.failure.value_or(""),
          training.save.empty() ? "" : "; no model was written");
}

void predict_surfaces(const Globals& globals, const std::string& path, const DataOptions& given, const SurfaceFolders& folders, const std::string& output, pipeline::Format format) {
  require_no_table("predict", given);
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const learn::SurfaceModel model = learn::load_surface_model(path);
  const io::KnownLabels known{model.classes, model.of_faces};
  const io::SurfaceSet set = load(globals, given.data, folders.labels, &known, {output}, context);
  const auto modes = mode_store(folders.modes);
  const learn::SurfacePredictions predictions = learn::predict_surfaces(model, set, modes, context);
  bar.clear();
  say_modes(globals, modes);
  std::vector<std::string> names;
  json surfaces = json::array();
  for (std::size_t m = 0; m < predictions.rows.size(); ++m) {
    const io::Mesh& mesh = set.meshes[m];
    for (std::int64_t i = 0; i < predictions.rows[m]; ++i) names.push_back(fmt::format("{}:{}", mesh.name, 1 + (model.of_faces ? mesh.face_of[static_cast<std::size_t>(i)] : i)));
    surfaces.push_back({{"name", mesh.name}, {"rows", predictions.rows[m]}, {"accuracy", accuracy_json(predictions.accuracy[m])}});
  }
  const learn::Predictions& all = predictions.all;
  write_predictions(globals, output, format, set.hash, {{"line", io::reading_line(set)}}, predictions_of(std::move(names), model.classes, all),
                    {{"of", model.of_faces ? "triangles" : "points"}, {"accuracy", accuracy_json(all.accuracy)}, {"surfaces", std::move(surfaces)}});
  if (!globals.quiet && !std::isnan(all.accuracy))
    fmt::print(stderr, "accuracy {:.2f} % of {} {}\n", 100 * all.accuracy, grouped_digits(all.rows), model.of_faces ? "triangles" : "points");
}

}  // namespace calor::app

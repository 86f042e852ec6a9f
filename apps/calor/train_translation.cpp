// calor train-translation: a translator from two files of sentences.  Not `calor train`, whose DATA is a table and whose options are a table's; but for a set of
// sentences that is known by name, which has these options there.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/learn/translation/fields.h"
#include "calor/learn/translation/train.h"
#include "calor/pipeline/quality.h"
#include "command.h"
#include "data_folder.h"
#include "train_translation.h"

namespace calor::app {

using nlohmann::json;

struct TrainTranslationArguments {
  std::string source, target;
  std::vector<std::string> validation;
  std::string languages = "en-de";  // of Multi30k
  learn::TranslationOptions options;
};

static void say_pairs(const Globals& globals, const char* what, const learn::ParallelText& text, const std::string& source, const std::string& target) {
  if (globals.quiet) return;
  fmt::print(stderr, "{}{}, {}: {} pairs of sentences\n", what, source, target, grouped_digits(static_cast<std::int64_t>(text.source.size())));
  if (text.left_out > 0) fmt::print(stderr, "note: [text] {} with a blank side left out\n", counted(text.left_out, "pair"));
}

static double pieces_a_second(const std::vector<learn::TranslationEpoch>& record) {
  std::int64_t pieces = 0;
  for (const auto& epoch : record) pieces += epoch.pieces;
  return record.empty() || record.back().seconds <= 0 ? 0 : static_cast<double>(pieces) / record.back().seconds;
}

static void print_result(const learn::TrainedTranslation& result, const std::string& save) {
  const auto& shape = result.model.shape;
  fmt::print("{} training and {} validation pairs, {} pieces of words\n", grouped_digits(result.training_pairs), grouped_digits(result.validation_pairs), grouped_digits(shape.vocabulary));
  if (result.too_long > 0) fmt::print("  {} longer than --longest left out\n", counted(result.too_long, "pair"));
  if (result.resumed_epoch) fmt::print("  went on from the checkpoint after {}\n", counted(*result.resumed_epoch, "epoch"));
  if (result.best_epoch == 0) return;
  const auto& best = result.record[static_cast<std::size_t>(result.best_epoch - 1)];
  fmt::print("{}: validation loss {:.4f} nats per piece after epoch {} of {}, {} parameters, {:.0f} pieces per second\n", shape.score, best.validation_loss, result.best_epoch,
             result.record.size(), grouped_digits(result.parameters), pieces_a_second(result.record));
  if (!save.empty() && !result.failure) fmt::print("Model: {}\n", save);
}

static json result_json(const Globals& globals, const learn::TrainedTranslation& result, const std::string& save) {
  const auto& shape = result.model.shape;
  json epochs = json::array();
  for (const auto& epoch : result.record)
    epochs.push_back({{"training_loss", pipeline::number_or_null(epoch.training_loss)}, {"validation_loss", pipeline::number_or_null(epoch.validation_loss)},
                      {"seconds", epoch.seconds}, {"pieces", epoch.pieces}});
  return {{"schema", 1},
          {"kind", "train-translation"},
          {"version", version},
          {"command", globals.command_line},
          {"attention", shape.score},
          {"shape", json(shape)},
          {"protocol", json(result.model.protocol)},
          {"seed", result.model.seed},
          {"input_hash", result.model.input_hash},
          {"parameters", result.parameters},
          {"train", result.training_pairs},
          {"validation", result.validation_pairs},
          {"too_long", result.too_long},
          {"epochs", std::move(epochs)},
          {"best_epoch", result.best_epoch},
          {"pieces_a_second", pieces_a_second(result.record)},
          {"failure", result.failure ? json(*result.failure) : json()},
          {"model", save.empty() || result.failure ? json() : json(save)}};
}

static void train_translation(const Globals& globals, const TrainTranslationArguments& arguments) {
  learn::TranslationOptions options = arguments.options;
  options.seed = globals.seed;
  learn::validate(options.shape);
  learn::validate(options.protocol);
  std::vector<std::string> inputs{arguments.source, arguments.target};
  inputs.insert(inputs.end(), arguments.validation.begin(), arguments.validation.end());
  if (!options.save.empty()) check_output(options.save, inputs);
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const learn::ParallelText training = learn::read_parallel(arguments.source, arguments.target, context);
  say_pairs(globals, "", training, arguments.source, arguments.target);
  std::optional<learn::ParallelText> validation;
  if (!arguments.validation.empty()) {
    validation = learn::read_parallel(arguments.validation[0], arguments.validation[1], context);
    say_pairs(globals, "validation: ", *validation, arguments.validation[0], arguments.validation[1]);
  }
  if (!globals.quiet)
    options.after_epoch = [&](std::int64_t number, const learn::TranslationEpoch& epoch) {
      bar.clear();
      fmt::print(stderr, "epoch {} of {}: training loss {:.4f}, validation loss {:.4f}, {:.0f} s\n", number, options.protocol.epochs, epoch.training_loss, epoch.validation_loss,
                 epoch.seconds);
    };
  const learn::TrainedTranslation result = learn::train_translation(training, validation, options, context);
  bar.clear();
  if (globals.json) print_json(result_json(globals, result, options.save));
  else print_result(result, options.save);
  require(!result.failure, Fault::convergence, "[train] expected a finite loss, found that {}{}: try a smaller --lr, or a longer --warm-up", result.failure.value_or(""),
          options.save.empty() ? "" : "; no model was written");
}

static void add_translator_options(CLI::App* command, learn::TranslationOptions& options) {
  command->add_option("--score,--attention", options.shape.score, "self, l2, metric or uniform: of encoder, decoder and between them")->capture_default_str();
  command->add_option("--save", options.save, "Model file to write (.safetensors). Interrupted training goes on from FILE.checkpoint")->check(not_empty);
  command->add_flag("--restart", options.restart, "Discard a checkpoint of an interrupted run");
  command->add_flag("--keep-checkpoint", options.keep_checkpoint, "Keep the checkpoint at the end: the same command with more --epochs then goes on from it");
  command->add_option("--checkpoint-seconds", options.checkpoint_seconds, "Seconds between checkpoints")->capture_default_str()->check(CLI::NonNegativeNumber);
  command->add_option("--epochs", options.protocol.epochs, "Passes over the training pairs")->capture_default_str();
  command->add_option("--batch", options.protocol.batch, "Pieces of words a batch, of its longer side")->capture_default_str();
  command->add_option("--accumulate", options.protocol.accumulate, "Batches a step of the optimiser")->capture_default_str();
  command->add_option("--lr", options.protocol.learning_rate, "Learning rate at the end of the warm-up")->capture_default_str();
  command->add_option("--warm-up", options.protocol.warm_up, "Steps in which the learning rate grows")->capture_default_str();
  command->add_option("--schedule", options.protocol.schedule, "After the warm-up, noam: the rate falls as 1 / sqrt(step); plateau: it is halved after every epoch that does not lower the least validation loss")
      ->capture_default_str();
  command->add_option("--label-smoothing", options.protocol.label_smoothing, "Share of each target's probability that is spread over all pieces")->capture_default_str();
  command->add_option("--precision", options.protocol.precision, "Of products while training: float, or bf16: rounded to bfloat16, summed in float")->capture_default_str();
  command->add_option("--vocabulary", options.shape.vocabulary, "Pieces of words at most, of both languages")->capture_default_str();
  command->add_option("--longest", options.most_pieces, "Pieces of a sentence; longer pairs are left out")->capture_default_str();
  command->add_option("--width", options.shape.width, "Features of a piece")->capture_default_str();
  command->add_option("--layers", options.shape.layers, "Layers of the encoder, and of the decoder")->capture_default_str();
  command->add_option("--heads", options.shape.heads, "Heads; they divide the width")->capture_default_str();
  command->add_option("--hidden", options.shape.hidden, "Hidden units of a feed-forward layer")->capture_default_str();
  command->add_option("--dropout", options.shape.dropout, "Dropout of embeddings and sublayers")->capture_default_str();
}

void add_train_translation_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("train-translation", train_translation_summary);
  const auto arguments = std::make_shared<TrainTranslationArguments>();
  command->add_option("source", arguments->source, "Sentences to translate from, one a line (text, also .gz)")->required()->type_name("SOURCE");
  command->add_option("target", arguments->target, "Their translations, line by line")->required()->type_name("TARGET");
  command->add_option("--validation", arguments->validation, "Two such files to validate on; without, one pair in 50 is held out, at most 1,000")
      ->expected(2)
      ->type_name("SOURCE TARGET");
  add_translator_options(command, arguments->options);
  add_globals(*command, globals);
  command->callback([&globals, arguments] { train_translation(globals, *arguments); });
}

CLI::App* add_captions_command(CLI::App& train, Globals& globals) {
  CLI::App* command = train.add_subcommand("multi30k", "A translator, from Multi30k's captions in the folder that CALOR_DATA names: as train-translation");
  const auto arguments = std::make_shared<TrainTranslationArguments>();
  command->add_option("--languages", arguments->languages, "From which to which: two of en, de and fr")->capture_default_str()->type_name("FROM-TO");
  add_translator_options(command, arguments->options);
  add_globals(*command, globals);
  command->callback([&globals, arguments] {
    const CaptionFiles files = multi30k_files(arguments->languages);
    arguments->source = files.source;
    arguments->target = files.target;
    arguments->validation = {files.validation_source, files.validation_target};
    train_translation(globals, *arguments);
  });
  return command;
}

}  // namespace calor::app

// calor translate: text through a saved translator, and BLEU where a reference is given.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "calor/analyse/bleu.h"
#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/learn/text/sentences.h"
#include "calor/learn/translation/translate.h"
#include "calor/pipeline/result_table.h"
#include "command.h"

namespace calor::app {

using nlohmann::json;

struct TranslateArguments {
  std::string model, text = "-", reference, output;
  learn::DecodeOptions options;
};

static json document_of(const Globals& globals, const TranslateArguments& arguments, const learn::TranslationModel& model, const std::vector<std::string>& translations,
                        const std::optional<analyse::Bleu>& bleu) {
  json document{{"schema", 1},
                {"kind", "translate"},
                {"version", version},
                {"command", globals.command_line},
                {"attention", model.shape.score},
                {"beam", arguments.options.beam},
                {"length_penalty", arguments.options.length_penalty},
                {"translations", translations},
                {"bleu", json()}};
  if (bleu)
    document["bleu"] = {{"score", bleu->score},           {"precisions", bleu->precisions},           {"brevity", bleu->brevity},
                        {"words", bleu->hypothesis_words}, {"reference_words", bleu->reference_words}, {"line", analyse::bleu_line(*bleu)}};
  return document;
}

static void translate(const Globals& globals, const TranslateArguments& arguments) {
  learn::validate(arguments.options);
  if (!arguments.output.empty()) check_output(arguments.output, {arguments.model, arguments.text, arguments.reference});
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const learn::TranslationModel model = learn::load_translation(arguments.model);
  const learn::Sentences text = learn::read_sentences(arguments.text, context);
  std::vector<std::string> reference;
  if (!arguments.reference.empty()) {
    reference = learn::read_sentences(arguments.reference, context).lines;
    require(reference.size() == text.lines.size(), Fault::input,
            "[translate] expected as many lines in the reference as in the text, found {} and {} ({}): give its translation line by line",
            grouped_digits(static_cast<std::int64_t>(reference.size())), grouped_digits(static_cast<std::int64_t>(text.lines.size())), arguments.reference);
  }
  const std::vector<std::string> translations = learn::translate(model, text.lines, arguments.options, context);
  bar.clear();
  std::optional<analyse::Bleu> bleu;
  if (!reference.empty()) bleu = analyse::corpus_bleu(translations, reference);
  std::string result;
  if (globals.json) result = pipeline::dump(document_of(globals, arguments, model, translations, bleu)) + "\n";
  else
    for (const std::string& translation : translations) result += translation + "\n";
  write_result(arguments.output, result);
  if (!globals.quiet && bleu) fmt::print(stderr, "{}\n", analyse::bleu_line(*bleu));
}

void add_translate_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("translate", translate_summary);
  const auto arguments = std::make_shared<TranslateArguments>();
  command->add_option("model", arguments->model, "A model that `calor train-translation --save` wrote")->required()->type_name("MODEL");
  command->add_option("text", arguments->text, "Sentences, one a line (text, also .gz); -: standard input")->capture_default_str()->type_name("TEXT");
  command->add_option("-o,--output", arguments->output, "File to write, one translation a line (default, or -: standard output)")
      ->transform(CLI::Validator(
          [](std::string& name) {
            const std::string error = not_empty(name);
            if (name == "-") name.clear();
            return error;
          },
          ""));
  command->add_option("--reference", arguments->reference, "Translations of the same lines by others: prints BLEU as sacrebleu does, on stderr")->check(not_empty);
  command->add_option("--beam", arguments->options.beam, "Sentences kept at work; 1: the likeliest piece after piece")->capture_default_str();
  command->add_option("--length-penalty", arguments->options.length_penalty, "Likelihoods are divided by ((5 + length) / 6) to this power")->capture_default_str();
  add_globals(*command, globals);
  command->callback([&globals, arguments] { translate(globals, *arguments); });
}

}  // namespace calor::app

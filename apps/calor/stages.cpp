// calor stages: the vocabulary of pipelines.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/model/stages.h"
#include "calor/recipes/recipes.h"
#include "command.h"

namespace calor::app {

using nlohmann::json;
using pipeline::Parameter;
using pipeline::Stage;

static std::string gives_text(const Stage& stage) {
  return stage.gives == pipeline::types::same      ? "the same"
         : stage.gives == pipeline::types::of_body ? "what its pipeline gives"
                                                   : pipeline::type_names(stage.gives);
}

static bool takes_number(const Parameter& parameter) {
  return parameter.takes != Parameter::Takes::word && parameter.takes != Parameter::Takes::words && parameter.takes != Parameter::Takes::pipeline;
}

static std::string range_text(const Parameter& parameter) {
  if (parameter.takes == Parameter::Takes::pipeline) return "a pipeline";
  std::string text;
  for (const std::string& word : pipeline::parameter_words(parameter)) text += (text.empty() ? "" : ", ") + word;
  if (!takes_number(parameter)) return text;
  const char* what = parameter.takes == Parameter::Takes::integer || parameter.takes == Parameter::Takes::integer_or_word ? "a whole number" : "a number";
  const bool low = parameter.low > -1e300, high = parameter.high < 1e300;
  const std::string range = low && high ? fmt::format("{} from {} to {}", what, parameter.low, parameter.high)
                            : low       ? fmt::format("{} from {:.4g}", what, parameter.low)
                                        : std::string(what);
  return text.empty() ? range : fmt::format("{}, or {}", text, range);
}

static json as_json(const Stage& stage) {
  json parameters = json::array();
  for (const Parameter& parameter : stage.parameters) {
    const auto bound = [&](double value) { return takes_number(parameter) && std::abs(value) < 1e300 ? json(value) : json(nullptr); };
    parameters.push_back({{"name", parameter.name},
                          {"default", parameter.standard.empty() ? json(nullptr) : json(parameter.standard)},
                          {"low", bound(parameter.low)},
                          {"high", bound(parameter.high)},
                          {"words", pipeline::parameter_words(parameter)},
                          {"meaning", parameter.meaning}});
  }
  return {{"name", stage.name},       {"kind", pipeline::kind_name(stage.kind)}, {"takes", pipeline::type_names(stage.takes)},
          {"gives", gives_text(stage)}, {"parameters", parameters},                {"meaning", stage.meaning},
          {"citation", stage.citation}, {"new_points", stage.place != nullptr}};
}

static void print_stage(const Stage& stage, bool of_network) {
  fmt::print("{}: {}\n  {}, takes {}, gives {}\n", stage.name, stage.meaning, pipeline::kind_name(stage.kind),
             pipeline::type_names(stage.takes), gives_text(stage));
  for (const Parameter& parameter : stage.parameters)
    fmt::print("  {:<12} {:<10} {} ({})\n", parameter.name, parameter.standard.empty() ? "(required)" : parameter.standard, parameter.meaning,
               range_text(parameter));
  if (!of_network) fmt::print("  new points: {}\n", stage.place ? "yes" : "no");
  if (!stage.citation.empty()) fmt::print("  source: {}\n", stage.citation);
}

static void show(const std::string& name, bool as_document) {
  json list = json::array(), of_networks = json::array();
  std::vector<std::string> known;
  bool found = name.empty();
  std::string_view group;
  const auto each = [&](const Stage* stage, std::string_view title, json& into) {
    known.emplace_back(stage->name);
    if (!name.empty() && stage->name != name) return;
    if (as_document) {
      into.push_back(as_json(*stage));
    } else if (!name.empty()) {
      fmt::print("{}", found ? fmt::format("\n{}\n", title) : "");
      print_stage(*stage, &into == &of_networks);
    } else {
      if (group != title) fmt::print("{}\n", title);
      group = title;
      fmt::print("  {:<15} {:<24} {}\n", stage->name, fmt::format("-> {}", gives_text(*stage)), stage->meaning);
    }
    found = true;
  };
  for (const Stage* stage : recipes::all_stages()) each(stage, pipeline::kind_name(stage->kind), list);
  for (const Stage* stage : model::network_stages())  // those that are not of all pipelines
    if (pipeline::find_stage(recipes::all_stages(), stage->name) != stage) each(stage, "of networks on rows, on the nodes of a graph and on surfaces (calor train and compare --pipeline)", of_networks);
  const std::string near = nearest_name(name, known);
  require(found, Fault::usage, "[stages] expected a stage ({}), found \"{}\"{}", list_names(known, 60), name,
          near.empty() ? std::string() : fmt::format(": did you mean \"{}\"?", near));
  if (as_document) print_json({{"schema", 1}, {"kind", "stages"}, {"stages", list}, {"network_stages", of_networks}});
}

void add_stages_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("stages", "The stages of pipelines, with types, parameters and ranges");
  const auto name = std::make_shared<std::string>();
  command->add_option("name", *name, "One stage in full")->type_name("NAME");
  command->add_flag("--json", globals.json, "As JSON");
  command->callback([&globals, name] { show(*name, globals.json); });
}

}  // namespace calor::app

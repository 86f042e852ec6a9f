// calor recipes: the named pipelines.
#include "calor/recipes/recipes.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/model/networks.h"
#include "calor/model/propagator.h"
#include "calor/pipeline/bind.h"
#include "command.h"

namespace calor::app {

using nlohmann::json;

static json as_json(const recipes::Recipe& recipe) {
  json parameters = json::array();
  for (const recipes::RecipeParameter& parameter : recipe.parameters)
    parameters.push_back({{"name", parameter.name}, {"default", parameter.standard}, {"meaning", parameter.meaning}});
  return {{"name", recipe.name},       {"pipeline", recipe.pipeline},     {"parameters", parameters},
          {"summary", recipe.summary}, {"new_points", recipe.new_points}, {"citation", recipe.citation}};
}

static void print_network(const recipes::Recipe& network) {
  fmt::print("{}: {}\n\n  {}\n\n", network.name, network.summary, network.pipeline);
  for (const recipes::RecipeParameter& parameter : network.parameters)
    fmt::print("  ${} = {}   {} (\"{} {}=...\")\n", parameter.name, parameter.standard, parameter.meaning, network.name, parameter.name);
  std::vector<std::string_view> shown;
  const model::Network bound_network = model::network_of(network.name);
  const bool of_surfaces = bound_network.wants == pipeline::Wants::mesh;
  pipeline::for_each_stage(bound_network.stages, [&](const pipeline::BoundStage& bound) {
    if (std::find(shown.begin(), shown.end(), bound.stage->name) != shown.end()) return;
    shown.push_back(bound.stage->name);
    fmt::print("  {:<16} {}\n", bound.stage->name, bound.stage->meaning);
  });
  fmt::print("\nA network on {1}, whose weights are learned: calor compare DATA {2}--pipeline {0}, calor train DATA {2}--pipeline {0} --save MODEL\n", network.name,
             of_surfaces ? "surfaces" : "the nodes of a graph", of_surfaces ? "--labels FOLDER " : "");
  if (!network.citation.empty()) fmt::print("Source: {}\n", network.citation);
}

static void print_propagator(const recipes::Recipe& recipe) {
  fmt::print("{}: {}\n\n  {}\n\n", recipe.name, recipe.summary, recipe.pipeline);
  for (const recipes::RecipeParameter& parameter : recipe.parameters)
    fmt::print("  ${} = {}   {} (\"{} {}=...\")\n", parameter.name, parameter.standard, parameter.meaning, recipe.name, parameter.name);
  for (const pipeline::Call& call : pipeline::parse(recipe.pipeline).stages)
    fmt::print("  {:<16} {}\n", call.name, pipeline::find_stage(model::propagator_stages(), call.name)->meaning);
  fmt::print("\nTrained on the rows of a table: calor train DATA --pipeline {} --save MODEL, then calor predict\nNew points: {}\nSource: {}\n", recipe.name, recipe.new_points, recipe.citation);
}

static void print_recipe(const recipes::Recipe& recipe) {
  fmt::print("{}: {}\n\n  {}\n\n", recipe.name, recipe.summary, recipe.pipeline);
  for (const recipes::RecipeParameter& parameter : recipe.parameters)
    fmt::print("  ${} = {}   {} (--set {}=...)\n", parameter.name, parameter.standard, parameter.meaning, parameter.name);
  for (const pipeline::BoundStage& bound : pipeline::bind_stages(recipes::resolve(recipe.name, {}), recipes::all_stages()))
    fmt::print("  {:<16} {}\n", bound.stage->name, bound.stage->meaning);
  fmt::print("\nNew points: {}\nSource: {}\n", recipe.new_points.empty() ? "not possible" : recipe.new_points, recipe.citation);
  const std::string learned = fmt::format("learned-{}", recipe.name);
  if (recipes::find_in(model::propagator_recipes(), learned)) fmt::print("With a learned map before its distance: calor recipes {}\n", learned);
}

static void show(const std::string& name, bool as_document) {
  if (name.empty()) {
    json document{{"schema", 1}, {"kind", "recipes"}, {"recipes", json::array()}, {"networks", json::array()}};
    for (const recipes::Recipe& recipe : recipes::all_recipes()) {
      if (as_document) document["recipes"].push_back(as_json(recipe));
      else fmt::print("{:<20} {}\n{:<20} {}\n", recipe.name, recipe.summary, "", recipe.pipeline);
    }
    if (!as_document) fmt::print("\nNetworks on the rows of a table, the nodes of a graph or surfaces, for calor compare and train with --pipeline (calor recipes NAME prints their stages)\n");
    for (const auto& book : {model::all_networks(), model::propagator_recipes()})
      for (const recipes::Recipe& network : book) {
        if (as_document) document["networks"].push_back(as_json(network));
        else fmt::print("{:<20} {}\n", network.name, network.summary);
      }
    if (as_document) print_json(document);
    return;
  }
  const recipes::Recipe *network = model::find_network(name), *propagator = recipes::find_in(model::propagator_recipes(), name);
  if (network || propagator) {
    if (propagator) network = propagator;
    if (as_document) print_json({{"schema", 1}, {"kind", "recipes"}, {"recipes", json::array()}, {"networks", json::array({as_json(*network)})}});
    else if (propagator) print_propagator(*propagator);
    else print_network(*network);
    return;
  }
  const recipes::Recipe* recipe = recipes::find_recipe(name);
  if (!recipe) {
    std::vector<std::string> known;
    for (const recipes::Recipe& candidate : recipes::all_recipes()) known.emplace_back(candidate.name);
    for (const auto& book : {model::all_networks(), model::propagator_recipes()})
      for (const recipes::Recipe& candidate : book) known.emplace_back(candidate.name);
    const std::string near = nearest_name(name, known);
    fail(Fault::usage, "[recipes] expected a recipe ({}), found \"{}\"{}", list_names(known, 40), name,
         near.empty() ? std::string() : fmt::format(": did you mean \"{}\"?", near));
  }
  if (as_document) print_json({{"schema", 1}, {"kind", "recipes"}, {"recipes", json::array({as_json(*recipe)})}});
  else print_recipe(*recipe);
}

void add_recipes_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("recipes", "The named pipelines, with parameters and citations");
  const auto name = std::make_shared<std::string>();
  command->add_option("name", *name, "One recipe in full")->type_name("NAME");
  command->add_flag("--json", globals.json, "As JSON");
  command->callback([&globals, name] { show(*name, globals.json); });
}

}  // namespace calor::app

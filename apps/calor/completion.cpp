// calor completion: a bash script that completes commands, flags, recipes, stages, theorems, bundled names and files.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "calor/limit/laboratory.h"
#include "calor/recipes/recipes.h"
#include "command.h"

namespace calor::app {

static std::string flags_of(const CLI::App& command) {
  std::string words;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) words += fmt::format("--{} ", name);
  return words;
}

static void print_bash(const CLI::App& app) {
  std::string commands, cases, sets, recipes, stages, theorems;
  for (const auto& set : io::bundled_sets()) sets += set.name + " ";
  for (const recipes::Recipe& recipe : recipes::all_recipes()) recipes += fmt::format("{} ", recipe.name);
  for (const pipeline::Stage* stage : recipes::all_stages()) stages += fmt::format("{} ", stage->name);
  for (const limit::Group& group : limit::groups()) theorems += group.name + " ";
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    std::string names = command->get_name();
    for (const std::string& alias : command->get_aliases()) names += "|" + alias;
    cases += fmt::format("    {}) flags=\"{}\" ;;\n", names, flags_of(*command));
    std::replace(names.begin(), names.end(), '|', ' ');
    commands += names + " ";
  }
  fmt::print(R"(# Completion for calor: source <(calor completion)
_calor() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" flags="" names="{sets}"
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "{commands}--help --version" -- "$word")); return; fi
  case "${{COMP_WORDS[1]}}" in
{cases}  esac
  if [ "$COMP_CWORD" -eq 2 ]; then
    case "${{COMP_WORDS[1]}}" in
      run|recipes) names="{recipes}" ;;
      stages) names="{stages}" ;;
      limit) names="{theorems}" ;;
    esac
  fi
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$flags" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "$names" -- "$word") $(compgen -f -- "$word")) ;;
  esac
}}
complete -o filenames -F _calor calor
)",
             fmt::arg("sets", sets), fmt::arg("recipes", recipes), fmt::arg("stages", stages), fmt::arg("theorems", theorems),
             fmt::arg("commands", commands), fmt::arg("cases", cases));
}

void add_completion_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("completion", completion_summary);
  command->callback([&app] { print_bash(app); });
}

}  // namespace calor::app

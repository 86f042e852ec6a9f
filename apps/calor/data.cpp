// calor data: the bundled data sets.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "command.h"

namespace calor::app {

static void list_sets(bool json) {
  const auto& sets = io::bundled_sets();
  if (json) {
    nlohmann::json document{{"schema", 1}, {"kind", "data"}, {"sets", nlohmann::json::array()}};
    for (const auto& set : sets)
      document["sets"].push_back({{"name", set.name}, {"summary", set.summary}, {"origin", set.origin},
                                  {"licence", set.licence}, {"rows", set.rows}, {"columns", set.columns},
                                  {"classes", set.classes}});
    print_json(document);
    return;
  }
  fmt::print("{:<15}{:>6} {:>8} {:>8}  {}\n", "name", "rows", "columns", "classes", "what");
  for (const auto& set : sets) {
    fmt::print("{:<15}{:>6} {:>8} {:>8}  {}\n", set.name, set.rows, set.columns, set.classes, set.summary);
    fmt::print("{:<15}{:>24}  {} ({})\n", "", "", set.origin, set.licence);
  }
  fmt::print("{:<15}{:>6} {:>8} {:>8}  {}\n{:<15}{:>24}  {}\n", "blocks", 1500, 16, 4, "a graph on which it matters whom a node listens to, for `calor compare --pipeline`", "", "",
             "drawn by Calor from seed 0: 6 of 10 edges lead to other classes (Apache-2.0)");
}

void add_data_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("data", "The bundled data sets, usable by name wherever DATA is asked for");
  command->add_flag("--json", globals.json, "As JSON");
  command->callback([&globals] { list_sets(globals.json); });
}

}  // namespace calor::app

// calor data: the bundled data sets.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "calor/io/node_dataset.h"
#include "command.h"

namespace calor::app {

static nlohmann::json as_json(const io::BundledSet& set) {
  return {{"name", set.name}, {"summary", set.summary}, {"origin", set.origin}, {"licence", set.licence}, {"rows", set.rows}, {"columns", set.columns}, {"classes", set.classes}};
}

static void print(const io::BundledSet& set) {
  fmt::print("{:<15}{:>6} {:>8} {:>8}  {}\n", set.name, set.rows, set.columns, set.classes, set.summary);
  fmt::print("{:<15}{:>24}  {} ({})\n", "", "", set.origin, set.licence);
}

static void list_sets(bool json) {
  if (json) {
    nlohmann::json document{{"schema", 1}, {"kind", "data"}, {"sets", nlohmann::json::array()}, {"graphs", nlohmann::json::array()}};
    for (const auto& set : io::bundled_sets()) document["sets"].push_back(as_json(set));
    for (const auto& graph : io::bundled_graphs()) document["graphs"].push_back(as_json(graph));
    print_json(document);
    return;
  }
  fmt::print("{:<15}{:>6} {:>8} {:>8}  {}\n", "name", "rows", "columns", "classes", "what");
  for (const auto& set : io::bundled_sets()) print(set);
  for (const auto& graph : io::bundled_graphs()) print(graph);
}

void add_data_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("data", "The bundled data sets, usable by name wherever DATA is asked for");
  command->add_flag("--json", globals.json, "As JSON");
  command->callback([&globals] { list_sets(globals.json); });
}

}  // namespace calor::app

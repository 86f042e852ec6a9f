// calor limit: the theorems as measured numbers.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/version.h"
#include "calor/io/output.h"
#include "calor/limit/document.h"
#include "calor/limit/laboratory.h"
#include "calor/report/report.h"
#include "command.h"
#include "limit_data.h"
#include "run_report.h"

namespace calor::app {

using nlohmann::json;

struct LimitArguments {
  std::vector<std::string> names;
  limit::Settings settings;
  std::string report, data, function;
};

// Digits as far as the interval carries them, six at least of what is exact.
static std::string number(double value) { return fmt::format("{:.6g}", value == 0 ? 0.0 : value); }

static void print_rows(const std::vector<limit::Row>& rows) {
  const bool coloured = colours(1);
  std::string group;
  for (const limit::Row& row : rows) {
    if (row.group != group) fmt::print("{}{}\n", group.empty() ? "" : "\n", group = row.group);
    const char* mark = row.pass ? "pass" : "FAIL";
    fmt::print("{}{}{}  {:<48} {:<10} expected {:>5}  measured {:>12}  [{}, {}]{}\n", coloured ? (row.pass ? "\033[32m" : "\033[31m") : "", mark,
               coloured ? "\033[0m" : "", row.name, row.theorem, number(row.expected), number(row.measured), number(row.low), number(row.high),
               row.pass ? "" : ": " + limit::verdict(row));
    fmt::print("      {}\n", row.meaning);
  }
}

static void run_laboratory(const Globals& globals, const LimitArguments& arguments) {
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  limit::Settings settings = arguments.settings;
  settings.seed = globals.seed;
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<limit::Row> rows = limit::run(arguments.names, settings, context);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  bar.clear();

  const std::string summary = limit::summary(rows);
  bool pass = true;
  for (const limit::Row& row : rows) pass = pass && row.pass;
  const auto document = [&](bool with_plots) {
    json groups = json::array();
    for (const limit::Group& group : limit::groups())
      groups.push_back({{"name", group.name}, {"theorem", group.theorem}, {"meaning", group.meaning}});
    return json{{"schema", 1},
                {"kind", "limit"},
                {"version", version},
                {"command", globals.command_line},
                {"seed", globals.seed},
                {"seeds", settings.seeds},
                {"summary", summary},
                {"pass", pass},
                {"seconds", seconds},
                {"groups", groups},
                {"rows", limit::as_json(rows, with_plots)}};
  };
  if (!arguments.report.empty()) io::write_file(arguments.report, report::limit_page(document(true)));
  if (globals.json) {
    print_json(document(false));
  } else {
    print_rows(rows);
    fmt::print("\n{}\n", summary);
    flush_output();
  }
  const bool coarse = summary.find("too coarse") != std::string::npos;
  require(pass, Fault::check, "[limit] expected every row to agree with the theory, found: {}{}", summary,
          coarse ? " More --seeds and a longer ladder of --points narrow an interval." : "");
}

static void run(const Globals& globals, const LimitArguments& arguments) {
  require(arguments.function.empty() || !arguments.data.empty(), Fault::usage, "[limit] expected --data beside --function, found none");
  if (!arguments.report.empty()) check_report(arguments.report, {arguments.data});
  if (arguments.data.empty()) return run_laboratory(globals, arguments);
  require(arguments.names.empty() && arguments.settings.points.empty() && arguments.settings.epsilon.empty(), Fault::usage,
          "[limit] expected --data alone, found names of theorems, --points or --epsilon beside it: they have points of their own");
  run_limit_data(globals, arguments.data, arguments.function, arguments.report);
}

void add_limit_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("limit", "The theory in numbers: each theorem measured against its closed form, or your own points");
  const auto arguments = std::make_shared<LimitArguments>();
  std::string names;
  for (const limit::Group& group : limit::groups()) names += fmt::format("{}{}", names.empty() ? "" : ", ", group.name);
  command->add_option("name", arguments->names, "What to measure (default: all): " + names)->type_name("NAME");
  command->add_option("--points", arguments->settings.points, "Numbers of random points, at least three (circle, sphere)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("N,..");
  command->add_option("--epsilon", arguments->settings.epsilon, "Values of eps for the random points, at least three (circle, sphere)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("E,..");
  command->add_option("--seeds", arguments->settings.seeds, "Random point sets per size; more of them give narrower intervals")
      ->capture_default_str();
  command->add_option("--data", arguments->data, "Points of your own: a file or a bundled name")->check(not_empty)->type_name("DATA");
  command->add_option("--function", arguments->function, "The column of --data that flows (default: the first principal coordinate)")
      ->check(not_empty)
      ->type_name("COLUMN");
  command->add_option("--report", arguments->report, "HTML report to write: every row with its pictures")->check(not_empty);
  add_globals(*command, globals);
  command->callback([&globals, arguments] { run(globals, *arguments); });
}

}  // namespace calor::app

// calor apply: new points through a saved fit.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/version.h"
#include "calor/io/output.h"
#include "calor/pipeline/load.h"
#include "calor/pipeline/model.h"
#include "calor/recipes/recipes.h"
#include "calor/report/report.h"
#include "command.h"
#include "pipeline_results.h"
#include "run_quality.h"
#include "run_report.h"

namespace calor::app {

using nlohmann::json;

struct ApplyArguments {
  std::string model, output, report;
  DataOptions data;
  std::int64_t evidence = 0;  // 0: none
  bool append = false;
};

// Everything but the result.
static json document_of(const Globals& globals, const pipeline::SavedFit& saved, const pipeline::Loaded& loaded, const pipeline::State& state) {
  json notes = json::array();
  for (const pipeline::Note& note : state.notes) notes.push_back({{"stage", note.stage}, {"text", note.text}});
  return {{"schema", 1},
          {"kind", "apply"},
          {"version", version},
          {"command", globals.command_line},
          {"pipeline", saved.pipeline},
          {"stages", stages_json(saved.fit.stages)},
          {"seed", saved.fit.seed},
          {"fit_hash", saved.input_hash},
          {"input_hash", loaded.hash},
          {"read", reading_json(loaded.read, loaded.reading)},
          {"rows", state.rows()},
          {"gives", pipeline::type_names(state.type)},
          {"notes", notes}};
}

static void apply(const Globals& globals, const ApplyArguments& arguments) {
  if (!arguments.output.empty()) check_output(arguments.output, {arguments.model, arguments.data.data});
  if (!arguments.output.empty()) check_format(arguments.output);
  if (!arguments.report.empty()) check_report(arguments.report, {arguments.model, arguments.data.data, arguments.output});
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const pipeline::SavedFit saved = pipeline::load_fit(arguments.model, recipes::all_stages());
  const pipeline::Loaded loaded = pipeline::load_new_points(arguments.data.data, arguments.data.load_options(), saved, context);
  bar.clear();
  say_reading(globals, loaded.read, loaded.reading);
  const pipeline::Data& points = loaded.data;
  const pipeline::State state = pipeline::place(saved.fit, points.points(), context);
  const std::vector<std::string>& classes = points.classes.empty() ? saved.fit.data->classes : points.classes;
  const bool unseen = loaded.hash != saved.input_hash;  // the fit's own file says nothing about new points
  const Known known{points.features, points.labels, classes, points.targets,
                    std::vector<std::uint8_t>(static_cast<std::size_t>(points.rows()), unseen)};
  json document;
  if (globals.json || !globals.quiet || !arguments.report.empty()) {
    document = document_of(globals, saved, loaded, state);
    document["quality"] = quality_of(state, saved.fit.stages, known, context);
  }
  std::string page;
  if (!arguments.report.empty()) {
    const Pictured pictured{"The saved fit", data_name(arguments.data.data), loaded.label, points.row_names, points.feature_names};
    page = report::run_page(page_document(document, state, known, pictured, context));
  }
  Table table = table_of(state, points.row_names, loaded.label, loaded.label_values);
  if (arguments.evidence > 0) add_evidence(table, state, arguments.evidence, context);
  if (arguments.append) append_to_input(table, points);
  bar.clear();
  if (globals.json) document["result"] = as_json(table);
  const std::string output = globals.json ? dump(document) + "\n" : as_file(table, arguments.output);
  if (!arguments.output.empty()) io::write_file(arguments.output, output);
  if (!page.empty()) io::write_file(arguments.report, page);
  if (arguments.output.empty()) std::fwrite(output.data(), 1, output.size(), stdout);
  if (globals.quiet) return;
  for (const pipeline::Note& note : state.notes) fmt::print(stderr, "note: [{}] {}\n", note.stage, note.text);
  for (const std::string& line : quality_lines(document["quality"])) fmt::print(stderr, "{}\n", line);
}

void add_apply_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("apply", "New points through a fit that `calor run --save` wrote");
  const auto arguments = std::make_shared<ApplyArguments>();
  command->add_option("model", arguments->model, "A fit that `calor run --save` wrote")->required()->type_name("MODEL");
  command->add_option("data", arguments->data.data, "A file with the fit's feature columns, or a bundled name")->required()->type_name("DATA");
  command->add_option("-o,--output", arguments->output, "File to write: .csv, .tsv or .npy (default: csv on standard output)")->check(not_empty);
  command->add_flag("--append", arguments->append, "Put the input's features beside the result");
  command->add_option("--evidence", arguments->evidence, "For each prediction so many of the labelled rows that decided it, with their weights")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1000}));
  command->add_option("--report", arguments->report, "HTML report to write: pictures and quality figures in one file")->check(not_empty);
  add_data_options(*command, arguments->data, "that of the fit");
  add_globals(*command, globals);
  command->callback([&globals, arguments] { apply(globals, *arguments); });
}

}  // namespace calor::app

// calor apply: new points through a saved fit, or a trained model.
#include "apply.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/io/file_kind.h"
#include "calor/io/output.h"
#include "calor/pipeline/load.h"
#include "calor/pipeline/model.h"
#include "calor/pipeline/page.h"
#include "calor/pipeline/quality.h"
#include "calor/pipeline/results.h"
#include "calor/recipes/recipes.h"
#include "calor/report/report.h"
#include "command.h"
#include "new_points.h"
#include "run_report.h"

namespace calor::app {

using nlohmann::json;

struct ApplyArguments {
  std::string model, output, report, graph, labels;
  DataOptions data;
  std::int64_t evidence = 0;  // 0: none
  bool append = false, missing_asked = false;
};

// A row as 32-bit floats, which csv and npy both keep; what is 0 is left out, as sparse rows do.
static std::string row_key(const pipeline::Data& data, std::int64_t row) {
  std::string key;
  const auto add = [&](std::int64_t column, double value) {
    const auto number = static_cast<float>(value);
    if (number == 0) return;
    key.append(reinterpret_cast<const char*>(&column), sizeof column);
    key.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  if (data.sparse)
    for (std::int64_t e = data.sparse->begin[row]; e < data.sparse->begin[row + 1]; ++e) add(data.sparse->column[e], data.sparse->value[e]);
  else
    for (Eigen::Index c = 0; c < data.features->cols(); ++c) add(c, (*data.features)(row, c));
  return key;
}

// How many new points have the features of a row of the fit: whatever file they came from, they may be those rows.
static std::int64_t rows_of_fit(const pipeline::Data& points, const pipeline::Data& fitted) {
  if (points.distances || fitted.distances) return 0;
  std::unordered_set<std::string> known;
  for (std::int64_t i = 0; i < fitted.rows(); ++i) known.insert(row_key(fitted, i));
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < points.rows(); ++i) count += known.contains(row_key(points, i));
  return count;
}

// Everything but the result.
static json document_of(const Globals& globals, const pipeline::SavedFit& saved, const pipeline::Loaded& loaded, const pipeline::State& state,
                        const std::vector<pipeline::Note>& remarks) {
  json notes = json::array();
  for (const pipeline::Note& note : remarks) notes.push_back({{"stage", note.stage}, {"text", note.text}});
  return {{"schema", 1},
          {"kind", "apply"},
          {"version", version},
          {"command", globals.command_line},
          {"pipeline", saved.pipeline},
          {"stages", pipeline::stages_json(saved.fit.stages)},
          {"seed", saved.fit.seed},
          {"fit_hash", saved.input_hash},
          {"input_hash", loaded.hash},
          {"read", reading_json(loaded.read, loaded.reading)},
          {"rows", state.rows()},
          {"gives", pipeline::type_names(state.type)},
          {"notes", notes}};
}

// A model of calor train, which predict takes.
static bool is_trained(const std::string& model) {
  using Kind = io::FileKind;
  const auto kind = io::file_kind(model).kind;
  return kind == Kind::network || kind == Kind::node_network || kind == Kind::surface_network || kind == Kind::diffusion_net || kind == Kind::propagator;
}

static void apply_trained(const Globals& globals, const ApplyArguments& arguments, const ApplyTrained& trained) {
  require(!arguments.append && arguments.report.empty(), Fault::usage, "[apply] expected a fit of calor run for --append and --report, found {}: leave them out", io::file_kind(arguments.model).what);
  trained(globals, {arguments.model, arguments.output, arguments.graph, arguments.labels, {}, arguments.evidence, arguments.data, arguments.missing_asked});
}

static void apply(const Globals& globals, const ApplyArguments& arguments) {
  require(arguments.graph.empty() && arguments.labels.empty(), Fault::usage, "[apply] expected a network of calor train for --graph and --labels, found {}: leave them out",
          io::file_kind(arguments.model).kind == io::FileKind::fit ? "a fit of calor run" : "another file");
  if (!arguments.output.empty()) check_output(arguments.output, {arguments.model, arguments.data.data});
  if (!arguments.report.empty()) check_report(arguments.report, {arguments.model, arguments.data.data, arguments.output});
  const pipeline::Format format = pipeline::format_of(arguments.output, globals.json);
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  pipeline::SavedFit saved = pipeline::load_fit(arguments.model, recipes::all_stages());
  const pipeline::Data& fitted = *saved.fit.data;
  require_own_columns(arguments.data, "apply", "fit");
  if (arguments.missing_asked) {
    require(!fitted.distances, Fault::usage, "[apply] expected no --missing for a fit of distances, found it: give every distance");
    saved.filling = asked_filling(arguments.data, saved.filling, fitted.feature_names, fitted.sparse ? nullptr : fitted.features.get(), "apply", "run");
  }
  const pipeline::Loaded loaded = pipeline::load_new_points(arguments.data.data, arguments.data.load_options(), saved, context);
  bar.clear();
  say_reading(globals, loaded.read, loaded.reading);
  const pipeline::Data& points = loaded.data;
  charge_process(globals, context);
  const pipeline::State state = pipeline::place(saved.fit, points.points(), context);
  const std::vector<std::string>& classes = points.classes.empty() ? fitted.classes : points.classes;
  const bool labelled = !points.labels.empty() || points.targets.size() > 0;
  const std::int64_t again = loaded.hash == saved.input_hash ? points.rows() : labelled ? rows_of_fit(points, fitted) : 0;
  // The fit's own rows say nothing about new points.
  const pipeline::Known known{points.features, points.labels, classes, points.targets,
                    std::vector<std::uint8_t>(static_cast<std::size_t>(points.rows()), again < points.rows())};
  std::vector<pipeline::Note> remarks = state.notes;
  if (labelled && again == points.rows()) remarks.push_back({"apply", "these are the rows of the fit, so there are no quality figures"});
  else if (again > 0) remarks.push_back({"apply", fmt::format("{} of {} have the same features as a row of the fit: the quality figures include them", again, counted(points.rows(), "row"))});
  const pipeline::Table table = table_of(state, points, loaded, {arguments.evidence, arguments.append}, context, remarks);
  json document;
  if (format == pipeline::Format::json || !globals.quiet || !arguments.report.empty()) {
    document = document_of(globals, saved, loaded, state, remarks);
    pipeline::judge(document, quality_of(state, saved.fit.stages, known, context));
    document["digest"] = digest_of(table);
  }
  std::string page;
  if (!arguments.report.empty()) {
    const pipeline::Pictured pictured{"The saved fit", data_name(arguments.data.data), loaded.label, points.row_names, points.feature_names};
    page = report::run_page(pipeline::page_document(document, state, known, pictured, context));
  }
  bar.clear();
  const std::string output = as_file(table, format, document);
  if (!arguments.output.empty()) write_result(arguments.output, output);
  if (!page.empty()) io::write_file(arguments.report, page);
  if (arguments.output.empty()) write_result("", output);
  if (globals.quiet) return;
  for (const pipeline::Note& note : remarks) fmt::print(stderr, "note: [{}] {}\n", note.stage, note.text);
  for (const std::string& line : pipeline::quality_lines(document["quality"], again > 0 ? "labelled row" : "held-out row")) fmt::print(stderr, "{}\n", line);
}

void add_apply_command(CLI::App& app, Globals& globals, ApplyTrained trained) {
  CLI::App* command = app.add_subcommand("apply", "Apply a fit saved by `calor run`, or a model of `calor train`, to new points");
  command->alias("transform");
  const auto arguments = std::make_shared<ApplyArguments>();
  command->add_option("model", arguments->model, "A fit that `calor run --save` wrote, or a model of `calor train --save`, which is applied as `calor predict` does")->required()->type_name("MODEL");
  command->add_option("data", arguments->data.data, "A file with the fit's feature columns, or a bundled name; for a network on surfaces a mesh, a folder or a list of meshes")->required()->type_name("DATA");
  add_output(*command, arguments->output);
  command->add_flag("--append", arguments->append, "Add the input's features to the result");
  command->add_option("--evidence", arguments->evidence, "For each prediction, list this many labelled rows of largest weight")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1000}));
  command->add_option("--report", arguments->report, "HTML report to write: pictures and quality figures in one file")->check(not_empty);
  add_graph_option(*command, arguments->graph);
  add_labels_option(*command, arguments->labels);
  add_data_options(*command, arguments->data, "that of the fit");
  add_globals(*command, globals);
  command->callback([&globals, arguments, missing = as_saved(*command, "the fit"), trained = std::move(trained)] {
    arguments->missing_asked = missing->count() > 0;
    if (is_trained(arguments->model)) apply_trained(globals, *arguments, trained);
    else apply(globals, *arguments);
  });
}

}  // namespace calor::app

// calor run: any pipeline or recipe on data.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "calor/core/error.h"
#include "calor/core/version.h"
#include "calor/io/output.h"
#include "calor/kernels/attention.h"
#include "calor/model/networks.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/landmarks.h"
#include "calor/pipeline/libsvm_model.h"
#include "calor/pipeline/load.h"
#include "calor/pipeline/model.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/page.h"
#include "calor/pipeline/quality.h"
#include "calor/pipeline/results.h"
#include "calor/pipeline/run.h"
#include "calor/recipes/recipes.h"
#include "calor/report/report.h"
#include "command.h"
#include "run_parts.h"
#include "run_report.h"
#include "watched_report.h"

namespace calor::app {

using nlohmann::json;

struct RunArguments {
  std::string pipeline, output, save, report;
  std::vector<std::string> settings;
  DataOptions data;
  std::int64_t evidence = 0;  // 0: none
  bool append = false;
  std::optional<double> train;  // none: all labelled rows train
  bool explain = false, watch = false;
  int stability = 0;  // seeds to compare; 0: none
  std::optional<std::int64_t> landmarks;  // rows to save; none: all
  bool compact = false;
};

static pipeline::As form_of(const std::string& as) {
  if (as == "points") return pipeline::As::points;
  if (as == "distances") return pipeline::As::distances;
  return as == "similarities" ? pipeline::As::similarities : pipeline::As::automatic;
}

void require_result(const std::vector<pipeline::BoundStage>& stages) {
  const pipeline::Outline end = pipeline::outline_after(stages);
  if ((end.type & pipeline::types::any_similarity) && end.all_pairs == pipeline::Fact::yes && end.flowing == pipeline::Fact::no)
    pipeline::at_stage(stages.back(), [] {
      fail(Fault::usage, "[run] expected a pipeline that ends in a result, found a similarity over all pairs: end with eigen, apply, vote, ...");
    });
}

static void require_watchable(const std::vector<pipeline::BoundStage>& stages, const std::string& report) {
  require(!report.empty(), Fault::usage, "[run] expected --report FILE with --watch, found none: it is the file that shows the embedding while the run goes on");
  const pipeline::Outline end = pipeline::outline_after(stages);
  require(end.type == pipeline::types::embedding, Fault::usage,
          "[run] expected --watch with a pipeline that gives an embedding, found one that gives {}: it shows where the points of tsne, umap, sne or mds-metric are while they move",
          pipeline::type_names(end.type));
  check_watched(report);
}

void print_remarks(const pipeline::State& state, const std::vector<pipeline::Note>& remarks, const json& quality) {
  for (const pipeline::Note& note : remarks) fmt::print(stderr, "note: [{}] {}\n", note.stage, note.text);
  std::string line;
  for (const auto& [name, value] : state.figures) line += fmt::format("{}{} {:.6g}", line.empty() ? "" : ", ", name, value);
  if (state.spectrum.size()) {
    line += line.empty() ? "eigenvalues" : ", eigenvalues";
    for (Eigen::Index k = 0; k < std::min<Eigen::Index>(8, state.spectrum.size()); ++k) line += fmt::format(" {:.4g}", state.spectrum[k]);
  }
  if (!line.empty()) fmt::print(stderr, "{}\n", line);
  for (const std::string& judged : pipeline::quality_lines(quality)) fmt::print(stderr, "{}\n", judged);
}

// Nothing when a stop was requested.
static std::optional<std::vector<pipeline::Matrix>> embeddings_of_seeds(const std::vector<pipeline::BoundStage>& stages, const std::shared_ptr<const pipeline::Data>& data, std::uint64_t seed, int seeds,
                                                         const Context& context) {
  std::vector<pipeline::Matrix> found;
  try {
    for (int other = 1; other < seeds; ++other) {
      const pipeline::Fit fit = pipeline::fit(stages, data, seed + static_cast<std::uint64_t>(other), context);
      if (fit.result.interrupted) return std::nullopt;
      found.push_back(*fit.result.points);
    }
  } catch (const Error& error) {
    if (error.fault() != Fault::interrupted) throw;
    return std::nullopt;
  }
  return found;
}

// The fit to save where it is not the whole one.  One that landmarks turn out not to stand for is saved whole, so that nothing is lost.
static std::optional<pipeline::Fit> smaller_fit(const RunArguments& arguments, const pipeline::Fit& fit, std::vector<pipeline::Note>& remarks) {
  if (!arguments.landmarks) return std::nullopt;
  try {
    return pipeline::with_landmarks(fit, *arguments.landmarks);
  } catch (const Error& error) {
    if (error.fault() != Fault::usage) throw;
    remarks.push_back({"save", fmt::format("the whole fit is saved: {}", error.what())});
    return std::nullopt;
  }
}

static void run_pipeline(const Globals& globals, const RunArguments& arguments) {
  require(!model::find_network(arguments.pipeline), Fault::usage, "[run] expected a pipeline that runs as it is, found {}, a network whose weights are learned: calor train DATA --pipeline {} --save MODEL, then calor predict",
          arguments.pipeline, arguments.pipeline);
  pipeline::Pipeline parsed = recipes::resolve(arguments.pipeline, arguments.settings);
  if (form_of(arguments.data.as) == pipeline::As::similarities) parsed = pipeline::begin_with_similarity(parsed, recipes::all_stages());
  std::vector<pipeline::BoundStage> stages = pipeline::bind_stages(parsed, recipes::all_stages());
  const std::string text = pipeline::print(stages);
  if (!arguments.save.empty()) pipeline::require_places(stages, "run", "leave out --save");
  require(!arguments.save.empty() || (!arguments.compact && !arguments.landmarks), Fault::usage, "[run] expected --save with --{}, found none: give --save FILE", arguments.compact ? "compact" : "landmarks");
  require(!pipeline::names_libsvm_model(arguments.save) || (!arguments.compact && !arguments.landmarks), Fault::usage, "[run] expected another name than {}, which asks for libsvm's format, with --{}: give --save fit.calor",
          arguments.save, arguments.compact ? "compact" : "landmarks");
  if (pipeline::names_libsvm_model(arguments.save)) pipeline::require_libsvm_stages(stages);
  if (arguments.landmarks) pipeline::require_landmarks(stages);
  if (!arguments.explain) require_result(stages);
  require(!arguments.stability || globals.json || !globals.quiet || !arguments.report.empty(), Fault::usage, "[run] expected --json or --report with --stability and --quiet, found neither: nothing would say it");
  require(!arguments.stability || pipeline::outline_after(stages).type == pipeline::types::embedding, Fault::usage, "[run] expected --stability with a pipeline that gives an embedding, found one that gives {}",
          pipeline::type_names(pipeline::outline_after(stages).type));
  for (const std::string& path : {arguments.output, arguments.save})
    if (!path.empty()) check_output(path, {arguments.data.data});
  if (!arguments.save.empty()) check_own_file(arguments.save, {arguments.output});
  if (!arguments.report.empty()) check_report(arguments.report, {arguments.data.data, arguments.output, arguments.save});
  if (arguments.watch) require_watchable(stages, arguments.report);
  const pipeline::Format format = pipeline::format_of(arguments.output, globals.json);

  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  pipeline::Loaded loaded = pipeline::load_for(stages, arguments.data.data, arguments.data.load_options(), form_of(arguments.data.as), context);
  pipeline::Known known{nullptr, loaded.data.labels, loaded.data.classes, loaded.data.targets, {}};
  if (arguments.train) pipeline::mark_training(loaded.data, *arguments.train, globals.seed);
  bar.clear();
  say_reading(globals, loaded.read, loaded.reading);
  if (arguments.explain) {
    fmt::print("{}\n{}", text, pipeline::explain(stages, loaded.data, context));
    return;
  }
  if (arguments.landmarks) pipeline::require_landmarks(loaded.data, *arguments.landmarks);
  charge_process(globals, context);
  const std::vector<pipeline::BoundStage> again = arguments.stability ? stages : std::vector<pipeline::BoundStage>{};
  const auto data = std::make_shared<const pipeline::Data>(std::move(loaded.data));
  const auto pictured = [&] {
    const std::string recipe(recipes::find_recipe(arguments.pipeline) ? arguments.pipeline : "The pipeline");
    return pipeline::Pictured{recipe, data_name(arguments.data.data), loaded.label, data->row_names, data->feature_names};
  };
  std::optional<WatchedReport> watched;
  Context fitting = context;
  if (arguments.watch) fitting.observer = &watched.emplace(arguments.report, known, pictured());
  const auto begin = std::chrono::steady_clock::now();
  pipeline::SavedFit saved{pipeline::fit(std::move(stages), data, globals.seed, fitting), text, version, loaded.hash, loaded.label, loaded.coding, loaded.filling};
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  bar.clear();

  const pipeline::State& state = saved.fit.result;
  Context after = context;
  bool stopped = false;  // after the result was there
  if (state.interrupted) after.stop = nullptr;  // a descent gave the map that it had: write that
  known.input = saved.fit.data->features;
  for (const std::uint8_t mark : data->train) known.judged.push_back(!mark);
  std::vector<pipeline::Note> remarks = state.notes;
  if (watched && !watched->failure().empty()) remarks.push_back({"report", fmt::format("not all of the run's pages could be written: {}", watched->failure())});
  std::optional<pipeline::Fit> smaller = smaller_fit(arguments, saved.fit, remarks);
  const pipeline::Table table = table_of(state, *data, loaded, {arguments.evidence, arguments.append}, after, remarks);
  bar.clear();
  json document;
  if (format == pipeline::Format::json || !globals.quiet || !arguments.report.empty()) {
    document = pipeline::run_document(text, {globals.command_line, loaded.hash, globals.seed, seconds, reading_json(loaded.read, loaded.reading)}, state, remarks);
    document["stages"] = pipeline::stages_json(saved.fit.stages, saved.fit.times);
    pipeline::judge(document, quality_of(state, saved.fit.stages, known, after));
    if (!again.empty() && !state.interrupted) {
      if (!has_stability(document["quality"], state)) {
        remarks.push_back({"stability", "left out: it is of embeddings of points, every one of which has coordinates"});
      } else if (const auto others = embeddings_of_seeds(again, data, globals.seed, arguments.stability, context)) {
        add_stability(document["quality"], state, *others, context);
      } else {
        stopped = true;
        after.stop = nullptr;
        remarks.push_back({"stability", "interrupted while the other seeds were running: left out"});
      }
    }
    document["digest"] = digest_of(table);
    document["kernels"] = kernels::isa_name();
  }
  bar.clear();
  std::string page;
  if (!arguments.report.empty()) {
    page = report::run_page(pipeline::page_document(document, state, known, pictured(), after));
    bar.clear();
  }
  const std::string output = as_file(table, format, document);
  saved.compact = arguments.compact;
  if (smaller) saved.fit = std::move(*smaller);  // with the whole fit's result
  if (!arguments.save.empty()) pipeline::save_fit(arguments.save, saved);
  if (!arguments.output.empty()) write_result(arguments.output, output);
  std::exception_ptr unwritten;
  try {
    if (watched) watched->finish(page);
    else if (!page.empty()) io::write_file(arguments.report, page);
  } catch (const Error&) {  // the result is not lost with its report
    unwritten = std::current_exception();
  }
  if (arguments.output.empty()) write_result("", output);
  if (!globals.quiet) print_remarks(state, remarks, document["quality"]);
  if (unwritten) std::rethrow_exception(unwritten);
  if (state.interrupted) fail(Fault::interrupted, "[run] interrupted: the result is of the steps until then");
  if (stopped) fail(Fault::interrupted, "[run] interrupted: the result is there, but not its stability");
}

// What a stage cannot take may be a recipe's parameter, which its text no longer shows.
static void run(const Globals& globals, const RunArguments& arguments) {
  try {
    run_pipeline(globals, arguments);
  } catch (const pipeline::PlacedError& error) {
    throw pipeline::PlacedError(error.fault(), error.what() + recipes::parameters_of(arguments.pipeline, arguments.settings));
  }
}

void add_run_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("run", "Run a recipe or a pipeline on data: embed, cluster, classify, rank");
  const auto arguments = std::make_shared<RunArguments>();
  command->add_option("pipeline", arguments->pipeline, "A recipe (see `calor recipes`) or a pipeline such as \"knn(15) | distance(1) | ...\"")
      ->required()
      ->type_name("RECIPE|PIPELINE");
  command->add_option("data", arguments->data.data, "A file or a bundled name; an edge list for pipelines that begin with adjacency")
      ->required()
      ->type_name("DATA");
  add_output(*command, arguments->output);
  command->add_flag("--append", arguments->append, "Add the input's features to the result");
  command->add_option("--set", arguments->settings, "A stage's parameter, knn.k=30, or a recipe's, k=5; may be given several times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command->add_option("--train", arguments->train, "Share of the labelled rows whose labels may be used; the others are hidden and predicted")
      ->check(CLI::Range(0.0, 1.0));
  command->add_option("--save", arguments->save, "Save the fit, for `calor apply`")->check(not_empty);
  command->add_option("--landmarks", arguments->landmarks, "With --save: keep this many random rows of the fit, among which new points are placed, instead of all")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 31));
  command->add_flag("--compact", arguments->compact, "With --save: features that are a table in 8 bits, 256 levels per column, and what stages kept in 32 bits");
  command->add_option("--evidence", arguments->evidence, "For each prediction, list this many labelled rows of largest weight")
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{1000}));
  command->add_option("--report", arguments->report, "HTML report to write: pictures and quality figures in one file")->check(not_empty);
  command->add_flag("--watch", arguments->watch, "Rewrite the report while a descent runs, with the embedding as it stands: open it in a browser, where it reloads itself");
  command->add_option("--stability", arguments->stability, "Run this many seeds in total, starting at --seed, and report what share of its neighbours in the embedding each point keeps")
      ->check(CLI::Range(2, 100));
  command->add_flag("--explain", arguments->explain, "Print what would be done, with the expected memory and time, and stop");
  add_data_options(*command, arguments->data, label_of_others);
  command->add_option("--as", arguments->data.as, "What the file is: points; distances or similarities of all pairs (a square table or a list of pairs)")
      ->type_name("points|distances|similarities")
      ->check(CLI::IsMember({"auto", "points", "distances", "similarities"}))
      ->group("Reading");
  add_globals(*command, globals);
  command->callback([&globals, arguments] { run(globals, *arguments); });
}

}  // namespace calor::app

// calor-mpi run: a pipeline on rows that all processes share.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "calor/cluster/stages.h"
#include "calor/core/error.h"
#include "calor/core/version.h"
#include "calor/io/output.h"
#include "calor/kernels/attention.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/page.h"
#include "calor/pipeline/quality.h"
#include "calor/pipeline/results.h"
#include "calor/recipes/recipes.h"
#include "cluster.h"
#include "run_parts.h"

namespace calor::app {

using nlohmann::json;

namespace {

struct Arguments {
  std::string pipeline, output;
  std::vector<std::string> settings;
  DataOptions data;
  std::optional<double> train;
  cluster::CheckpointOptions checkpoint;
};

// Threads and memory of this process's share, where nobody has said how much.  A signal ends the process at once: there is no result to save, and mpirun
// ends the others by one.
Context context_of(const Globals& globals, const cluster::Processes& processes, ProgressBar& bar) {
  const cluster::MachineShare share = cluster::machine_share(processes);
  Context context = make_context(globals, bar);
  context.stop = nullptr;
  for (const int number : {SIGINT, SIGTERM}) std::signal(number, SIG_DFL);
  if (globals.threads == 0) context.threads = share.threads;
  if (globals.max_memory.empty() && share.memory > 0) context.memory = MemoryLimit(share.memory);
  return context;
}

void print_traffic(const json& traffic) {
  for (std::size_t p = 0; p < traffic.size(); ++p)
    fmt::print(stderr, "process {}: {} rows, {} in {} messages, {} in {} collective calls, by the eigensolver {} in {} messages and {} collective calls, peak {}\n", p,
               traffic[p]["rows"].get<std::int64_t>(), format_bytes(traffic[p]["message_bytes"]), traffic[p]["messages"].get<std::int64_t>(), format_bytes(traffic[p]["collective_bytes"]),
               traffic[p]["collectives"].get<std::int64_t>(), format_bytes(traffic[p]["solver_message_bytes"]), traffic[p]["solver_messages"].get<std::int64_t>(),
               traffic[p]["solver_collectives"].get<std::int64_t>(), format_bytes(traffic[p]["peak_memory"]));
}

// In the first process.
void write_all(const Globals& globals, const Arguments& arguments, const pipeline::Fit& fit, const pipeline::Loaded& loaded, const std::string& text, double seconds, pipeline::Known known,
               const json& traffic, const Context& context) {
  const pipeline::State& state = fit.result;
  const pipeline::Format format = pipeline::format_of(arguments.output, globals.json);
  for (const std::uint8_t mark : fit.data->train) known.judged.push_back(!mark);
  known.input = fit.data->features;
  std::vector<pipeline::Note> remarks = state.notes;
  const pipeline::Table table = table_of(state, *fit.data, loaded, {}, context, remarks);
  json document = pipeline::run_document(text, {globals.command_line, loaded.hash, globals.seed, seconds, reading_json(loaded.read, loaded.reading)}, state, remarks);
  document["stages"] = pipeline::stages_json(fit.stages, fit.times);
  pipeline::judge(document, quality_of(state, fit.stages, known, context));
  document["digest"] = digest_of(table);
  document["kernels"] = kernels::isa_name();
  document["processes"] = traffic;
  const std::string output = as_file(table, format, document);
  write_result(arguments.output, output);
  if (globals.quiet) return;
  print_remarks(state, remarks, document["quality"]);
  print_traffic(traffic);
}

void run(const Globals& given, const Arguments& arguments, const cluster::Session& session) {
  const cluster::Processes& processes = session.processes();
  Globals globals = given;
  globals.quiet = globals.quiet || !processes.first();
  std::vector<pipeline::BoundStage> stages = pipeline::bind_stages(recipes::resolve(arguments.pipeline, arguments.settings), recipes::all_stages());
  const std::string text = pipeline::print(stages);
  require(arguments.data.data != "-", Fault::usage, "[cluster] expected a file that all processes see, found standard input, which one of them has: name a file");
  cluster::require_distributed(stages);
  require_result(stages);
  pipeline::format_of(arguments.output, globals.json);
  processes.together([&] {
    if (processes.first() && !arguments.output.empty()) check_output(arguments.output, {arguments.data.data});
  });
  ProgressBar bar(globals.quiet);
  const Context context = context_of(globals, processes, bar);
  cluster::OwnRows rows = cluster::load_rows(processes, stages, arguments.data.data, arguments.data.load_options(), context);
  pipeline::Known known{nullptr, rows.loaded.data.labels, rows.loaded.data.classes, rows.loaded.data.targets, {}};
  if (arguments.train) pipeline::mark_training(rows.loaded.data, *arguments.train, globals.seed);
  bar.clear();
  say_reading(globals, rows.loaded.read, rows.loaded.reading);
  charge_process(globals, context);
  const std::int64_t own_rows = rows.points->rows();
  pipeline::Loaded loaded;  // but for the data
  loaded.hash = rows.loaded.hash;
  loaded.label = rows.loaded.label;
  loaded.label_values = rows.loaded.label_values;
  loaded.reading = rows.loaded.reading;
  loaded.read = rows.loaded.read;
  std::vector<cluster::StageWork> work;
  const auto begin = std::chrono::steady_clock::now();
  const pipeline::Fit fit = cluster::fit(processes, std::move(stages), std::move(rows), globals.seed, arguments.checkpoint, work, context);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  bar.clear();
  const json traffic = cluster::traffic_json(processes, own_rows, work);
  processes.together([&] {
    if (processes.first()) write_all(globals, arguments, fit, loaded, text, seconds, known, traffic, context);
  });
}

}  // namespace

void add_cluster_run_command(CLI::App& app, Globals& globals, const cluster::Session& session) {
  CLI::App* command = app.add_subcommand("run", "Run a recipe or a pipeline on data as `calor run` does, in all processes together");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("pipeline", arguments->pipeline, "A recipe or a pipeline whose stages run on rows in blocks: others are refused, with the reason")->required()->type_name("RECIPE|PIPELINE");
  command->add_option("data", arguments->data.data, "A file that all processes see, or a bundled name")->required()->type_name("DATA");
  add_output(*command, arguments->output);
  command->add_option("--set", arguments->settings, "A stage's parameter, knn.k=30, or a recipe's, k=5; may be given several times")->type_name("NAME=VALUE")->allow_extra_args(false);
  command->add_option("--train", arguments->train, "Share of the labelled rows whose labels may be used; the others are hidden and predicted")->check(CLI::Range(0.0, 1.0));
  CLI::Option* folder = command->add_option("--checkpoint", arguments->checkpoint.folder,
                                            "A folder that all processes see: neighbours and starts of k-means are kept there, and the same run goes on from them, with any number of processes");
  folder->type_name("FOLDER")->check(not_empty);
  CLI::Option* every = command->add_option("--checkpoint-seconds", arguments->checkpoint.every_seconds, "Seconds between what a process keeps of a stage");
  every->capture_default_str()->check(CLI::NonNegativeNumber)->needs(folder);
  add_data_options(*command, arguments->data, label_of_others);
  add_globals(*command, globals);
  command->callback([&globals, arguments, &session] { run(globals, *arguments, session); });
}

}  // namespace calor::app

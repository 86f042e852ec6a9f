// calor compare: the paper's experiment on any data, with honest statistics.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/threads.h"
#include "calor/core/version.h"
#include "calor/io/output.h"
#include "calor/kernels/attention.h"
#include "calor/learn/compare/compare.h"
#include "calor/measure/processor.h"
#include "calor/pipeline/result_table.h"
#include "calor/report/report.h"
#include "command.h"
#include "compare_nodes.h"
#include "data_folder.h"
#include "explain_networks.h"
#include "kept_memory.h"
#include "protocol_options.h"
#include "train_surfaces.h"

namespace calor::app {

using nlohmann::json;

struct CompareArguments {
  DataOptions label;
  ProtocolOptions protocol;
  NodeOptions nodes;
  std::vector<std::string> data, attentions{"self,l2,metric,uniform"};
  std::string test, report;
  int seeds = 10;
  bool no_baselines = false, standardise = false;
  const CLI::Option* attention_option = nullptr;  // given or not
};

static std::string json_path(const std::string& report) {
  return std::filesystem::path(report).replace_extension(".json").string();
}

static void print_chosen(const NameColumn& names, const json& name, const json& text) {
  if (text.is_string()) fmt::print("    {} {}\n", names(name), text.get<std::string>());
}

static void print_experiment(const json& experiment) {
  const json& data = experiment["data"];
  const json& protocol = experiment["protocol"];
  fmt::print("{}: {} training and {}, {}, {}; {}\n", data["name"].get<std::string>(), grouped_digits(data["train"]),
             counted(data["test"].get<std::int64_t>(), "test point"), counted(data["columns"].get<std::int64_t>(), "feature"), counted(static_cast<std::int64_t>(data["classes"].size()), "class"),
             counted(static_cast<std::int64_t>(protocol["seeds"].size()), "seed"));
  if (const auto constant = data["constant_columns"].get<std::vector<std::string>>(); !constant.empty())
    fmt::print("  constant columns: {}\n", list_names(constant));
  const bool fresh = data["extra_test"].get<std::int64_t>() > 0;
  const auto fresh_points = [&](const json& row) { return fresh ? fmt::format("{:>9}", percent(row["extra_mean"])) : ""; };
  const NameColumn names(experiment);
  fmt::print("  {} {:>10} {:>8}{} {:>6} {:>12}\n", names.head(), "accuracy %", "sd", fresh ? "  fresh %" : "", "dead", "epochs to");
  const std::string common = percent(protocol["common_accuracy"], 0);
  for (const json& row : experiment["summary"]) {
    fmt::print("  {} {:>10} {:>8}{} {:>6} {:>12}\n", names(row["attention"]), percent(row["accuracy_mean"]),
               percent(row["accuracy_sd"]), fresh_points(row), row["dead"].get<int>(),
               row["epochs_to_common"].is_number() ? fmt::format("{:.0f} ({} %)", row["epochs_to_common"].get<double>(), common)
                                                   : "-");
  }
  for (const json& row : experiment["baselines"])
    fmt::print("  {} {:>10} {:>8}{}\n", names(row["name"]), percent(row["accuracy_mean"]),
               percent(row["accuracy_sd"]), fresh_points(row));
  if (fresh)
    fmt::print("  fresh: on {} further points, which the verdict goes by\n", data["extra_test"].get<std::int64_t>());
  fmt::print("  preprocessing and parameters, chosen on the training rows of each seed:\n");
  for (const json& row : experiment["summary"]) print_chosen(names, row["attention"], row["chosen_text"]);
  for (const json& row : experiment["baselines"]) print_chosen(names, row["name"], row["chosen_text"]);
  fmt::print("\n");
}

// The names and pipelines of all --attention options; commas inside parentheses belong to the pipeline.  An empty piece
// stays, to be refused as such.
static std::vector<std::string> attention_names(const std::vector<std::string>& options) {
  std::vector<std::string> names;
  for (const std::string& text : options) {
    int depth = 0;
    std::string name;
    for (const char c : text) {
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (c == ',' && depth == 0) names.push_back(std::exchange(name, {}));
      else name += c;
    }
    names.push_back(name);
  }
  return names;
}

// The whole verdict of a single experiment; of each of several, the attentions' accuracy and what is said about methods.
static json headlines(const json& experiment, std::size_t experiments) {
  const json& verdict = experiment["verdict"];
  if (experiments == 1 || verdict.size() < 2) return verdict;
  json lines{verdict.front()};
  const std::size_t about_methods = experiment["remarks"].size() + 1;  // the standing of the methods, or the baselines without one
  for (std::size_t i = std::max<std::size_t>(1, verdict.size() - about_methods); i < verdict.size(); ++i) lines.push_back(verdict[i]);
  return lines;
}

struct Deaths {
  std::int64_t dead = 0, runs = 0;
  std::vector<std::string> where;
  // "dead runs: 3 of 80 (moons: self 3)"
  std::string text() const {
    return fmt::format("dead runs: {} of {}{}", dead, runs, where.empty() ? "" : fmt::format(" ({})", fmt::join(where, ", ")));
  }
};

static Deaths deaths(const json& experiments) {
  Deaths result;
  for (const json& experiment : experiments)
    for (const json& row : experiment["summary"]) {
      result.dead += row["dead"].get<std::int64_t>();
      result.runs += row["runs"].get<std::int64_t>();
      if (row["dead"] > 0)
        result.where.push_back(fmt::format("{}: {} {}", experiment["data"]["name"].get<std::string>(),
                                           row["attention"].get<std::string>(), row["dead"].get<std::int64_t>()));
    }
  return result;
}

static void compare(const Globals& globals, const CompareArguments& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  require_surfaces_for_modes("compare", arguments.nodes.modes, arguments.nodes.surfaces());
  learn::CompareOptions options;
  options.protocol = arguments.protocol.protocol();
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  keep_freed_memory(globals);
  const bool on_rows = arguments.nodes.on_rows("compare", arguments.data, context), nodes = arguments.nodes.wanted() && !on_rows;
  const bool attends = arguments.attention_option->count() > 0;
  if (!on_rows || attends) options.attentions = attention_names(arguments.attentions);
  else options.attentions.clear();
  if (on_rows) {
    require_labels("compare", arguments.nodes);
    require_row_options("compare", arguments.protocol, arguments.nodes, attends);
    options.networks = arguments.nodes.pipelines;
  }
  options.seeds = arguments.seeds;
  options.base_seed = globals.seed;
  options.baselines = !arguments.no_baselines;
  require(!arguments.standardise || options.protocol.standardise, Fault::usage, "[compare] expected --standardise or --no-standardise, found both");
  options.choose_preprocessing = !arguments.standardise;
  if (nodes) {
    require(!arguments.standardise && !attends, Fault::usage,
            "[compare] expected --pipeline without --attention and --standardise, found one of them: attentions on tokens have a comparison of their own, and --feature-scale scales features of nodes");
    require_labels("compare", arguments.nodes);
    if (arguments.nodes.surfaces()) require_no_table("compare", arguments.label);
    else require_node_options("compare", arguments.protocol, !arguments.test.empty());
  }
  require(arguments.test.empty() || arguments.data.size() == 1, Fault::usage,
          "[compare] expected one DATA with --test, found {}: compare them one by one", arguments.data.size());
  if (!arguments.report.empty()) {
    const std::string suffix = std::filesystem::path(arguments.report).extension().string();
    require(suffix == ".html" || suffix == ".htm", Fault::usage,
            "[compare] expected a report file that ends in .html, found {}: its data goes to a .json beside it", arguments.report);
    std::vector<std::string> inputs = arguments.data;
    inputs.push_back(arguments.test);
    inputs.push_back(arguments.nodes.graph);
    check_output(arguments.report, inputs);
    check_output(json_path(arguments.report), inputs);
  }

  for (const std::string& source : arguments.data)
    require(!arguments.nodes.surfaces() || std::filesystem::exists(source), Fault::input, "[compare] expected a mesh, a folder of meshes, or a list of their files, found nothing at {}: check the name", source);
  for (const std::string& source : arguments.data)
    require(nodes || on_rows || std::filesystem::is_directory(source) || !io::is_node_dataset(source, context), Fault::usage, "[compare] expected networks for {}, whose rows are the nodes of a graph, found none: name one with --pipeline gcn", source);
  std::vector<io::Dataset> sets;
  std::optional<io::Dataset> test;
  if (!nodes) {
    for (const std::string& source : arguments.data)
      sets.push_back(load_training(globals, source, arguments.label.load_options(), context));
    test = load_test(globals, arguments.test, sets.front(), arguments.label, context);
  }

  if (arguments.nodes.explain) {
    std::vector<learn::Learner> learners;
    for (const std::string& attention : options.attentions) learners.push_back(learn::attention_learner(attention));
    for (const std::string& network : options.networks) learners.push_back(learn::network_learner(network));
    for (std::size_t set = 0; set < arguments.data.size(); ++set) {
      if (arguments.nodes.surfaces()) explain_surfaces(globals, arguments.nodes, arguments.data[set], arguments.test, surface_pipelines(arguments.nodes), context);
      else if (nodes) explain_nodes(globals, arguments.label, arguments.nodes, arguments.data[set], node_pipelines(arguments.nodes), context);
      else explain_rows(sets[set], options.protocol, learners);
    }
    return;
  }

  json document{{"schema", 1},
                {"kind", "compare"},
                {"version", version},
                {"command", globals.command_line},
                {"machine",
                 {{"processor", measure::processor_name()},
                  {"threads", globals.threads > 0 ? globals.threads : available_threads()},
                  {"isa", kernels::isa_name()}}},
                {"verdict", json::array()},
                {"experiments", json::array()}};
  for (std::size_t set = 0; set < arguments.data.size(); ++set) {
    const bool surfaces = arguments.nodes.surfaces();
    const NodeComparison comparison{arguments.data[set], arguments.test, arguments.report, arguments.seeds, !arguments.no_baselines};
    json experiment = surfaces ? compare_surfaces(globals, arguments.nodes, arguments.protocol, comparison, context)
                      : nodes  ? compare_nodes(globals, arguments.label, arguments.nodes, arguments.protocol, comparison, context)
                               : learn::compare(sets[set], test, options, context);
    bar.clear();
    if (!globals.json) surfaces ? print_surfaces(experiment) : nodes ? print_nodes(experiment) : print_experiment(experiment);
    for (const json& line : headlines(experiment, arguments.data.size())) document["verdict"].push_back(line);
    document["experiments"].push_back(std::move(experiment));
  }
  const Deaths died = deaths(document["experiments"]);
  if (arguments.data.size() > 1) document["verdict"].push_back(died.text());
  document["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  if (!arguments.report.empty()) {
    io::write_file(json_path(arguments.report), pipeline::dump(document));
    io::write_file(arguments.report, report::compare_page(document));
  }
  if (globals.json) {
    print_json(document);
  } else {
    fmt::print("Verdict\n");
    for (const json& line : document["verdict"]) fmt::print("  {}\n", line.get<std::string>());
    if (!arguments.report.empty())
      fmt::print("Report: {}\n", std::filesystem::absolute(arguments.report).string());
  }
  require(died.dead < died.runs, Fault::convergence,
          "[compare] expected a run that learns, found all {} dead: try more --epochs{}", died.runs,
          arguments.nodes.wanted() ? " or another --lr" : ", another --lr, or --reading recommended");
}

void add_compare_command(CLI::App& app, Globals& globals) {
  CLI::App* command = app.add_subcommand("compare", compare_summary);
  const auto arguments = std::make_shared<CompareArguments>();
  command->add_option("data", arguments->data, "Files (csv, tsv, libsvm, npy, npz, idx, also .gz) or bundled names (see `calor data`)")
      ->required()
      ->type_name("DATA...");
  arguments->attention_option = command
      ->add_option("--attention", arguments->attentions,
                   "Similarities, separated by commas: self, l2, metric, uniform, or pipelines such as "
                   "\"score(metric) | exp | two_side(1) | row | apply\"; may be given several times")
      ->type_name("NAME|PIPELINE,...")
      ->allow_extra_args(false)
      ->capture_default_str();
  command->add_option("--seeds", arguments->seeds, "Runs per similarity or network")->capture_default_str();
  add_data_options(*command, arguments->label, label_of_predictions);
  command->add_option("--test", arguments->test, "A separate test set; without it a share of DATA is held out");
  add_protocol(*command, arguments->protocol);
  add_node_options(*command, arguments->nodes);
  command->add_flag("--standardise", arguments->standardise, "Standardise the features for every network, instead of choosing on the training rows of each");
  command->add_option("--report", arguments->report, "HTML report to write; its data goes to a .json beside it")
      ->check(not_empty);
  command->add_flag("--no-baselines", arguments->no_baselines, "Leave out the propagator, SVM, nearest neighbours, logistic regression and the MLP");
  add_globals(*command, globals);
  command->callback([&globals, arguments] {
    for (std::string& source : arguments->data) source = node_source(source);
    arguments->nodes.settle("compare");
    compare(globals, *arguments);
  });
}

}  // namespace calor::app

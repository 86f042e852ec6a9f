#include "compare_nodes.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/node_dataset.h"
#include "calor/learn/nodes/compare.h"
#include "calor/model/networks.h"

namespace calor::app {

using nlohmann::json;

void add_node_options(CLI::App& command, NodeOptions& options) {
  std::string known;
  for (const recipes::Recipe& network : model::all_networks()) known += fmt::format("{}{}", known.empty() ? "" : ", ", network.name);
  command
      .add_option("--pipeline", options.pipelines,
                  fmt::format("A network on the nodes of a graph: {}, perhaps with settings (\"gat heads=4\"), or a text of stages; give it several times to compare them. DATA is then a folder of Planetoid "
                              "files, NAME.content beside NAME.cites, an npz of node data, or a table with --graph",
                              known))
      ->type_name("NAME|PIPELINE")
      ->allow_extra_args(false);
  command.add_option("--graph", options.graph, "The edges of DATA's rows: a file of pairs, GraphML or Matrix Market")->check(not_empty)->type_name("FILE");
  command.add_option("--feature-scale", options.features, "With --pipeline: each row over its sum (rows), columns to variance 1 (standardised), or untouched; auto: rows where most are 0")->capture_default_str();
  command.add_option("--per-class", options.per_class, "With --pipeline: training nodes of each class, where DATA has no split of its own")->capture_default_str();
  command.add_option("--patience", options.patience, "With --pipeline: end after so many epochs without a better validation; 0: never")->capture_default_str();
}

json compare_nodes(const Globals& globals, const DataOptions& data, const NodeOptions& options, const NodeComparison& comparison, const Context& context) {
  learn::CompareNodesOptions all;
  all.pipelines = options.pipelines;
  if (all.pipelines.empty()) all.pipelines = {"gcn", "gat", "graph-self", "graph-l2", "graph-metric", "graph-uniform"};
  all.seeds = comparison.seeds;
  all.base_seed = globals.seed;
  all.baselines = comparison.baselines;
  all.protocol.features = learn::parse_feature_scale(options.features);
  all.protocol.per_class = options.per_class;
  all.protocol.patience = options.patience;
  if (comparison.epochs) all.protocol.epochs = *comparison.epochs;
  if (comparison.learning_rate) all.protocol.learning_rates = {*comparison.learning_rate};
  if (comparison.weight_decay) all.protocol.weight_decays = {*comparison.weight_decay};
  validate(all.protocol);
  for (const std::string& text : all.pipelines) model::network_of(text);  // refused before anything is read
  const io::NodeDataset nodes = io::load_node_dataset(comparison.source, options.graph, data.load_options(), context);
  say_reading(globals, io::reading_line(nodes), nodes.reading);
  return learn::compare_nodes(nodes, all, context);
}

std::string percent(const json& value, int digits) { return value.is_number() ? fmt::format("{:.{}f}", 100 * value.get<double>(), digits) : "-"; }

void require_node_options(const ProtocolOptions& p, bool test) {
  const std::pair<const char*, bool> others[] = {{"--layers", p.layers.has_value()},     {"--width", p.width.has_value()},          {"--batch", p.batch.has_value()},
                                                 {"--optimizer", !p.optimizer.empty()},  {"--reading", p.reading != "recommended"}, {"--temperature", p.temperature != "fixed"},
                                                 {"--attend", p.attend != "train"},      {"--test-share", p.test_share.has_value()}, {"--no-standardise", p.no_standardise},
                                                 {"--test", test}};
  for (const auto& [option, given] : others)
    require(!given, Fault::usage, "[compare] expected no {} with --pipeline, whose text says what the network is: put it there (\"gat width=16\"), or leave it out", option);
}

void print_nodes(const json& experiment) {
  const json& data = experiment["data"];
  fmt::print("{}: {} nodes and {} edges, {}, {}; {} to train on, {} to validate, {} to test{}; {}\n", data["name"].get<std::string>(), grouped_digits(data["rows"]), grouped_digits(data["edges"]),
             counted(data["columns"].get<std::int64_t>(), "feature"), counted(static_cast<std::int64_t>(data["classes"].size()), "class"), grouped_digits(data["train"]), grouped_digits(data["validation"]),
             grouped_digits(data["test"]), data["own_split"].get<bool>() ? " (the data's own split)" : "", counted(static_cast<std::int64_t>(experiment["protocol"]["seeds"].size()), "seed"));
  fmt::print("  {:<36} {:>10} {:>6} {:>11} {:>8}\n", "", "accuracy %", "sd", "neighbours*", "dead");
  for (const json& row : experiment["summary"]) {
    std::string shares;
    for (const json& share : row["share_final"]) shares += fmt::format("{}{}", shares.empty() ? "" : " ", share.is_number() ? fmt::format("{:.2f}", share.get<double>()) : "-");
    fmt::print("  {:<36} {:>10} {:>6} {:>11} {:>8}\n", row["attention"].get<std::string>(), percent(row["accuracy_mean"]), percent(row["accuracy_sd"]), shares, row["dead"].get<int>());
  }
  for (const json& row : experiment["baselines"])
    fmt::print("  {:<36} {:>10} {:>6}\n", row["name"].get<std::string>(), percent(row["accuracy_mean"]), percent(row["accuracy_sd"]));
  fmt::print("  * of each layer, the share of a node's neighbours that its attention comes to: 1 is the plain mean\n\n");
}

}  // namespace calor::app

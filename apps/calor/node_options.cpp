#include "node_options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "calor/core/error.h"
#include "calor/model/networks.h"

namespace calor::app {

void add_modes_option(CLI::App& command, std::string& modes) {
  command.add_option("--modes", modes, "For surfaces: a folder in which the eigenvectors of each mesh are kept, so that later runs need not compute them; made where there is none")->check(not_empty)->type_name("FOLDER");
}

std::shared_ptr<const learn::ModeStore> mode_store(const std::string& folder) { return folder.empty() ? nullptr : std::make_shared<const learn::ModeStore>(folder); }

void say_modes(const Globals& globals, const std::shared_ptr<const learn::ModeStore>& modes) {
  if (!modes || globals.quiet) return;
  for (const std::string& note : modes->notes()) fmt::print(stderr, "note: {}\n", note);
}

void require_surfaces_for_modes(const char* op, const std::string& modes, bool surfaces) {
  require(modes.empty() || surfaces, Fault::usage, "[{}] expected surfaces for --modes, found none: leave --modes out", op);
}

void add_node_options(CLI::App& command, NodeOptions& options) {
  std::string known;
  for (const recipes::Recipe& network : model::all_networks()) known += fmt::format("{}{}", known.empty() ? "" : ", ", network.name);
  command
      .add_option("--pipeline", options.pipelines,
                  fmt::format("A network on the rows of a table, on the nodes of a graph or on surfaces: {}, perhaps with settings (\"gat heads=4\"), or a text of stages (`calor stages`); \"mine: TEXT\" names it mine. With a graph, DATA is the bundled "
                              "\"blocks\", a folder of Planetoid files, NAME.content beside NAME.cites, an npz of node data, or a table with --graph; with --labels, a folder or list of meshes",
                              known))
      ->type_name("NAME|PIPELINE")
      ->allow_extra_args(false);
  command.add_option("--set", options.settings, "A parameter of every --pipeline, heads=4, or of a stage in it, dropout.p=0.3; may be given several times")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  command.add_flag("--explain", options.explain, "Print the networks stage by stage, and stop");
  add_graph_option(command, options.graph);
  add_labels_option(command, options.labels);
  add_modes_option(command, options.modes);
  command.add_option("--feature-scale", options.scale, "With --pipeline on nodes: each row over its sum (rows), columns to variance 1 (standardised), or untouched; auto: rows where most are 0")->capture_default_str();
  command.add_option("--per-class", options.per_class, "With --pipeline on nodes: training nodes of each class, where DATA has no split of its own")->capture_default_str();
  command.add_option("--patience", options.patience, "With --pipeline on nodes: end after so many epochs without a better validation; 0: never")->capture_default_str();
}

learn::NodeProtocol NodeOptions::protocol(const ProtocolOptions& given) const {
  learn::NodeProtocol protocol;
  protocol.features = learn::parse_feature_scale(scale);
  protocol.per_class = per_class;
  protocol.patience = patience;
  if (given.epochs) protocol.epochs = *given.epochs;
  if (given.learning_rate) protocol.learning_rates = {*given.learning_rate};
  if (given.weight_decay) protocol.weight_decays = {*given.weight_decay};
  validate(protocol);
  return protocol;
}

void NodeOptions::settle(const char* op) {
  require(settings.empty() || !pipelines.empty(), Fault::usage, "[{}] expected --pipeline with --set, found none: name the network whose parameter it is", op);
  if (settings.empty()) return;
  for (std::string& text : pipelines) text = model::with_settings(text, settings);
}

bool NodeOptions::on_rows(const char* op, const std::vector<std::string>& sources, const Context& context) const {
  if (pipelines.empty() || !graph.empty() || !labels.empty()) return false;
  std::string with_graph, table;
  for (const std::string& source : sources) (io::is_node_dataset(source, context) ? with_graph : table) = source;
  require(with_graph.empty() || table.empty(), Fault::usage, "[{}] expected only tables, or only data sets with a graph, found the table {} and the graph {}: compare them one by one", op, table, with_graph);
  return with_graph.empty();
}

void require_labels(const char* op, const NodeOptions& options) {
  if (options.surfaces()) return;
  for (const std::string& text : options.pipelines)
    if (const model::Network network = model::network_of(text); network.wants == pipeline::Wants::mesh)
      fail(Fault::usage, "[{}] expected labels of surfaces for {}, found none: name their folder with --labels, or leave stages of surfaces out", op, network.name);
}

void require_node_options(const char* op, const ProtocolOptions& p, bool test) {
  const std::pair<const char*, bool> others[] = {{"--layers", p.layers.has_value()},     {"--width", p.width.has_value()},          {"--batch", p.batch.has_value()},
                                                 {"--optimizer", !p.optimizer.empty()},  {"--reading", p.reading != "recommended"}, {"--temperature", p.temperature != "fixed"},
                                                 {"--attend", p.attend != "train"},      {"--test-share", p.test_share.has_value()}, {"--no-standardise", p.no_standardise},
                                                 {"--test", test}};
  for (const auto& [option, given] : others)
    require(!given, Fault::usage, "[{}] expected no {} with --pipeline, whose text says what the network is: put it there (\"gat width=16\"), or leave it out", op, option);
}

void require_row_options(const char* op, const ProtocolOptions& p, const NodeOptions& nodes, bool attends) {
  const NodeOptions standard;
  for (const auto& [option, given] : {std::pair{"--layers", p.layers.has_value()}, {"--width", p.width.has_value()}, {"--temperature", p.temperature != "fixed"}})
    require(attends || !given, Fault::usage, "[{}] expected no {} with --pipeline, whose text says what the network is: put it there (\"ipn width=16\"), or leave it out", op, option);
  require(attends || p.reading == "recommended", Fault::usage, "[{}] expected no --reading with --pipeline, whose text says what the network is: leave residual(..) out, and use --optimizer adam", op);
  for (const auto& [option, given] : {std::pair{"--feature-scale", nodes.scale != standard.scale}, {"--per-class", nodes.per_class != standard.per_class}, {"--patience", nodes.patience != standard.patience}})
    require(!given, Fault::usage, "[{}] expected no {} for the rows of a table, found one: it is for nodes of a graph", op, option);
}

void check_node_output(const std::string& output, const std::string& source, const std::string& graph) {
  namespace fs = std::filesystem;
  check_output(output, {source, graph});
  std::error_code error;
  const fs::path folder = fs::is_directory(source, error) ? fs::path(source) : fs::path(source).parent_path(), file(output);
  const std::string name = file.filename().string();
  const bool part = name.starts_with("ind.") || name.ends_with(".content") || name.ends_with(".cites");
  require(!part || !fs::exists(file, error) || !fs::equivalent(file.parent_path().empty() ? "." : file.parent_path(), folder.empty() ? "." : folder, error), Fault::usage,
          "[output] expected another file than those of the data, found {}: choose another name", output);
}

io::NodeDataset load_nodes(const Globals& globals, const std::string& source, const std::string& graph, const io::LoadOptions& load, const Context& context, const io::Filling* known,
                           bool edge_columns) {
  io::NodeDataset data = io::load_node_dataset(source, graph, load, context, known, edge_columns);
  say_reading(globals, io::reading_line(data), data.reading);
  return data;
}

}  // namespace calor::app

#include "compare_nodes.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "calor/core/text.h"
#include "calor/learn/nodes/compare.h"
#include "calor/learn/surfaces/compare.h"
#include "calor/model/networks.h"
#include "train_surfaces.h"

namespace calor::app {

using nlohmann::json;

std::vector<std::string> node_pipelines(const NodeOptions& options) {
  if (!options.pipelines.empty()) return options.pipelines;
  return {"gcn", "gat", "graph-self", "graph-l2", "graph-metric", "graph-uniform"};
}

std::vector<std::string> surface_pipelines(const NodeOptions& options) {
  if (!options.pipelines.empty()) return options.pipelines;
  return {"diffusion-net", "surface-self", "surface-l2", "surface-metric", "surface-uniform"};
}

json compare_nodes(const Globals& globals, const DataOptions& data, const NodeOptions& options, const ProtocolOptions& protocol, const NodeComparison& comparison, const Context& context) {
  learn::CompareNodesOptions all;
  all.pipelines = node_pipelines(options);
  all.seeds = comparison.seeds;
  all.base_seed = globals.seed;
  all.baselines = comparison.baselines;
  all.protocol = options.protocol(protocol);
  bool edge_columns = false;
  for (const std::string& text : all.pipelines) edge_columns |= model::network_of(text).edge_features;  // refused before anything is read
  const io::NodeDataset nodes = load_nodes(globals, comparison.source, options.graph, data.load_options(), context, nullptr, edge_columns);
  return learn::compare_nodes(nodes, all, context);
}

std::string percent(const json& value, int digits) { return value.is_number() ? fmt::format("{:.{}f}", 100 * value.get<double>(), digits) : "-"; }

NameColumn::NameColumn(const json& experiment) {
  constexpr std::size_t widest = 60;
  for (const auto& [rows, field] : {std::pair{"summary", "attention"}, {"baselines", "name"}})
    for (const json& row : experiment[rows]) width_ = std::max(width_, std::min(widest, row[field].get_ref<const std::string&>().size()));
}

std::string NameColumn::operator()(const json& name) const {
  std::string text = name.get<std::string>();
  if (text.size() > width_) text = text.substr(0, width_ - 3) + "...";
  return fmt::format("{:<{}}", text, width_);
}

// The rows of a table: networks, then baselines.
static void print_rows(const json& experiment) {
  const bool attends = std::ranges::any_of(experiment["summary"], [](const json& row) { return !row["share_final"].empty(); });
  const NameColumn names(experiment);
  fmt::print("  {} {:>10} {:>6} {:>11} {:>8}\n", names.head(), "accuracy %", "sd", attends ? "neighbours*" : "", "dead");
  for (const json& row : experiment["summary"]) {
    std::string shares;
    for (const json& share : row["share_final"]) shares += fmt::format("{}{}", shares.empty() ? "" : " ", share.is_number() ? fmt::format("{:.{}f}", share.get<double>(), share.get<double>() < 0.01 ? 4 : 2) : "-");
    fmt::print("  {} {:>10} {:>6} {:>11} {:>8}\n", names(row["attention"]), percent(row["accuracy_mean"]), percent(row["accuracy_sd"]), shares, row["dead"].get<int>());
  }
  for (const json& row : experiment["baselines"])
    fmt::print("  {} {:>10} {:>6}\n", names(row["name"]), percent(row["accuracy_mean"]), percent(row["accuracy_sd"]));
  fmt::print("{}\n", attends ? "  * effective share of the neighbours (of all nodes, where there is no adjacency) that are attended to, layer by layer: 1 is the plain mean\n" : "");
}

void print_nodes(const json& experiment) {
  const json& data = experiment["data"];
  fmt::print("{}: {} nodes and {} edges, {}, {}; {} to train on, {} to validate, {} to test{}; {}\n", data["name"].get<std::string>(), grouped_digits(data["rows"]), grouped_digits(data["edges"]),
             counted(data["columns"].get<std::int64_t>(), "feature"), counted(static_cast<std::int64_t>(data["classes"].size()), "class"), grouped_digits(data["train"]), grouped_digits(data["validation"]),
             grouped_digits(data["test"]), data["own_split"].get<bool>() ? " (the data's own split)" : "", counted(static_cast<std::int64_t>(experiment["protocol"]["seeds"].size()), "seed"));
  print_rows(experiment);
}

json compare_surfaces(const Globals& globals, const NodeOptions& options, const ProtocolOptions& protocol, const NodeComparison& comparison, const Context& context) {
  learn::CompareSurfacesOptions all;
  all.pipelines = surface_pipelines(options);
  all.seeds = comparison.seeds;
  all.base_seed = globals.seed;
  all.baselines = comparison.baselines;
  all.protocol = surface_protocol("compare", protocol, options);
  all.modes = mode_store(options.modes);
  model::networks_of(all.pipelines);  // refused before anything is read
  const std::string data = comparison.report.empty() ? "" : std::filesystem::path(comparison.report).replace_extension(".json").string();
  const Surfaces surfaces = load_training_surfaces(globals, comparison.source, comparison.test, options.labels, {comparison.report, data}, context);
  json experiment = learn::compare_surfaces(surfaces.train, surfaces.test, all, context);
  say_modes(globals, all.modes);
  return experiment;
}

void print_surfaces(const json& experiment) {
  const json& data = experiment["data"];
  fmt::print("{}: {} {} of {}, {}; {} to train on, {} to test{}; {}\n", data["name"].get<std::string>(), grouped_digits(data["rows"]), data["of"].get<std::string>(),
             counted(data["surfaces"].get<std::int64_t>(), "surface"), counted(static_cast<std::int64_t>(data["classes"].size()), "class"), grouped_digits(data["train"]), grouped_digits(data["test"]),
             data["test_source"].is_null() ? " (drawn for each seed)" : "", counted(static_cast<std::int64_t>(experiment["protocol"]["seeds"].size()), "seed"));
  print_rows(experiment);
}

}  // namespace calor::app

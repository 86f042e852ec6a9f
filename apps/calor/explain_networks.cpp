#include "explain_networks.h"

#include <fmt/format.h>

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/pipeline/run.h"
#include "train_surfaces.h"

namespace calor::app {

static void print_network(const std::string& name, const model::Network& network) {
  fmt::print("{}\n", name == network.text ? name : fmt::format("{}: {}", name, network.text));
  for (const pipeline::BoundStage& bound : network.stages) fmt::print("{}", pipeline::explained(bound, ""));
}

void explain_rows(const io::Dataset& data, const learn::Protocol& given, const std::vector<learn::Learner>& learners) {
  const auto classes = static_cast<std::int64_t>(data.classes.size());
  const learn::Protocol protocol = learn::resolve(given, learners, std::max<std::int64_t>(1, data.rows), data.columns, classes);
  for (const learn::Learner& learner : learners) print_network(learner.name, learner.network(protocol));
  fmt::print("{}, {}, {}\n", counted(data.rows, "row"), counted(data.columns, "feature"), counted(classes, "class"));
}

void explain_nodes(const Globals& globals, const DataOptions& given, const NodeOptions& options, const std::string& source, const std::vector<std::string>& pipelines, const Context& context) {
  const std::vector<model::Network> networks = model::networks_of(pipelines);
  const bool edge_columns = std::ranges::any_of(networks, &model::Network::edge_features);
  const io::NodeDataset data = load_nodes(globals, source, options.graph, given.load_options(), context, nullptr, edge_columns);
  for (const model::Network& network : networks) print_network(network.name, network);
  fmt::print("{} and {}, all of them in every step, {}, {}\n", counted(data.nodes(), "node"), counted(static_cast<std::int64_t>(data.edges.size()), "edge"), counted(data.features.columns, "feature"),
             counted(static_cast<std::int64_t>(data.classes.size()), "class"));
}

void explain_surfaces(const Globals& globals, const NodeOptions& options, const std::string& source, const std::string& test, const std::vector<std::string>& pipelines, const Context& context) {
  const std::vector<model::Network> networks = model::networks_of(pipelines);
  const Surfaces surfaces = load_training_surfaces(globals, source, test, options.labels, {}, context);
  const io::SurfaceSet& set = surfaces.train;
  for (const model::Network& network : networks) print_network(network.name, network);
  fmt::print("{} of {}, one of them in every step, {}\n", counted(static_cast<std::int64_t>(set.meshes.size()), "surface"), set.of_faces ? "triangles" : "points",
             counted(static_cast<std::int64_t>(set.classes.size()), "class"));
}

}  // namespace calor::app

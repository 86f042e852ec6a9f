#include "explain_networks.h"

#include <fmt/format.h>

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/memory.h"
#include "calor/core/text.h"
#include "calor/learn/nodes/data.h"
#include "calor/learn/nodes/model.h"
#include "calor/learn/rows/memory_estimate.h"
#include "calor/learn/surfaces/data.h"
#include "calor/pipeline/run.h"
#include "train_surfaces.h"

namespace calor::app {

static std::int64_t numbers_of(const std::vector<learn::WeightSpec>& specs) {
  std::int64_t sum = 0;
  for (const learn::WeightSpec& spec : specs) sum += spec.size();
  return sum;
}

static void print(const std::string& name, const model::Network& network, std::int64_t weights, const std::string& more) {
  fmt::print("{}\n", name == network.text ? name : fmt::format("{}: {}", name, network.text));
  for (const pipeline::BoundStage& bound : network.stages) fmt::print("{}", pipeline::explained(bound, ""));
  fmt::print("{}{}\n\n", counted(weights, "weight"), more);
}

void explain_rows(const io::Dataset& data, const std::optional<io::Dataset>& test, const learn::Protocol& given, const std::vector<learn::Learner>& learners) {
  const learn::TrainingSize size = learn::training_size(data, test, given.test_share);
  const learn::Protocol protocol = learn::resolve(given, learners, std::max<std::int64_t>(1, size.train), size.columns, size.classes);
  for (const learn::Learner& learner : learners) {
    const model::Network network = learner.network(protocol);
    const learn::RowShape shape = learn::shape_of(network, size.columns, size.classes);
    print(learner.name, network, shape.parameters, fmt::format("; {} training rows for {}: about {} for a run, beside the data", grouped_digits(size.train), counted(protocol.epochs, "epoch"),
                                                               format_bytes(learn::run_bytes(size, protocol, shape))));
  }
}

void explain_nodes(const Globals& globals, const DataOptions& given, const NodeOptions& options, const std::string& source, const std::vector<std::string>& pipelines, const Context& context) {
  const std::vector<model::Network> networks = model::networks_of(pipelines);
  const bool edge_columns = std::ranges::any_of(networks, &model::Network::edge_features);
  const io::NodeDataset data = load_nodes(globals, source, options.graph, given.load_options(), context, nullptr, edge_columns);
  for (const model::Network& network : networks) {
    learn::require_edge_features(network, data, "explain");
    print(network.name, network, numbers_of(learn::node_weight_specs(network, data.features.columns, static_cast<std::int64_t>(data.edge_names.size()), static_cast<std::int64_t>(data.classes.size()))),
          fmt::format("; all of {} nodes and {} edges in every step", grouped_digits(data.nodes()), grouped_digits(static_cast<std::int64_t>(data.edges.size()))));
  }
}

void explain_surfaces(const Globals& globals, const NodeOptions& options, const std::string& source, const std::string& test, const std::vector<std::string>& pipelines, const Context& context) {
  const std::vector<model::Network> networks = model::networks_of(pipelines);
  const Surfaces surfaces = load_training_surfaces(globals, source, test, options.labels, {}, context);
  const io::SurfaceSet& set = surfaces.train;
  for (const model::Network& network : networks)
    print(network.name, network, numbers_of(learn::surface_weight_specs(network, static_cast<std::int64_t>(set.classes.size()), set.of_faces)),
          fmt::format("; {} of {}, one of them in every step", counted(static_cast<std::int64_t>(set.meshes.size()), "surface"), set.of_faces ? "triangles" : "points"));
}

}  // namespace calor::app

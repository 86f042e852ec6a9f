#include "calor/learn/nodes/data.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/text.h"
#include "calor/learn/data/tokens.h"
#include "calor/learn/network/builder.h"
#include "calor/learn/network/memory.h"

namespace calor::learn {
namespace {

FeatureScale resolved(const io::SparseMatrix& features, FeatureScale scale) {
  if (scale != FeatureScale::automatic) return scale;
  const bool mostly_zero = 2 * features.entries() < features.rows * features.columns;
  const bool negative = std::any_of(features.value.begin(), features.value.end(), [](double value) { return value < 0; });
  return mostly_zero && !negative ? FeatureScale::rows : FeatureScale::standardised;
}

io::SparseMatrix over_row_sums(io::SparseMatrix features) {
  for (std::int64_t i = 0; i < features.rows; ++i) {
    double sum = 0;
    for (std::int64_t e = features.begin[i]; e < features.begin[i + 1]; ++e) sum += features.value[e];
    if (sum > 0)
      for (std::int64_t e = features.begin[i]; e < features.begin[i + 1]; ++e) features.value[e] /= sum;
  }
  return features;
}

// Columns over all nodes: each to mean 0 and variance 1.
Standardisation standardisation_of(const io::SparseMatrix& features) {
  const auto columns = static_cast<std::size_t>(features.columns);
  const auto rows = static_cast<double>(features.rows);
  Standardisation result{std::vector<double>(columns, 0), std::vector<double>(columns, 0)};
  for (std::int64_t e = 0; e < features.entries(); ++e) result.mean[features.column[e]] += features.value[e] / rows;
  std::vector<std::int64_t> filled(columns, 0);
  for (std::int64_t e = 0; e < features.entries(); ++e) {
    const double off = features.value[e] - result.mean[features.column[e]];
    result.deviation[features.column[e]] += off * off;
    ++filled[features.column[e]];
  }
  for (std::size_t c = 0; c < columns; ++c) {
    const double mean = result.mean[c];
    const double deviation = std::sqrt((result.deviation[c] + (rows - static_cast<double>(filled[c])) * mean * mean) / rows);
    result.deviation[c] = deviation > 1e-12 * std::abs(mean) ? deviation : 0;  // a constant column becomes zeros
  }
  return result;
}

at::Tensor dense_of(const io::SparseMatrix& features) {
  const at::Tensor result = at::zeros({features.rows, features.columns}, at::kFloat);
  float* out = result.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < features.rows; ++i)
    for (std::int64_t e = features.begin[i]; e < features.begin[i + 1]; ++e) out[i * features.columns + features.column[e]] = static_cast<float>(features.value[e]);
  return result;
}

at::Tensor dense_of(const io::SparseMatrix& features, const Standardisation& standardisation) {
  const at::Tensor result = at::empty({features.rows, features.columns}, at::kFloat);
  float* row = result.mutable_data_ptr<float>();
  const auto scaled = [&](std::size_t c, double value) {
    return standardisation.deviation[c] > 0 ? static_cast<float>((value - standardisation.mean[c]) / standardisation.deviation[c]) : 0.0F;
  };
  for (std::int64_t i = 0; i < features.rows; ++i, row += features.columns) {
    for (std::size_t c = 0; c < standardisation.mean.size(); ++c) row[c] = scaled(c, 0);
    for (std::int64_t e = features.begin[i]; e < features.begin[i + 1]; ++e) row[features.column[e]] = scaled(static_cast<std::size_t>(features.column[e]), features.value[e]);
  }
  return result;
}

// Columns of the edges' numbers, each way an edge of its own.
Standardisation standardisation_of(const std::vector<double>& values, std::size_t columns) {
  Standardisation result{std::vector<double>(columns, 0), std::vector<double>(columns, 0)};
  const auto rows = static_cast<double>(values.size() / columns);
  for (std::size_t n = 0; n < values.size(); ++n) result.mean[n % columns] += values[n] / rows;
  for (std::size_t n = 0; n < values.size(); ++n) result.deviation[n % columns] += (values[n] - result.mean[n % columns]) * (values[n] - result.mean[n % columns]) / rows;
  for (std::size_t c = 0; c < columns; ++c) {
    const double deviation = std::sqrt(result.deviation[c]);
    result.deviation[c] = deviation > 1e-12 * std::abs(result.mean[c]) ? deviation : 0;  // a constant column becomes zeros
  }
  return result;
}

// In the order of the graph, whose row i has what goes from each of its columns to i.
EdgeFeatures edge_features(const io::NodeDataset& data, const engine::Csr& graph, const Standardisation& standardisation) {
  const std::size_t columns = data.edge_names.size();
  EdgeFeatures result{graph, at::empty({graph.edges(), static_cast<std::int64_t>(columns)}, at::kDouble)};
  double* out = result.values.mutable_data_ptr<double>();
  for (std::int64_t i = 0; i < graph.rows; ++i)
    for (std::int64_t e = graph.begin[static_cast<std::size_t>(i)]; e < graph.begin[static_cast<std::size_t>(i) + 1]; ++e) {
      const std::int64_t from = graph.column[static_cast<std::size_t>(e)];
      const auto pair = std::ranges::lower_bound(data.edges, io::NodeDataset::Pair{std::min(from, i), std::max(from, i)});
      const auto line = 2 * static_cast<std::size_t>(pair - data.edges.begin()) + (from < i ? 0 : 1);
      for (std::size_t c = 0; c < columns; ++c)
        *out++ = standardisation.deviation[c] > 0 ? (data.edge_values[line * columns + c] - standardisation.mean[c]) / standardisation.deviation[c] : 0;
    }
  return result;
}

}  // namespace

void require_edge_features(const model::Network& network, const io::NodeDataset& data, const char* op) {
  require(!network.edge_features || !data.edge_names.empty(), Fault::input,
          "[{}] expected features of edges for {}, found none ({}): give --graph a csv whose columns beside the two nodes are numbers, or leave edge_features out", op, network.name, data.source);
}

void require_classes(const io::NodeDataset& data, const char* op) {
  std::vector<bool> present(data.classes.size(), false);
  for (const std::int64_t label : data.labels)
    if (label >= 0) present[static_cast<std::size_t>(label)] = true;
  const auto classes = std::count(present.begin(), present.end(), true);
  require(classes >= 2, Fault::input, "[{}] expected nodes of at least 2 classes, found {}: name the label's column with --label", op, classes);
}

NodeData node_data(const io::NodeDataset& data, FeatureScale scale, const Context& context, const Standardisation* known, const Standardisation* known_edges) {
  NodeData result;
  result.nodes = data.nodes();
  result.classes = static_cast<std::int64_t>(data.classes.size());
  result.labels = index_tensor(data.labels);
  result.scale = resolved(data.features, scale);
  result.features.columns = data.features.columns;
  const bool sparse = result.scale != FeatureScale::standardised && 4 * data.features.entries() < data.features.rows * data.features.columns;
  if (sparse) {
    io::SparseMatrix features = result.scale == FeatureScale::rows ? over_row_sums(data.features) : data.features;
    engine::Csr entries;
    entries.rows = features.rows, entries.columns = features.columns;
    entries.begin = std::move(features.begin), entries.column = std::move(features.column), entries.values = std::move(features.value);
    result.features.sparse = support_of(entries);
  } else {
    context.memory.require(static_cast<std::uint64_t>(data.features.rows) * static_cast<std::uint64_t>(data.features.columns) * 4, "compare", "features with all their zeros",
                           "take --feature-scale rows or untouched, which keep them sparse");
    if (result.scale == FeatureScale::standardised) {
      result.standardisation = known ? *known : standardisation_of(data.features);
      result.features.dense = dense_of(data.features, result.standardisation);
    } else {
      result.features.dense = dense_of(result.scale == FeatureScale::rows ? over_row_sums(data.features) : data.features);
    }
  }
  std::vector<engine::Edge> edges;
  edges.reserve(2 * data.edges.size());
  for (const io::NodeDataset::Pair& pair : data.edges) {
    edges.push_back({pair.a, pair.b, 1});
    edges.push_back({pair.b, pair.a, 1});
  }
  auto graph = std::make_shared<pipeline::Data>();
  graph->features = std::make_shared<const engine::Matrix>(result.nodes, 0);
  graph->graph = std::make_shared<const engine::Csr>(engine::from_edges(result.nodes, result.nodes, std::move(edges)));
  if (!data.edge_names.empty()) {
    result.edge_standardisation = known_edges ? *known_edges : standardisation_of(data.edge_values, data.edge_names.size());
    result.edges = std::make_shared<const EdgeFeatures>(edge_features(data, *graph->graph, result.edge_standardisation));
  }
  result.graph = std::move(graph);
  return result;
}

void require_node_memory(const model::Network& network, const NodeData& data, std::uint64_t workers, const char* op, const Context& context) {
  const NetworkSize size = network_size(network.stages, data.features.columns, !data.features.dense.defined(), data.classes);
  const double bytes = static_cast<double>(workers) * training_bytes(size, data.nodes);
  context.memory.require(static_cast<std::uint64_t>(std::min(bytes, 1e18)), op, fmt::format("{} on {}", network.name, counted(data.nodes, "node")), "choose a smaller width or fewer layers, or fewer --threads");
}

bool has_split(const io::NodeDataset& data) { return !data.train.empty() || !data.validation.empty() || !data.test.empty(); }

NodeSplit node_split(const io::NodeDataset& data, std::int64_t per_class, std::uint64_t seed) {
  if (has_split(data)) {
    const auto with_class = [&](std::vector<std::int64_t> nodes) {
      std::erase_if(nodes, [&](std::int64_t node) { return data.labels[static_cast<std::size_t>(node)] < 0; });
      return nodes;
    };
    NodeSplit split{with_class(data.train), with_class(data.validation), with_class(data.test)};
    require(!split.train.empty() && !split.test.empty(), Fault::input,
            "[split] expected labelled nodes to train on and to test on in the data's own split, found {} and {}: correct the split, or leave it out to have one drawn", split.train.size(),
            split.test.size());
    return split;
  }
  constexpr std::int64_t to_validate = 500, to_test = 1000;
  Random random(seed, Purpose::split);
  std::vector<std::int64_t> left_of(data.classes.size());
  for (const std::int64_t label : data.labels)
    if (label >= 0) ++left_of[static_cast<std::size_t>(label)];
  for (std::int64_t& left : left_of) left = std::min(per_class, std::max<std::int64_t>(1, left / 3));
  NodeSplit split;
  std::vector<std::int64_t> others;
  for (const std::int64_t node : permutation(data.nodes(), random)) {
    const std::int64_t label = data.labels[static_cast<std::size_t>(node)];
    if (label < 0) continue;
    if (left_of[static_cast<std::size_t>(label)]-- > 0) split.train.push_back(node);
    else others.push_back(node);
  }
  const auto rest = static_cast<std::int64_t>(others.size());
  const std::int64_t validate = std::min(to_validate, rest / 2), test = std::min(to_test, rest - validate);
  require(test > 0 && validate > 0, Fault::input, "[compare] expected nodes left to validate and to test on beside {} to train on, found {}: {}", split.train.size(), rest,
          split.train.size() > data.classes.size() ? "lower --per-class" : "label more nodes");
  split.validation.assign(others.begin(), others.begin() + validate);
  split.test.assign(others.begin() + validate, others.begin() + validate + test);
  for (auto* part : {&split.train, &split.validation, &split.test}) std::sort(part->begin(), part->end());
  return split;
}

}  // namespace calor::learn

// A planted partition with features (Girvan, Newman 2002; Deshpande et al. 2018): a graph on which it matters whom a node listens to.
#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/io/hash.h"
#include "calor/io/node_dataset.h"

namespace calor::io {

NodeDataset planted_blocks(const Blocks& blocks, std::uint64_t seed) {
  require(blocks.classes >= 2 && blocks.nodes >= 2 * blocks.classes && blocks.features >= 1 && blocks.degree >= 1, Fault::usage,
          "[blocks] expected at least 2 classes of 2 nodes, a feature and an edge, found {} classes of {} nodes, {} features and {} edges a node", blocks.classes, blocks.nodes, blocks.features,
          blocks.degree);
  require(blocks.own >= 0 && blocks.own <= 1 && blocks.noise >= 0 && std::isfinite(blocks.noise), Fault::usage, "[blocks] expected a share from 0 to 1 and a noise of at least 0, found {} and {}",
          blocks.own, blocks.noise);
  NodeDataset data;
  data.name = data.source = "blocks";
  data.reading.format = "drawn";
  for (std::int64_t c = 0; c < blocks.classes; ++c) data.classes.push_back(fmt::format("block {}", c + 1));
  for (std::int64_t c = 0; c < blocks.features; ++c) data.feature_names.push_back(fmt::format("x{}", c + 1));
  // Class means of length 2 in random directions.
  std::vector<double> means;
  for (std::int64_t c = 0; c < blocks.classes; ++c) {
    Random random(seed, Purpose::data, static_cast<std::uint64_t>(c));
    std::vector<double> mean(static_cast<std::size_t>(blocks.features));
    double square = 0;
    for (double& number : mean) number = random.normal(), square += number * number;
    for (const double number : mean) means.push_back(2 * number / std::sqrt(square));
  }
  data.features.rows = blocks.nodes;
  data.features.columns = blocks.features;
  Random random(seed, Purpose::noise);
  for (std::int64_t i = 0; i < blocks.nodes; ++i) {
    data.labels.push_back(i % blocks.classes);
    for (std::int64_t c = 0; c < blocks.features; ++c) {
      data.features.column.push_back(static_cast<std::int32_t>(c));
      data.features.value.push_back(means[static_cast<std::size_t>(i % blocks.classes * blocks.features + c)] + blocks.noise * random.normal());
    }
    data.features.begin.push_back(data.features.entries());
  }
  for (std::int64_t i = 0; i < blocks.nodes; ++i)
    for (std::int64_t e = 0; e < blocks.degree / 2 + (i % 2 == 0 ? blocks.degree % 2 : 0); ++e) {
      const bool own = random.uniform() < blocks.own;
      std::int64_t other = i;
      while (other == i || (other % blocks.classes == i % blocks.classes) != own) other = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(blocks.nodes)));
      data.edges.push_back({std::min(i, other), std::max(i, other)});
    }
  std::sort(data.edges.begin(), data.edges.end());
  const auto end = std::unique(data.edges.begin(), data.edges.end());
  data.repeated = data.edges.end() - end;
  data.edges.erase(end, data.edges.end());
  std::string bytes(reinterpret_cast<const char*>(data.features.value.data()), data.features.value.size() * sizeof(double));
  data.hash = sha256(bytes.append(reinterpret_cast<const char*>(data.edges.data()), data.edges.size() * sizeof(NodeDataset::Pair)));
  return data;
}

const std::vector<BundledSet>& bundled_graphs() {
  static const std::vector<BundledSet> graphs = [] {
    const Blocks blocks;
    return std::vector<BundledSet>{{"blocks", "a graph on which it matters whom a node listens to, for --pipeline", "drawn by Calor from seed 0: six of ten edges lead to other classes", "Apache-2.0",
                                    blocks.nodes, blocks.features, blocks.classes}};
  }();
  return graphs;
}

bool is_bundled_graph(const std::string& name) {
  return std::ranges::any_of(bundled_graphs(), [&](const BundledSet& set) { return set.name == name; });
}

}  // namespace calor::io

// What flows through a network, and the steps that its stages become.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bindings/torch/edges.h"
#include "calor/learn/network/attend.h"
#include "calor/learn/network/weights.h"
#include "calor/pipeline/state.h"

namespace calor::learn {

// A graph's edges, with a number each: weights of a similarity, or the entries of sparse features (rows: nodes, columns: features).
struct Support {
  torch_ops::EdgeTensors edges;
  at::Tensor values;  // [edges, 1]
  std::int64_t rows = 0, columns = 0;
};

class Surface;

// Numbers of a graph's edges, [edges, columns], in the graph's order.
struct EdgeFeatures {
  engine::Csr graph;  // its values do not count
  at::Tensor values;
};

// Whose rows a network runs on: the nodes of a graph (null for a network that uses none), the points of a surface, or the rows of a table.
struct Domain {
  std::shared_ptr<const pipeline::Data> graph;
  std::shared_ptr<const Surface> surface = nullptr;
  bool faces = false;  // the surface's labels are of its triangles: the stage faces leads there
  bool table = false;  // weights are called and drawn by layer and role (places.h)
  std::shared_ptr<const EdgeFeatures> edges = nullptr;  // of the graph's edges, or null
};

// The similarity of a flow: what its stages have said of it so far.
struct EdgeSimilarity {
  std::shared_ptr<const Support> support;
  bool scored = false;
  torch_ops::EdgeAttentionOptions options;  // of a learned score, and its dropout
  at::Tensor query, key;                    // [nodes, heads, any]
  at::Tensor weights;                       // [edges, 1] of a fixed one
};

// Where all rows attend to all: of each head what is compared, and the factor of its scores [1, 1].
struct PairHead {
  Features features;
  at::Tensor factor;
};
struct PairSimilarity {
  const ScoreKind* score;
  std::vector<PairHead> heads;
};

// What rows keep of an attention among themselves, so that others can attend to them later.
struct KeptHead {
  LayerInput tokens;
  std::vector<Factors> factors;
  at::Tensor factor;
};
struct KeptAttention {
  Attention attention;
  std::vector<KeptHead> heads;
};

struct Flow {
  at::Tensor x;                            // [nodes, heads x width]; undefined while the features are sparse
  std::shared_ptr<const Support> sparse;   // the features, or null
  at::Tensor entries;                      // theirs, as dropout left them
  std::int64_t heads = 1;
  std::shared_ptr<const Flow> before;       // what the last map was given
  EdgeSimilarity similarity;
  std::optional<PairSimilarity> pairs;

  void set(at::Tensor features) {
    x = std::move(features);
    sparse = nullptr;
    entries = at::Tensor();
  }
};

// Dropout: drawn while training, by seed and step.
struct Draws {
  bool training = false;
  std::uint64_t seed = 0, step = 0;
};

// One pass through a network.
struct Pass : Draws {
  const Weights* weights = nullptr;
  std::vector<double>* shares = nullptr;                   // where given: of each learned similarity, exp(entropy) as a share of neighbours, a mean over nodes
  std::vector<KeptAttention>* keep = nullptr;              // where given: what each attention among all rows leaves for those beside
  const std::vector<KeptAttention>* beside = nullptr;      // where given: rows attend to these and to themselves, instead of among each other
  bool start = false;                                      // factors that start from the spread of the scores are set to it
};

class Step {
 public:
  virtual ~Step() = default;
  virtual void run(Flow& flow, const Pass& pass) const = 0;
  virtual bool random() const { return false; }   // has dropout
  virtual bool learned() const { return false; }  // has weights
};

using Steps = std::vector<std::unique_ptr<Step>>;

}  // namespace calor::learn

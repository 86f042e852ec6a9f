// The three ways in which points that are not trained on attend (Attend in protocol.h), and what is measured along a run.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "calor/learn/data/tokens.h"
#include "calor/learn/rows/protocol.h"
#include "calor/learn/rows/row_network.h"

namespace calor::learn {

// Training tokens propagated among themselves once, for any number of points beside them.
class KeptTokens {
 public:
  KeptTokens(const RowNetwork& network, const at::Tensor& tokens);
  const at::Tensor& logits() const { return logits_; }  // of the tokens
  // Each point attends to the tokens and to itself, layer by layer (attend_beside).  Memory O(points width), and
  // points x tokens for an additive score.
  at::Tensor logits_beside(const at::Tensor& points) const;
  // The weights among the tokens for the rows `rows` only, each row divided by its sum: of each attention in order, one [rows, tokens] per head.
  std::vector<std::vector<at::Tensor>> attention(const std::vector<std::int64_t>& rows) const;

 private:
  const RowNetwork& network_;
  std::vector<KeptAttention> kept_;
  at::Tensor logits_;
};

// Rows of points that are given to logits_beside at once: long enough for full tiles, short enough that a test set of any
// size takes a few MB of activations.
inline constexpr std::int64_t query_block = 2048;

// The network's logits [points, classes] for points of no training batch, without gradients.
//   train  each point attends to the kept tokens and to itself, in blocks of query_block points
//   joint  kept tokens and points propagate together
//   batch  the points in near-equal batches of at most `batch`, in their order; `kept` is not used
at::Tensor logits(const RowNetwork& network, Attend attend, std::int64_t batch, const at::Tensor& kept, const at::Tensor& points);

// Near-equal sizes, at most `most` each, that sum to `count`; the earlier ones are the larger.
std::vector<std::int64_t> near_equal_batches(std::int64_t count, std::int64_t most);

// Share of rows whose largest logit is the label's; a row that is not finite is wrong.
double accuracy(const at::Tensor& logits, const at::Tensor& labels);

struct Evaluation {
  double loss = 0, train_accuracy = 0;  // on the kept training points
  double test_accuracy = 0;
  std::optional<double> extra_accuracy;  // always with the training points as keys
  std::vector<double> share;             // per attention, a mean over heads, on at most 256 rows
};

// Kept points and test points under the protocol.  `seed` chooses the rows that the share is sampled on.
Evaluation evaluate(const RowNetwork& network, const Protocol& protocol, const RunData& data, std::uint64_t seed);

}  // namespace calor::learn

#include "calor/learn/rows/evaluate.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/isfinite.h>

#include "calor/core/random.h"

namespace calor::learn {
namespace {

at::Tensor logits_in_blocks(const KeptTokens& kept, const at::Tensor& points) {
  std::vector<at::Tensor> blocks;
  for (std::int64_t begin = 0; begin < points.size(0); begin += query_block) {
    blocks.push_back(kept.logits_beside(points.narrow(0, begin, std::min(query_block, points.size(0) - begin))));
  }
  return at::cat(blocks);
}

at::Tensor logits_in_batches(const RowNetwork& network, std::int64_t batch, const at::Tensor& points) {
  std::vector<at::Tensor> batches;
  std::int64_t begin = 0;
  for (const std::int64_t rows : near_equal_batches(points.size(0), batch)) {
    batches.push_back(network.forward(points.narrow(0, begin, rows)));
    begin += rows;
  }
  return at::cat(batches);
}

// On a sample of the tokens' rows.
std::vector<double> shares(const KeptTokens& tokens, std::uint64_t seed) {
  Random random(seed, Purpose::tokens);
  auto rows = permutation(tokens.logits().size(0), random);
  rows.resize(static_cast<std::size_t>(std::min(share_rows, tokens.logits().size(0))));
  std::vector<double> share;
  for (const std::vector<at::Tensor>& heads : tokens.attention(rows)) {
    double sum = 0;
    for (const at::Tensor& attention : heads) sum += effective_share(attention);
    share.push_back(sum / static_cast<double>(heads.size()));
  }
  return share;
}

}  // namespace

KeptTokens::KeptTokens(const RowNetwork& network, const at::Tensor& tokens) : network_(network) {
  const at::NoGradGuard no_gradient;
  logits_ = network.forward(tokens, kept_);
}

at::Tensor KeptTokens::logits_beside(const at::Tensor& points) const {
  const at::NoGradGuard no_gradient;
  return network_.forward_beside(kept_, points);
}

std::vector<std::vector<at::Tensor>> KeptTokens::attention(const std::vector<std::int64_t>& rows) const {
  const at::NoGradGuard no_gradient;
  const at::Tensor index = index_tensor(rows);
  std::vector<std::vector<at::Tensor>> all;
  for (const KeptAttention& kept : kept_) {
    std::vector<at::Tensor>& heads = all.emplace_back();
    for (const KeptHead& head : kept.heads) heads.push_back(attention_rows(kept.attention, head.tokens, head.factors, head.factor, index));
  }
  return all;
}

std::vector<std::int64_t> near_equal_batches(std::int64_t count, std::int64_t most) {
  const std::int64_t batches = (count + most - 1) / most;
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = 0; i < batches; ++i) sizes.push_back(count / batches + (i < count % batches ? 1 : 0));
  return sizes;
}

at::Tensor logits(const RowNetwork& network, Attend attend, std::int64_t batch, const at::Tensor& kept,
                  const at::Tensor& points) {
  const at::NoGradGuard no_gradient;
  switch (attend) {
    case Attend::joint:
      return network.forward(at::cat({kept, points})).narrow(0, kept.size(0), points.size(0));
    case Attend::batch:
      return logits_in_batches(network, batch, points);
    case Attend::train:
      break;
  }
  return logits_in_blocks(KeptTokens(network, kept), points);
}

double accuracy(const at::Tensor& logits, const at::Tensor& labels) {
  const at::Tensor right = at::argmax(logits, 1).eq(labels).logical_and(at::isfinite(logits).all(1));
  return right.to(at::kDouble).mean().item<double>();
}

Evaluation evaluate(const RowNetwork& network, const Protocol& protocol, const RunData& data, std::uint64_t seed) {
  const at::NoGradGuard no_gradient;
  const at::Tensor& kept = data.kept.values;
  at::Tensor train_logits, test_logits;
  std::optional<KeptTokens> tokens;
  if (protocol.attend == Attend::train || data.extra.count() > 0) tokens.emplace(network, kept);
  switch (protocol.attend) {
    case Attend::train:
      train_logits = tokens->logits();
      test_logits = logits_in_blocks(*tokens, data.test.values);
      break;
    case Attend::joint: {
      const at::Tensor all = network.forward(at::cat({kept, data.test.values}));
      train_logits = all.narrow(0, 0, kept.size(0));
      test_logits = all.narrow(0, kept.size(0), data.test.count());
      break;
    }
    case Attend::batch:
      train_logits = logits_in_batches(network, protocol.batch, kept);
      test_logits = logits_in_batches(network, protocol.batch, data.test.values);
      break;
  }
  Evaluation result;
  result.loss = at::cross_entropy_loss(train_logits, data.kept.labels).item<double>();
  result.train_accuracy = accuracy(train_logits, data.kept.labels);
  result.test_accuracy = accuracy(test_logits, data.test.labels);
  if (data.extra.count() > 0) {
    result.extra_accuracy = accuracy(logits_in_blocks(*tokens, data.extra.values), data.extra.labels);
  }
  if (protocol.attend == Attend::batch) tokens.emplace(network, kept.narrow(0, 0, near_equal_batches(kept.size(0), protocol.batch).front()));
  else if (!tokens) tokens.emplace(network, kept);
  result.share = shares(*tokens, seed);
  return result;
}

}  // namespace calor::learn

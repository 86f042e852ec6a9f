#include "calor/learn/rows/predict.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <atomic>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/learn/rows/evaluate.h"
#include "calor/learn/rows/network_weights.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {
namespace {

// The data set's rows with the model's columns, preprocessed as in training.
at::Tensor points_for(const Model& model, const io::Dataset& data) {
  return points_of(standardised(points_of(model.features, data, "predict"), model.standardisation), {}, model.columns()).values;
}

// Blocks are independent under Attend::train: side by side over the threads, the same bits for any number of them.
at::Tensor logits_beside_tokens(const RowNetwork& network, const at::Tensor& tokens, const at::Tensor& points,
                                const Context& context) {
  const std::int64_t count = points.size(0), blocks = (count + query_block - 1) / query_block;
  const KeptTokens kept(network, tokens);
  std::vector<at::Tensor> parts(static_cast<std::size_t>(blocks));
  std::atomic<std::int64_t> done{0};
  parallel_for(blocks, context.threads, [&](std::int64_t block) {
    const OneThread one_thread;
    context.check_stop("predict");
    const std::int64_t begin = block * query_block;
    parts[static_cast<std::size_t>(block)] =
        kept.logits_beside(points.narrow(0, begin, std::min(query_block, count - begin)));
    context.advance(static_cast<double>(++done), static_cast<double>(blocks), "predicting");
  });
  return at::cat(parts);
}

// Scores that a layer stores: among the tokens, and of the points beside them or with them.
std::uint64_t stored(const RowShape& shape, const Model& model, std::uint64_t together) {
  const auto tokens = static_cast<std::int64_t>(model.labels.size()), points = static_cast<std::int64_t>(together);
  const std::int64_t all = model.protocol.attend == Attend::joint ? tokens + points : std::max(tokens, points);
  std::int64_t most = 0;
  for (const Attention& attention : shape.attentions) most = std::max(most, stored_numbers(attention, all, all, /*gradient=*/false));
  return static_cast<std::uint64_t>(most);
}

void require_memory(const Model& model, const io::Dataset& data, const Context& context) {
  // Points in double, as floats and as a tensor, activations of one block or of all points, logits and probabilities.
  constexpr std::uint64_t activations = 16;
  const RowShape shape = shape_of(model::network_of(network_text(model)), model.columns(), static_cast<std::int64_t>(model.classes.size()));
  const auto rows = static_cast<std::uint64_t>(data.rows), width = static_cast<std::uint64_t>(std::max(shape.widest, model.columns()));
  const std::uint64_t together = model.protocol.attend == Attend::joint ? rows : std::min<std::uint64_t>(rows, query_block);
  const std::uint64_t floats = 4 * rows * static_cast<std::uint64_t>(model.columns()) +
                               3 * rows * model.classes.size() +
                               activations * width * (together + model.labels.size()) + stored(shape, model, together);
  context.memory.require(floats * sizeof(float), "predict", "points and activations", "predict fewer rows at a time");
}

double share_right(const Model& model, const io::Dataset& data, const std::vector<std::int64_t>& winner) {
  if (!data.labelled()) return std::numeric_limits<double>::quiet_NaN();
  std::int64_t right = 0;
  for (std::size_t i = 0; i < winner.size(); ++i) {
    const std::string& truth = data.classes[static_cast<std::size_t>(data.labels[i])];
    if (model.classes[static_cast<std::size_t>(winner[i])] == truth) ++right;
  }
  return static_cast<double>(right) / static_cast<double>(data.rows);
}

}  // namespace

Predictions predict(const Model& model, const io::Dataset& data, const Context& context) {
  require(data.rows >= 1, Fault::input, "[predict] expected at least 1 row, found none ({})", data.source);
  require_memory(model, data, context);
  const OneThread one_thread;
  const at::NoGradGuard no_gradient;
  const auto network = network_of(model);
  const at::Tensor points = points_for(model, data);
  const at::Tensor tokens = points_of(model.tokens, model.labels, model.columns()).values;
  const at::Tensor result =
      model.protocol.attend == Attend::train
          ? logits_beside_tokens(*network, tokens, points, context)
          : logits(*network, model.protocol.attend, model.protocol.batch, tokens, points);
  if (const at::Tensor wrong = at::isfinite(result).all(1).logical_not(); wrong.any().item<bool>())
    fail(Fault::input, "[predict] expected rows that the network can take, found row {} whose outputs are not finite: its values are too far from the training data ({})",
         at::argmax(wrong.to(at::kInt), 0).item<std::int64_t>() + 1, data.source);
  const at::Tensor probability = at::softmax(result, 1).contiguous(), winner = at::argmax(result, 1).contiguous();

  Predictions predictions;
  predictions.rows = data.rows;
  predictions.classes = static_cast<std::int64_t>(model.classes.size());
  predictions.probability.assign(probability.data_ptr<float>(), probability.data_ptr<float>() + probability.numel());
  predictions.winner.assign(winner.data_ptr<std::int64_t>(), winner.data_ptr<std::int64_t>() + winner.numel());
  predictions.accuracy = share_right(model, data, predictions.winner);
  return predictions;
}

}  // namespace calor::learn

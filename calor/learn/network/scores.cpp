#include "calor/learn/network/scores.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/full.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/median.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/std.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "bindings/torch/attention.h"

namespace calor::learn {
namespace {

constexpr double leak = 0.2;  // of the additive score: Velickovic et al. 2018

// Differences formed before they are squared: equal points are at distance 0, not at a rounding of it.
at::Tensor squared_distances(const Features& features) {
  constexpr std::int64_t no_product = 2;
  return at::cdist(features.query, features.key, 2.0, no_product).square();
}

at::Tensor additive_scores(const Features& features) {
  return at::leaky_relu(features.query + features.key.t(), leak);
}

at::Tensor stored_scores(Pairing pairing, const Features& features) {
  if (pairing != Pairing::squared_distance) return scores_up_to_rows(pairing, features);
  // A common centre is subtracted first: no distance changes with it, and an offset costs no digits.
  const at::Tensor centre = features.key.detach().mean(0);
  const at::Tensor query = features.query - centre, key = features.key - centre;
  return query.matmul(key.t()) * 2 - key.square().sum(1) - query.square().sum(1, /*keepdim=*/true);
}

Mean streamed_mean(Pairing pairing, const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                   const at::Tensor& factor, const at::Tensor& bias) {
  torch_ops::AttentionOptions options;
  options.score = pairing == Pairing::dot ? kernels::Score::dot : kernels::Score::squared_distance;
  if (bias.defined()) options.bias = bias.unsqueeze(0).unsqueeze(0);
  const auto head = [](const at::Tensor& rows) { return rows.reshape({1, 1, rows.size(0), rows.size(1)}); };
  const at::Tensor queries = head(query), keys = key.is_same(query) ? queries : head(key);
  const auto [out, log_sum_exp] = torch_ops::attention(queries, keys, head(value), factor, options);
  return {out.view({query.size(0), value.size(1)}), log_sum_exp.view({query.size(0)})};
}

at::Tensor streamed_sums(Pairing pairing, const at::Tensor& query, const at::Tensor& key, const at::Tensor& factor,
                         const at::Tensor& bias) {
  const at::Tensor nothing = at::zeros({key.size(0), 1}, key.options());
  return streamed_mean(pairing, query, key, nothing, factor, bias).log_sum_exp;
}

// Of scores that are all 0 every row is the same, and no pair need be formed.
bool all_alike(const Features& features) { return features.key.size(1) == 0; }

at::Tensor sum_of_alike(std::int64_t rows, const at::Tensor& keys, const at::Tensor& bias) {
  const at::Tensor sum = bias.defined() ? at::logsumexp(bias, {0}) : at::full({}, std::log(static_cast<double>(keys.size(0))), keys.options());
  return sum.expand({rows});
}

Mean mean_of_alike(std::int64_t rows, const at::Tensor& value, const at::Tensor& bias) {
  const at::Tensor row = bias.defined() ? at::softmax(bias, 0).matmul(value) : value.mean(0);
  return {row.expand({rows, value.size(1)}), sum_of_alike(rows, value, bias)};
}

at::Tensor shifted(const at::Tensor& scores, const at::Tensor& log_factor) {
  return log_factor.defined() ? scores + log_factor : scores;
}

}  // namespace

Scores::Scores(Pairing pairing, const Features& features, const at::Tensor& factor, bool stored)
    : pairing_(pairing), features_(features), factor_(factor) {
  if (stored || pairing == Pairing::additive) stored_ = stored_scores(pairing, features) * factor;
}

at::Tensor Scores::log_row_sums(const at::Tensor& log_column) const {
  if (!stored_.defined() && all_alike(features_)) return sum_of_alike(features_.query.size(0), features_.key, log_column);
  if (!stored_.defined()) return streamed_sums(pairing_, features_.query, features_.key, factor_, log_column);
  return at::logsumexp(shifted(stored_, log_column), {1});
}

at::Tensor Scores::log_column_sums(const at::Tensor& log_row) const {
  // Both streamed scores are the same with the sides exchanged.
  if (!stored_.defined() && all_alike(features_)) return sum_of_alike(features_.key.size(0), features_.query, log_row);
  if (!stored_.defined()) return streamed_sums(pairing_, features_.key, features_.query, factor_, log_row);
  return at::logsumexp(shifted(stored_.t(), log_row), {1});
}

Mean Scores::mean(const at::Tensor& log_column, const at::Tensor& value) const {
  if (!stored_.defined() && all_alike(features_)) return mean_of_alike(features_.query.size(0), value, log_column);
  if (!stored_.defined()) return streamed_mean(pairing_, features_.query, features_.key, value, factor_, log_column);
  const at::Tensor logs = shifted(stored_, log_column);
  const at::Tensor log_sum_exp = at::logsumexp(logs, {1}, /*keepdim=*/true);
  return {(logs - log_sum_exp).exp().matmul(value), log_sum_exp.squeeze(1)};
}

at::Tensor scores_up_to_rows(Pairing pairing, const Features& features) {
  switch (pairing) {
    case Pairing::dot: return features.query.matmul(features.key.t());
    case Pairing::additive: return additive_scores(features);
    case Pairing::squared_distance: break;
  }
  const at::Tensor centre = features.key.mean(0), centred = features.key - centre;
  return (features.query - centre).matmul(centred.t()) * 2 - centred.square().sum(1);
}

at::Tensor own_scores(Pairing pairing, const Features& own, const at::Tensor& factor) {
  switch (pairing) {
    case Pairing::dot: return (own.query * own.key).sum(1) * factor.squeeze();
    case Pairing::additive: return at::leaky_relu(own.query + own.key, leak).squeeze(1) * factor.squeeze();
    case Pairing::squared_distance: break;
  }
  return (own.query - own.key).square().sum(1).neg() * factor.squeeze();
}

double factor_of_spread(Pairing pairing, const Features& features) {
  double spread = 0;
  if (pairing != Pairing::squared_distance) {
    spread = at::std(scores_up_to_rows(pairing, features).flatten()).item<double>();
  } else {
    // The zero distances of points to themselves are no spread.
    const at::Tensor distances = squared_distances(features);
    const at::Tensor positive = distances.masked_select(distances > 0);
    spread = positive.numel() > 0 ? at::median(positive).item<double>() : 0.0;
  }
  return std::isfinite(spread) && spread > 0 ? 1.0 / spread : 1.0;
}

}  // namespace calor::learn

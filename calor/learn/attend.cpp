#include "calor/learn/attend.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/logaddexp.h>
#include <ATen/ops/median.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/std.h>
#include <ATen/ops/xlogy.h>

#include <cmath>

#include "bindings/torch/attention.h"

namespace calor::learn {
namespace {

// Scores at factor 1, less what is constant in a row (a softmax does not see it).  Centred, so an offset costs no digits.
at::Tensor scores_up_to_rows(kernels::Score score, const at::Tensor& query, const at::Tensor& key) {
  if (score == kernels::Score::dot) return query.matmul(key.t());
  const at::Tensor centre = key.mean(0), centred = key - centre;
  return (query - centre).matmul(centred.t()) * 2 - centred.square().sum(1);
}

// Differences formed before they are squared: equal points are at distance 0, not at a rounding of it.
at::Tensor squared_distances(const at::Tensor& query, const at::Tensor& key) {
  constexpr std::int64_t no_product = 2;
  return at::cdist(query, key, 2.0, no_product).square();
}

at::Tensor own_scores(kernels::Score score, const Features& own) {
  if (score == kernels::Score::dot) return (own.query * own.key).sum(1);
  return (own.query - own.key).square().sum(1).neg();
}

}  // namespace

Attended attend(kernels::Score score, const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                const at::Tensor& factor) {
  torch_ops::AttentionOptions options;
  options.score = score;
  const auto head = [](const at::Tensor& rows) { return rows.unsqueeze(0).unsqueeze(0); };
  const auto [out, log_sum_exp] = torch_ops::attention(head(query), head(key), head(value), factor, options);
  return {out.squeeze(0).squeeze(0), log_sum_exp.squeeze(0).squeeze(0)};
}

at::Tensor with_own_key(kernels::Score score, const Attended& attended, const Features& own, const at::Tensor& own_value,
                        const at::Tensor& factor) {
  const at::Tensor own_score = own_scores(score, own) * factor.squeeze();
  const at::Tensor total = at::logaddexp(attended.log_sum_exp, own_score);
  return attended.out * (attended.log_sum_exp - total).exp().unsqueeze(1) +
         own_value * (own_score - total).exp().unsqueeze(1);
}

at::Tensor attention_rows(kernels::Score score, const at::Tensor& query, const at::Tensor& key,
                          const at::Tensor& factor) {
  return at::softmax(scores_up_to_rows(score, query, key) * factor.squeeze(), 1);
}

double effective_share(const at::Tensor& rows) {
  const at::Tensor entropy = at::xlogy(rows, rows).sum(1).neg();
  return entropy.exp().mean().item<double>() / static_cast<double>(rows.size(1));
}

double factor_of_spread(kernels::Score score, const at::Tensor& query, const at::Tensor& key) {
  double spread = 0;
  if (score == kernels::Score::dot) {
    spread = at::std(scores_up_to_rows(score, query, key).flatten()).item<double>();
  } else {
    // The zero distances of points to themselves are no spread.
    const at::Tensor distances = squared_distances(query, key);
    const at::Tensor positive = distances.masked_select(distances > 0);
    spread = positive.numel() > 0 ? at::median(positive).item<double>() : 0.0;
  }
  return std::isfinite(spread) && spread > 0 ? 1.0 / spread : 1.0;
}

}  // namespace calor::learn

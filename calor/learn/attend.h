// What tokens receive from tokens: the streamed attention of bindings/torch for one head and no batch, and what prediction
// and reports need beside it.
#pragma once

#include <ATen/core/Tensor.h>

#include "calor/learn/score.h"

namespace calor::learn {

struct Attended {
  at::Tensor out;          // [queries, value width]
  at::Tensor log_sum_exp;  // [queries]: of the scores
};

// query [n, d], key [m, d], value [m, w], factor [1, 1]; differentiable; memory O((n + m) (d + w)).
Attended attend(kernels::Score score, const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                const at::Tensor& factor);

// The same, had every query i one more key and value of its own (row i of `own` and `own_value`): the two softmaxes merge
// through their log-sum-exps, so no mask and no queries x queries matrix is needed.  Returns [queries, value width].
at::Tensor with_own_key(kernels::Score score, const Attended& attended, const Features& own, const at::Tensor& own_value,
                        const at::Tensor& factor);

// The softmax itself, materialised: [queries, keys].  For samples of rows that a report shows.
at::Tensor attention_rows(kernels::Score score, const at::Tensor& query, const at::Tensor& key, const at::Tensor& factor);

// Mean over the rows of exp(entropy) / keys: 1 when every key weighs the same, 1/keys when each row has one key only.
double effective_share(const at::Tensor& rows);

// One over the spread of the scores at factor 1: 1 / median squared distance between distinct tokens, or 1 / deviation of
// the dot products; 1 when there is no spread.
double factor_of_spread(kernels::Score score, const at::Tensor& query, const at::Tensor& key);

}  // namespace calor::learn

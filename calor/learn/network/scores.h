// The scores of all pairs of tokens, read through sums: streamed by the fused kernel, or stored where that is asked for.
#pragma once

#include <ATen/core/Tensor.h>

#include "calor/learn/network/score_kind.h"

namespace calor::learn {

// The softmax mean of values over the keys, and the logarithm of what it was divided by.
struct Mean {
  at::Tensor out;          // [queries, value width]
  at::Tensor log_sum_exp;  // [queries]
};

// s_ij = factor * score(query_i, key_j).  Everything is differentiable, in float or double.
class Scores {
 public:
  // features: query [n, ..], key [m, ..]; factor [1, 1].  Streamed, each function is a pass of the kernel and nothing n x m
  // exists, and of features without numbers no pass either; stored, one n x m matrix is formed here and each function is made of
  // torch operators.  Additive pairs have no kernel: they are always stored.
  Scores(Pairing pairing, const Features& features, const at::Tensor& factor, bool stored);

  // log sum_j exp(s_ij + log_column_j) [n], and log sum_i exp(s_ij + log_row_i) [m].  An undefined factor: all 0.
  at::Tensor log_row_sums(const at::Tensor& log_column) const;
  at::Tensor log_column_sums(const at::Tensor& log_row) const;

  // sum_j exp(s_ij + log_column_j) value_j, over the sum of the same without values.  value [m, w].
  Mean mean(const at::Tensor& log_column, const at::Tensor& value) const;

 private:
  Pairing pairing_;
  Features features_;
  at::Tensor factor_, stored_;
};

// Scores at factor 1 as a matrix [n, m], less what is constant in a row: a softmax does not see it.
at::Tensor scores_up_to_rows(Pairing pairing, const Features& features);

// s_ii for as many queries as keys: [n].
at::Tensor own_scores(Pairing pairing, const Features& own, const at::Tensor& factor);

// One over the spread of the scores at factor 1: 1 / median squared distance between distinct tokens, or 1 / deviation of
// other scores; 1 when there is no spread.
double factor_of_spread(Pairing pairing, const Features& features);

}  // namespace calor::learn

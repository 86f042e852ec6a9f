// Rows' weighted means of a record that the streamed attention kernel computes: exponentials of products or squared distances over all pairs of points.
#pragma once

#include <optional>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/matrix.h"
#include "calor/engine/record.h"
#include "calor/kernels/attention.h"

namespace calor::engine {

// The record as an attention problem of one head with values of `width`, without values and scale; nothing where that has no such score.
std::optional<kernels::AttentionParams<double>> as_attention(const Similarity& similarity, std::int64_t width);

// The rows' means, in double.
Matrix attention_means(kernels::AttentionParams<double> problem, const Similarity& similarity, const Matrix& values, const Context& context);

// The same in float, for values in [0, 1].  A row's means are those in double times 1 +- error[row], where they are at least `least`: scores err by the rounding of
// centred points and of their products, 2 (d + 8) u (|q| + max|k|) max|k| / scale, biases by 3 u |bias|, exponentials by 64 u, and a sum of n numbers of one sign by n u,
// where u = 2^-24; weights below 2^-126 of a row's largest are lost.  Points are in units of the largest key's norm, so that no scale is out of float's range that means
// anything; nothing where one is.  About 3.5 times as fast as in double.
struct FloatMeans {
  Matrix means;
  Vector error;
  double least = 0;
};
std::optional<FloatMeans> attention_means_in_float(kernels::AttentionParams<double> problem, const Similarity& similarity, const Matrix& values, const Context& context);

// The means of shares of classes, enough of them to tell each row's largest as the means in double do: in float where there are more than 5,000 keys, and again in
// double for the rows whose two largest are within their errors, or for all where those are more than a third.  `again` becomes how many those are, -1 where all
// were in double from the start.
Matrix class_means(const Similarity& similarity, const Matrix& classes, const Context& context, std::int64_t& again);

}  // namespace calor::engine

// Scores: what "similar" means.  This file is the only one that knows metrics; the rest of the room sees a score as
//
//   s_ij = scale * similarity(q_i, k_j) + bias_j,   similarity = product * q.k + norm * (|q|^2 + |k|^2)
//
// so that a tile of scores is one matrix product plus a term per key and a term per row, and the gradients are those of
// the product plus row and column sums of dS (see gradients below).  A new score is a new struct with these members.
#pragma once

#include <concepts>
#include <cstdint>

#include "calor/kernels/attention.h"

namespace calor::kernels {

// similarity() and add_gradient() are the definition, in double and by explicit differences where there are any;
// product, norm and centred say how to expand it.  A centred score is translation invariant: its points may be taken
// relative to any common centre, which is what saves the digits of the expanded form.
//
// Gradients of a loss with dS = dLoss/ds, row sums r_i and column sums c_j of dS:
//   dQ_i = scale * (product * (dS K)_i  + 2 norm r_i q_i)
//   dK_j = scale * (product * (dS' Q)_j + 2 norm c_j k_j)
//   d_scale = product * sum_i q_i.(dS K)_i + norm * (sum_i r_i |q_i|^2 + sum_j c_j |k_j|^2)
template <class S>
concept SimilarityScore = requires(const double* x, double* gradient, std::int64_t dim) {
  { S::product } -> std::convertible_to<double>;
  { S::norm } -> std::convertible_to<double>;
  { S::centred } -> std::convertible_to<bool>;
  { S::similarity(x, x, dim) } -> std::same_as<double>;
  S::add_gradient(x, x, dim, 0.0, gradient, gradient);
};

struct DotScore {
  static constexpr double product = 1, norm = 0;
  static constexpr bool centred = false;

  template <class T>
  static double similarity(const T* q, const T* k, std::int64_t dim) {
    double sum = 0;
    for (std::int64_t c = 0; c < dim; ++c) sum += static_cast<double>(q[c]) * k[c];
    return sum;
  }

  template <class T>
  static void add_gradient(const T* q, const T* k, std::int64_t dim, double gradient, double* d_q, double* d_k) {
    for (std::int64_t c = 0; c < dim; ++c) {
      d_q[c] += gradient * k[c];
      d_k[c] += gradient * q[c];
    }
  }
};

struct SquaredDistanceScore {  // similarity = -|q - k|^2
  static constexpr double product = 2, norm = -1;
  static constexpr bool centred = true;

  template <class T>
  static double similarity(const T* q, const T* k, std::int64_t dim) {
    double sum = 0;
    for (std::int64_t c = 0; c < dim; ++c) {
      const double difference = static_cast<double>(q[c]) - k[c];
      sum -= difference * difference;
    }
    return sum;
  }

  template <class T>
  static void add_gradient(const T* q, const T* k, std::int64_t dim, double gradient, double* d_q, double* d_k) {
    for (std::int64_t c = 0; c < dim; ++c) {
      const double pull = 2 * gradient * (static_cast<double>(k[c]) - q[c]);
      d_q[c] += pull;
      d_k[c] -= pull;
    }
  }
};

static_assert(SimilarityScore<DotScore> && SimilarityScore<SquaredDistanceScore>);

// Calls f(DotScore{}) or f(SquaredDistanceScore{}): the one place where the run-time choice becomes a type.
template <class F>
decltype(auto) with_score(Score score, F&& f) {
  return score == Score::dot ? f(DotScore{}) : f(SquaredDistanceScore{});
}

}  // namespace calor::kernels

// One attention head as its trained weights define it: where tokens are mapped to, how they are compared, what flows.
//
//   q_i = query(x_i),  k_j = key(x_j),  v_j = value(x_j)           features; with rotary, q and k turned by their positions
//   s_ij = scale q_i.k_j                                            Pairing::dot
//   s_ij = -scale |q_i - k_j|^2                                     Pairing::squared_distance
//   s_ij = scale LeakyReLU(q_i + k_j)                               Pairing::additive (features of one number)
//   S_ij = exp(s_ij + log_column_j - lse_i),  out_i = sum_j S_ij v_j               causal: j <= i
//
// log_column is 0 but for the normalisations of normalisers.h.
//
// The tokens x are in the coordinates in which the head is a function of them alone: behind a normalisation layer they are
// the normalised tokens, and its gain and bias are part of the maps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/matrix.h"
#include "calor/engine/normaliser.h"

namespace calor::inspect {

using engine::Matrix;
using engine::Vector;

enum class Pairing { dot, squared_distance, additive };

// x -> weight x + bias: outputs x inputs.  An empty bias is 0.
struct AffineMap {
  Matrix weight;
  Vector bias;
  Matrix operator()(const Matrix& tokens) const;  // rows are tokens
};

// This map after `first`: x -> weight (gain o x + offset) + bias, which is how a normalisation's gain and bias enter a head.
AffineMap after_gain(const AffineMap& map, const Vector& gain, const Vector& offset);

// phi(x) = x + out tanh(hidden x + b1) + b2, on both sides of a score: metric-attention.
struct LearnedMetric {
  AffineMap hidden, out;
  Matrix operator()(const Matrix& tokens) const;
};

// Turns the pairs (2c, 2c + 1) of row p by the angle p base^(-2c/width); `inverse` turns back.
void rotate_by_position(Matrix& features, double base, bool inverse = false);

using engine::Normaliser;

struct Head {
  Pairing pairing = Pairing::dot;
  double scale = 1;
  AffineMap query, key, value;  // query and key are unused with a learned metric
  bool learned_metric = false;
  LearnedMetric metric;
  double rotary_base = 0;       // 0: no rotary positions
  bool causal = false;
  std::vector<Normaliser> normalise;  // the stages between exp and a row normalisation at the end
  bool row_last = true;         // rows are made to add up to 1 after them; else they do so by sinkhorn, as far as it went
  static constexpr double leak = 0.2;  // of LeakyReLU (Velickovic et al. 2018)

  bool bilinear() const { return pairing != Pairing::additive; }
  // The factor c of the doubly centred score Jc = c (J Q)(J K)': scale, or 2 scale for a squared distance.
  double product_factor() const { return pairing == Pairing::squared_distance ? 2 * scale : scale; }
};

struct Features {
  Matrix query, key, value;     // N x r, N x r, N x v
  Vector log_column, row_sums;  // N; empty: 0 and 1.  What the model multiplies row i of S by is row_sums_i
};

// Throws Fault::input for tokens whose width the head does not have.
Features features_of(const Head& head, const Matrix& tokens, const Context& context = Context());

}  // namespace calor::inspect

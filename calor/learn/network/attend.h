// What tokens receive from tokens: exp of the scores, normalised stage by stage, applied to the values.
//
// The stages of a pipeline between exp and apply edit the two factors of a pair's weight, and nothing else (engine/normalise.h); sinkhorn
// takes a fixed number of iterations, each part of the gradient.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "calor/engine/normalise.h"
#include "calor/engine/normaliser.h"
#include "calor/learn/network/score_kind.h"
#include "calor/learn/network/scores.h"

namespace calor::learn {

using engine::Normaliser;

// What a layer makes of its tokens before they attend.
struct LayerInput {
  Features features;
  at::Tensor value;  // H V
};

// How the tokens of a layer attend.
struct Attention {
  const ScoreKind* score;
  std::vector<Normaliser> normalise;  // at least one
  std::int64_t heads = 1;             // side by side, one after the other
};

// Of tokens [n]; undefined: all 0.
using Factors = engine::Factors<at::Tensor>;

struct Attended {
  at::Tensor out;                // [tokens, value width]
  // Before each normaliser, and what the values were applied with; a row normalisation at the end needs no factor of its own.
  std::vector<Factors> factors;
};

// Tokens attend to each other.  Differentiable; factor [1, 1].  Passes of the fused kernel in O(tokens) memory, but
// stored_numbers() for an additive score and for sinkhorn.
Attended attend(const Attention& attention, const LayerInput& tokens, const at::Tensor& factor);

// Each point attends to the tokens and to itself, as if it were one more of them, while the tokens keep the factors that
// they have among themselves: a point's result depends on no other point, and changes no token's.  [points, value width].
at::Tensor attend_beside(const Attention& attention, const LayerInput& tokens, const std::vector<Factors>& factors,
                         const LayerInput& points, const at::Tensor& factor);

// The weights of the tokens `rows`, each row divided by its sum: [rows, tokens].  For samples that a report shows.
at::Tensor attention_rows(const Attention& attention, const LayerInput& tokens, const std::vector<Factors>& factors,
                          const at::Tensor& factor, const at::Tensor& rows);

// Up to 16 MiB of scores in float, sinkhorn's many sums are taken from a stored matrix, where the kernel would form the scores
// again for each.
inline constexpr std::int64_t most_stored_pairs = std::int64_t{1} << 22;

// Numbers that attending of so many queries to so many keys stores beyond O(queries + keys); with those that a gradient needs, of all heads.
std::int64_t stored_numbers(const Attention& attention, std::int64_t queries, std::int64_t keys, bool gradient);

// Sums over all pairs that attending takes, its cost in units of one.
std::int64_t passes(const Attention& attention);

// Rows whose weights are formed to measure how many keys they attend to.
inline constexpr std::int64_t share_rows = 256;

// Mean over the rows of exp(entropy) / keys: 1 when every key weighs the same, 1/keys when each row has one key only.
double effective_share(const at::Tensor& rows);

}  // namespace calor::learn

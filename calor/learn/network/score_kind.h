// The scores a layer can have: one entry each in a table, and nothing else knows them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace calor::learn {

// A parameter to create: its elements start uniform in +-1/sqrt(fan_in), torch's default for linear layers.
struct ParameterSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t fan_in = 1;
};

// What the tokens are compared by: query side and key side, each [tokens, any width]; of width 0 all compare alike.
struct Features {
  at::Tensor query, key;
};

// How features are compared: q.k, -|q - k|^2, or LeakyReLU(q + k) of single numbers.
enum class Pairing { dot, squared_distance, additive };

struct ScoreKind {
  std::string name;  // in an attention's score(..)
  Pairing pairing;
  bool symmetric;    // the same from x to y as from y to x
  std::vector<ParameterSpec> (*parameters)(std::int64_t width);
  // parameters: in the order declared; tokens [n, width].
  Features (*features)(std::span<const at::Tensor> parameters, const at::Tensor& tokens);
  double (*fixed_factor)(std::int64_t width);  // Temperature::fixed
  bool tempered;                               // false: a factor changes nothing
};

// By its name in score(..): "qk", of a network "dot", ...  Throws Fault::usage for another name.
const ScoreKind& score_kind(const std::string& name);

}  // namespace calor::learn

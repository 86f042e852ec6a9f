// The metric propagator: attention to labelled points under a learned metric.  A trained one is a map of points and three
// things about its keys, so prediction is the pipeline distance(2, to=train) | exp | two_side(alpha, of=keys) | row | vote on
// mapped points, and which labelled rows decided is read off its weights.
//
//   z = (x - offset) projection,  phi(z) = R z + W2 relu(W1 z + b1)
//   p(class c | x) = sum over keys j of class c of w_j / sum of all w_j,  w_j = exp(-temperature |phi(z) - key_j|^2) q_j^-alpha
//   value of x = sum over keys j of w_j t_j / sum of all w_j
//   q_j = sum over k != j of exp(-temperature |key_j - key_k|^2)
//
// Nadaraya 1964, Watson 1964; learned as neighbourhood components: Goldberger, Roweis, Hinton & Salakhutdinov 2005; the density
// exponent: Coifman & Lafon 2006.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/evidence.h"
#include "calor/engine/matrix.h"
#include "calor/io/missing.h"

namespace calor::learn {

struct Propagator {
  std::string version, input_hash, data_name, label;
  std::uint64_t seed = 0;
  std::vector<std::string> features, classes;
  io::Coding coding;    // how columns of a file become the features
  io::Filling filling;  // what is done about missing values

  engine::Matrix offset;      // 1 x columns
  engine::Matrix projection;  // columns x width: standardisation, principal axes of wide data, and one scale for all
  engine::Matrix residual, first, first_bias, second;  // R: width x width; W1: hidden x width; b1: 1 x hidden; W2: width x hidden
  double temperature = 1, alpha = 0;

  engine::Matrix keys;               // phi of the training rows: rows x width
  engine::Vector log_density;        // log q of each key
  std::vector<std::int64_t> labels;    // class of each key; or
  engine::Vector targets;            // its value
  std::vector<std::int64_t> rows;      // its row in the data trained on, from 0

  bool measured() const { return classes.empty(); }  // predicts values, not classes

  // phi of points in the data's columns: rows x width.
  engine::Matrix embed(const engine::Matrix& points) const;
};

// `keys` as similarity columns, and the log densities under the temperature.  One pass over pairs of keys.
engine::Vector log_key_density(const engine::Matrix& keys, double temperature, const Context& context);

struct Propagated {
  engine::Matrix probability;                           // points x classes; each row adds up to 1
  engine::Vector values;                                // of a model of values, instead
  std::vector<std::vector<engine::Evidence>> evidence;  // the keys that weighed most, by their row in the data trained on
};

// Probabilities or values of new points, with so many keys of evidence each.  O(points keys width) time, O((points + keys) width) memory;
// same bits for any number of threads.
Propagated propagate(const Propagator& model, const engine::Matrix& points, std::int64_t evidence, const Context& context);

// One safetensors file of F64 tensors.  Throws Fault::input.
void save_propagator(const std::string& path, const Propagator& model);
// Throws Fault::input: "[model] expected ..., found ... (path)" for another kind of file, damaged tensors, values not finite.
Propagator load_propagator(const std::string& path);

}  // namespace calor::learn

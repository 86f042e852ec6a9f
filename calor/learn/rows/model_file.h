// A trained network as one self-contained safetensors file: weights, preprocessing, classes, and the training tokens that
// prediction attends to.  Opens with the Python `safetensors` package.
//
// Tensors: network.<parameter> F32; preprocessing.mean and preprocessing.deviation [columns] F64; tokens.values [kept,
// columns] F32, preprocessed, and tokens.labels [kept] I64.  Metadata (texts; JSON where they hold more than a word): kind,
// schema, version, attention, pipeline, network, protocol, seed, input_hash, data, label, features, classes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "calor/learn/data/preprocess.h"
#include "calor/learn/rows/protocol.h"

namespace calor::learn {

// A named parameter, row-major.
struct Weight {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

struct Model {
  std::string attention;               // "self", "l2", "metric", "uniform", a pipeline, or a network's name
  std::string pipeline;                // "score(metric) | exp | row | apply", or the network's
  std::string network;                 // the whole network; "" of the first files: the attention's in the information propagation network
  Protocol protocol;                   // resolved
  std::uint64_t seed = 0;
  std::string version, input_hash;     // of Calor, and of the data trained on
  std::string data_name;
  std::vector<std::string> features;   // names, one per column
  io::Coding coding;                   // how columns of a file become them
  io::Filling filling;                 // what is done about missing values
  std::string label;                   // the label column's name
  std::vector<std::string> classes;
  Standardisation standardisation;     // identity when the protocol does not standardise
  std::vector<float> tokens;           // kept training rows x columns, standardised
  std::vector<std::int64_t> labels;    // of the kept rows
  std::map<std::string, Weight> weights;
  std::int64_t columns() const { return static_cast<std::int64_t>(features.size()); }
};

// Written beside the target, then renamed.  Throws Fault::input.
void save_model(const std::string& path, const Model& model);

// Throws Fault::input: "[model] expected ..., found ... (path): remedy" for another kind of file, a newer schema, a missing
// or misshapen tensor, or values that are not finite.
Model load_model(const std::string& path);

}  // namespace calor::learn

// A network trained on the nodes of a graph as one file, and the classes of nodes of that graph or another.
//
// A safetensors file of kind "calor node network".  Tensors: network.<weight> F32; preprocessing.mean and preprocessing.deviation [columns] F64 where features are
// standardised, preprocessing.edge_mean and edge_deviation [edge features] F64 where the network takes those.  Metadata (texts; JSON where they hold more than a word): kind, schema, version, name, pipeline, scale, columns, features, edge_features, classes, label, coding, missing, seed, input_hash, data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/node_dataset.h"
#include "calor/learn/data/standardisation.h"
#include "calor/learn/nodes/protocol.h"
#include "calor/learn/rows/predict.h"

namespace calor::learn {

struct NodeModel {
  std::string name, pipeline;  // "gat heads=4", and its stages in full
  std::string version, input_hash, data_name;
  std::uint64_t seed = 0;
  std::int64_t columns = 0;
  std::vector<std::string> features;  // names of the columns; empty where the data had none
  std::vector<std::string> classes;
  std::string label;  // of a table of nodes: the label's column, how columns became features, and what replaces missing values
  io::Coding coding;
  io::Filling filling;
  FeatureScale scale = FeatureScale::untouched;
  Standardisation standardisation;  // of that scale alone
  std::vector<std::string> edge_features;  // names of the edges' numbers; empty where the network takes none
  Standardisation edge_standardisation;
  std::vector<float> weights;       // flat, in the order of the network's specs
};

struct NodeTraining {
  NodeModel model;
  double train_accuracy = 0, validation_accuracy = 0, test_accuracy = 0;
  double rate = 0, decay = 0;  // chosen by validation
  std::int64_t epoch = 0, parameters = 0, train = 0, validation = 0, test = 0;
  std::vector<double> shares;  // as NodeNetwork::shares
};

// Trains one network with one seed.  Throws Fault::usage, Fault::input, Fault::memory, Fault::interrupted.
NodeTraining train_nodes(const io::NodeDataset& data, const std::string& pipeline, const NodeProtocol& protocol, std::uint64_t seed, const Context& context);

// Written beside the target, then renamed.  Throws Fault::input.
void save_node_model(const std::string& path, const NodeModel& model);

// Throws Fault::input: "[model] expected ..., found ... (path)" for another kind of file, a newer schema, a missing or misshapen tensor, or values
// that are not finite.
NodeModel load_node_model(const std::string& path);

// Every node of the data, whose labels (by the model's class names) tell the accuracy.  Columns are matched by name where both have names, else by
// position.  Throws Fault::input for other columns.
Predictions predict_nodes(const NodeModel& model, const io::NodeDataset& data, const Context& context);

}  // namespace calor::learn

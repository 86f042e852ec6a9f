#include "calor/learn/nodes/model.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/io/stored_tensor.h"
#include "calor/learn/nodes/run.h"
#include "calor/learn/train/saved_model.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {
namespace {

using nlohmann::json;

constexpr int schema = 1;

// A network's weights have their places by its text, columns and classes alone: a graph of no edges tells them.
std::vector<WeightSpec> specs_of(const NodeModel& model, const Context& context) {
  auto empty = std::make_shared<pipeline::Data>();
  empty->features = std::make_shared<const engine::Matrix>(1, 0);
  empty->graph = std::make_shared<const engine::Csr>(engine::from_edges(1, 1, {}));
  NodeFeatures features;
  features.dense = at::zeros({1, model.columns}, at::kFloat);
  features.columns = model.columns;
  Domain domain{empty};
  domain.edges = std::make_shared<const EdgeFeatures>(EdgeFeatures{*empty->graph, at::zeros({0, static_cast<std::int64_t>(model.edge_features.size())}, at::kDouble)});
  return NodeNetwork(model::network_of(model.pipeline), domain, features, static_cast<std::int64_t>(model.classes.size()), 0, context).specs();
}

bool finite(const auto& numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](auto number) { return std::isfinite(number); });
}

NodeModel model_of(const io::Safetensors& content) {
  NodeModel model;
  read_origin(content, schema, model);
  model.name = entry(content, "name");
  model.pipeline = entry(content, "pipeline");
  model.columns = json::parse(entry(content, "columns")).get<std::int64_t>();
  if (content.metadata.contains("label")) read_table(content, true, model);
  else model.features = json::parse(entry(content, "features")).get<std::vector<std::string>>();  // as the first such models were written
  model.scale = parse_feature_scale(entry(content, "scale"));
  require(model.scale != FeatureScale::automatic, Fault::input, "[model] expected the scale rows, standardised or untouched, found {}", entry(content, "scale"));
  constexpr std::int64_t most_columns = 1 << 24;
  require(model.columns >= 0 && model.columns <= most_columns && (model.features.empty() || static_cast<std::int64_t>(model.features.size()) == model.columns) && model.classes.size() >= 2,
          Fault::input, "[model] expected columns with as many names, and at least 2 classes, found {}, {} and {}", model.columns, model.features.size(), model.classes.size());
  if (model.scale == FeatureScale::standardised) {
    model.standardisation = {io::restored<double>(content, "preprocessing.mean", 1, "model"), io::restored<double>(content, "preprocessing.deviation", 1, "model")};
    for (const auto* numbers : {&model.standardisation.mean, &model.standardisation.deviation})
      require(static_cast<std::int64_t>(numbers->size()) == model.columns && finite(*numbers), Fault::input, "[model] expected a finite mean and deviation of each of {} columns, found others",
              model.columns);
  }
  if (content.metadata.contains("edge_features")) {
    model.edge_features = json::parse(entry(content, "edge_features")).get<std::vector<std::string>>();
    model.edge_standardisation = {io::restored<double>(content, "preprocessing.edge_mean", 1, "model"), io::restored<double>(content, "preprocessing.edge_deviation", 1, "model")};
    for (const auto* numbers : {&model.edge_standardisation.mean, &model.edge_standardisation.deviation})
      require(numbers->size() == model.edge_features.size() && !numbers->empty() && finite(*numbers), Fault::input,
              "[model] expected a finite mean and deviation of each of {} edge features, found others", model.edge_features.size());
  }
  require(model.edge_features.empty() != model::network_of(model.pipeline).edge_features, Fault::input, "[model] expected edge features where the network takes them, found {}", model.edge_features.size());
  model.weights = restored_weights(content, specs_of(model, Context()));
  return model;
}

// The model's columns of the data.
io::NodeDataset matched(const NodeModel& model, const io::NodeDataset& data) {
  io::NodeDataset result = data;
  if (model.features.empty() || data.feature_names.empty() || model.features == data.feature_names) {
    require(data.features.columns == model.columns, Fault::input, "[predict] expected {}, as the model was trained on, found {}", counted(model.columns, "feature"), data.features.columns);
    return result;
  }
  std::vector<std::int32_t> place(data.feature_names.size(), -1);
  std::vector<std::string> missing;
  for (std::size_t c = 0; c < model.features.size(); ++c) {
    const auto found = std::find(data.feature_names.begin(), data.feature_names.end(), model.features[c]);
    if (found == data.feature_names.end()) missing.push_back(model.features[c]);
    else place[static_cast<std::size_t>(found - data.feature_names.begin())] = static_cast<std::int32_t>(c);
  }
  require(missing.empty(), Fault::input, "[predict] expected the model's features, found no {}: give data with these columns", list_names(missing, 10));
  result.features.columns = model.columns;
  result.features.begin = {0};
  result.features.column.clear();
  result.features.value.clear();
  std::vector<std::pair<std::int32_t, double>> row;
  for (std::int64_t i = 0; i < data.nodes(); ++i) {
    row.clear();
    for (std::int64_t e = data.features.begin[i]; e < data.features.begin[i + 1]; ++e)
      if (const std::int32_t c = place[static_cast<std::size_t>(data.features.column[e])]; c >= 0) row.emplace_back(c, data.features.value[e]);
    std::sort(row.begin(), row.end());
    for (const auto& [c, value] : row) result.features.column.push_back(c), result.features.value.push_back(value);
    result.features.begin.push_back(result.features.entries());
  }
  return result;
}

}  // namespace

NodeTraining train_nodes(const io::NodeDataset& data, const std::string& text, const NodeProtocol& protocol, std::uint64_t seed, const Context& context) {
  validate(protocol);
  const model::Network network = model::network_of(text);
  require(network.wants != pipeline::Wants::graph || !data.edges.empty(), Fault::input, "[train] expected edges, found none: name the graph's file with --graph");
  require_edge_features(network, data, "train");
  require_classes(data, "train");
  const OneThread one_thread;
  const NodeData nodes = node_data(data, protocol.features, context);
  require_node_memory(network, nodes, 1, "train", context);
  const NodeSplit split = node_split(data, protocol.per_class, seed);
  const auto all = static_cast<double>(protocol.epochs) * static_cast<double>(protocol.learning_rates.size() * protocol.weight_decays.size());
  std::int64_t done = 0;
  const BestRun best = best_run(network, nodes, split, protocol, seed, context, [&] {
    context.check_stop("train");
    context.advance(static_cast<double>(++done), all, "training");
  });
  require(best.run->kept().defined(), Fault::convergence, "[train] expected a finite loss, found none even before training: take --feature-scale standardised, for the features are large");
  require(best.run->best_epoch() > 0, Fault::convergence, "[train] expected training to classify the validation nodes better than the weights that it starts with, found that it does not: try another --lr, or more --epochs");
  const analyse::RunRecord& record = best.run->record();
  NodeTraining result;
  result.train_accuracy = record.train_accuracy.back();
  result.validation_accuracy = best.run->validated();
  result.test_accuracy = record.test_accuracy.back();
  result.rate = best.rate, result.decay = best.decay;
  result.epoch = best.run->best_epoch();
  result.parameters = record.parameters;
  result.train = static_cast<std::int64_t>(split.train.size()), result.validation = static_cast<std::int64_t>(split.validation.size()), result.test = static_cast<std::int64_t>(split.test.size());
  result.shares = record.share.back();
  NodeModel& model = result.model;
  model.name = network.name, model.pipeline = network.text, model.version = version;
  model.input_hash = data.hash, model.data_name = data.name;
  model.seed = seed;
  model.columns = data.features.columns;
  model.features = data.feature_names, model.classes = data.classes;
  model.label = data.label;
  if (!model.features.empty()) model.coding = data.coding, model.filling = data.filling;
  model.scale = nodes.scale, model.standardisation = nodes.standardisation;
  if (network.edge_features) model.edge_features = data.edge_names, model.edge_standardisation = nodes.edge_standardisation;
  const float* weights = best.run->kept().data_ptr<float>();
  model.weights.assign(weights, weights + best.run->kept().numel());
  return result;
}

void save_node_model(const std::string& path, const NodeModel& model) {
  io::Safetensors content;
  content.metadata = {{"name", model.name}, {"pipeline", model.pipeline}, {"scale", std::string(name_of(model.scale))}, {"columns", std::to_string(model.columns)}};
  store_origin(content, io::node_network_mark, schema, model);
  store_table(content, true, model);
  if (model.scale == FeatureScale::standardised) {
    content.tensors["preprocessing.mean"] = io::stored(model.standardisation.mean, {model.columns});
    content.tensors["preprocessing.deviation"] = io::stored(model.standardisation.deviation, {model.columns});
  }
  if (!model.edge_features.empty()) {
    content.metadata["edge_features"] = json(model.edge_features).dump();
    const auto count = static_cast<std::int64_t>(model.edge_features.size());
    content.tensors["preprocessing.edge_mean"] = io::stored(model.edge_standardisation.mean, {count});
    content.tensors["preprocessing.edge_deviation"] = io::stored(model.edge_standardisation.deviation, {count});
  }
  store_weights(content, specs_of(model, Context()), model.weights);
  io::write_safetensors(path, content);
}

NodeModel load_node_model(const std::string& path) {
  return read_model(path, io::FileKind::node_network, "a network of calor train on the nodes of a graph", model_of);
}

Predictions predict_nodes(const NodeModel& model, const io::NodeDataset& given, const Context& context) {
  const OneThread one_thread;
  const at::NoGradGuard no_gradient;
  const io::NodeDataset data = matched(model, given);
  require_edge_features(model::network_of(model.pipeline), data, "predict");
  require(model.edge_features.empty() || model.edge_features == data.edge_names, Fault::input, "[predict] expected edges with {}, as the model was trained on, found {}: give these columns in this order",
          list_names(model.edge_features, 10), list_names(data.edge_names, 10));
  const NodeData nodes = node_data(data, model.scale, context, &model.standardisation, model.edge_features.empty() ? nullptr : &model.edge_standardisation);
  const auto classes = static_cast<std::int64_t>(model.classes.size());
  for (const std::int64_t label : data.labels)
    require(label < 0 || std::find(model.classes.begin(), model.classes.end(), data.classes[static_cast<std::size_t>(label)]) != model.classes.end(), Fault::input,
            "[predict] expected the model's classes ({}) as labels, found \"{}\": name another column with --label, or none", list_names(model.classes, 10),
            data.classes[static_cast<std::size_t>(label)]);
  require_node_memory(model::network_of(model.pipeline), nodes, 1, "predict", context);
  const NodeNetwork network(model::network_of(model.pipeline), domain_of(nodes), nodes.features, classes, model.seed, context);
  network.weights().values().copy_(at::from_blob(const_cast<float*>(model.weights.data()), {static_cast<std::int64_t>(model.weights.size())}, at::kFloat));
  const at::Tensor logits = network.logits(false, 0), probability = at::softmax(logits, 1).contiguous(), winner = at::argmax(logits, 1).contiguous();
  Predictions result;
  result.rows = data.nodes();
  result.classes = classes;
  result.winner.assign(winner.data_ptr<std::int64_t>(), winner.data_ptr<std::int64_t>() + winner.numel());
  result.probability.assign(probability.data_ptr<float>(), probability.data_ptr<float>() + probability.numel());
  double right = 0, labelled = 0;
  for (std::int64_t i = 0; i < result.rows; ++i) {
    const std::int64_t label = data.labels.empty() ? -1 : data.labels[static_cast<std::size_t>(i)];
    if (label < 0) continue;
    labelled += 1;
    right += data.classes[static_cast<std::size_t>(label)] == model.classes[static_cast<std::size_t>(result.winner[static_cast<std::size_t>(i)])];
  }
  result.accuracy = labelled > 0 ? right / labelled : std::numeric_limits<double>::quiet_NaN();
  return result;
}

}  // namespace calor::learn

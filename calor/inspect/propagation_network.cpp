#include "calor/inspect/propagation_network.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/inspect/rows.h"
#include "calor/inspect/weights.h"
#include "calor/io/file_kind.h"
#include "calor/pipeline/bind.h"
#include "calor/recipes/recipes.h"
#include "calor/similarity/layer_step.h"

namespace calor::inspect {

namespace {

using nlohmann::json;

struct Similarity {
  std::string score;
  std::vector<Normaliser> normalise;
  bool row_last = true;
};

// "score(metric) | exp | two_side(1) | row | apply", as `calor train` writes it.
Similarity similarity_of(const std::string& text, const std::string& path) {
  const auto stages = pipeline::bind_stages(pipeline::parse(text), recipes::all_stages());
  const auto refuse = [&](const std::string& what) {
    fail(Fault::input, "[inspect] expected a model whose similarity is score(..) | exp | row, column, two_side or sinkhorn | apply, found {} ({}): {}", text,
         path, what);
  };
  if (stages.size() < 4 || stages[0].stage->name != "score" || stages[1].stage->name != "exp" || stages.back().stage->name != "apply")
    refuse("another kind of model");
  Similarity found{stages[0].arguments.word("kind"), {}, true};
  for (std::size_t s = 2; s + 1 < stages.size(); ++s) {
    const std::optional<Normaliser> step = similarity::layer_step(stages[s]);
    if (!step) refuse(fmt::format("{} is not known here", stages[s].stage->name));
    found.normalise.push_back(*step);
  }
  const Normaliser::Kind last = found.normalise.back().kind;
  if (last != Normaliser::Kind::row && last != Normaliser::Kind::sinkhorn)
    refuse("its rows do not add up to 1, so that it averages nothing");
  found.row_last = last == Normaliser::Kind::row;
  if (found.row_last) found.normalise.pop_back();
  return found;
}

Head head_of(const Weights& weights, const Similarity& similarity, std::int64_t layer, std::int64_t width) {
  const std::string prefix = fmt::format("network.layers.{}.", layer);
  const auto map = [&](const std::string& name, std::int64_t rows) { return AffineMap{weights.matrix(prefix + name, rows, width), {}}; };
  const std::string& score = similarity.score;
  Head head;
  head.normalise = similarity.normalise;
  head.row_last = similarity.row_last;
  head.value = map("value", width);
  head.scale = weights.has(prefix + "factor") ? weights.matrix(prefix + "factor", 1, 1)(0, 0) : std::exp(weights.matrix(prefix + "log_factor", 1, 1)(0, 0));
  if (score == "qk") {
    head.query = map("score.query", width);
    head.key = map("score.key", width);
  } else if (score == "l2") {
    head.pairing = Pairing::squared_distance;
    head.query = head.key = map("score.projection", width);
  } else if (score == "metric") {
    head.pairing = Pairing::squared_distance;
    head.learned_metric = true;
    head.metric.hidden = {weights.matrix(prefix + "score.hidden.weight", width, width), weights.vector(prefix + "score.hidden.bias", width)};
    head.metric.out = {weights.matrix(prefix + "score.out.weight", width, width), weights.vector(prefix + "score.out.bias", width)};
  } else if (score == "additive") {
    head.pairing = Pairing::additive;
    const Matrix projection = weights.matrix(prefix + "score.projection", width, width);
    head.query = {map("score.query", 1).weight * projection, {}};
    head.key = {map("score.key", 1).weight * projection, {}};
  } else {
    require(score == "uniform", Fault::input, "[inspect] expected score qk, l2, metric, additive or uniform, found {} ({})", score, weights.path());
    head.query = head.key = {Matrix::Zero(1, width), {}};
  }
  return head;
}

}  // namespace

PropagationNetwork::PropagationNetwork(const std::string& path) try {
  const Weights weights(path);
  const auto& metadata = weights.content().metadata;
  const auto entry = [&](const char* key) {
    const auto found = metadata.find(key);
    require(found != metadata.end(), Fault::input, "[inspect] expected the metadata '{}' of a model of `calor train --save`, found none ({})", key, path);
    return found->second;
  };
  require(entry("kind") == io::network_mark && entry("schema") == "1", Fault::input,
          "[inspect] expected a network of `calor train --save` of schema 1, found '{}' of schema {} ({})", entry("kind"), entry("schema"), path);
  if (const auto network = metadata.find("network"); network != metadata.end())
    require(network->second != entry("pipeline"), Fault::input, "[inspect] expected a network of the form that `calor recipes ipn` shows, found {} ({})", network->second, path);
  const json protocol = json::parse(entry("protocol"));
  attention_ = entry("attention");
  features_ = json::parse(entry("features")).get<std::vector<std::string>>();
  residual_ = protocol.at("residual").get<bool>();
  const auto width = protocol.at("width").get<std::int64_t>(), layers = protocol.at("layers").get<std::int64_t>(),
             columns = static_cast<std::int64_t>(features_.size());
  require(layers >= 1, Fault::input, "[inspect] expected a network with layers of propagation, found none ({})", path);
  mean_ = weights.vector("preprocessing.mean", columns);
  deviation_ = weights.vector("preprocessing.deviation", columns);
  kept_ = weights.matrix("tokens.values", -1, columns);
  encode_ = {weights.matrix("network.encode.weight", width, columns), weights.vector("network.encode.bias", width)};
  const Similarity similarity = similarity_of(entry("pipeline"), path);
  for (std::int64_t l = 0; l < layers; ++l) heads_.push_back(head_of(weights, similarity, l, width));
} catch (const json::exception& error) {
  fail(Fault::input, "[inspect] expected metadata of a saved model, found {} ({})", error.what(), path);
}

io::LoadOptions PropagationNetwork::token_options() const {
  io::LoadOptions options;
  options.coding = io::numbers_named(features_);
  return options;
}

Activations PropagationNetwork::propagate(const Matrix& prepared, const Context& context) const {
  Activations activations;
  Matrix state = encode_(prepared).array().tanh();
  for (std::size_t l = 0; l < heads_.size(); ++l) {
    const Head& head = heads_[l];
    activations.layers.push_back({state, state, {head}});
    const Features features = features_of(head, state, context);
    Matrix received = AttentionRows(head, features, true, context).apply(features.value);
    if (features.row_sums.size()) received = (features.row_sums.asDiagonal() * received).eval();
    state = ((residual_ ? state : Matrix::Zero(state.rows(), state.cols())) + received).array().tanh();
    context.advance(static_cast<double>(l + 1), static_cast<double>(heads_.size()), "forward pass");
  }
  activations.last = state;
  return activations;
}

Activations PropagationNetwork::run(const Tokens& tokens, const Context& context) const {
  require(!tokens.is_text, Fault::usage, "[inspect] expected rows of data for a Calor network, found a text: give --tokens DATA");
  Matrix prepared = kept_;
  if (tokens.given()) {
    prepared = single_tensor(tokens);
    require(prepared.cols() == mean_.size(), Fault::input, "[inspect] expected tokens of {} columns, found {} ({})", mean_.size(), prepared.cols(),
            tokens.source);
    for (Eigen::Index c = 0; c < prepared.cols(); ++c) {
      if (deviation_[c] > 0) prepared.col(c) = (prepared.col(c).array() - mean_[c]) / deviation_[c];
      else prepared.col(c).setZero();
    }
  }
  Activations activations = propagate(prepared, context);
  activations.names = tokens.names;
  activations.tokens = tokens.given() ? "rows of " + tokens.source : "the training points that the model keeps";
  return activations;
}

std::unique_ptr<Model> load_propagation_network(const std::string& path) { return std::make_unique<PropagationNetwork>(path); }

}  // namespace calor::inspect

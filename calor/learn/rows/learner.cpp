#include "calor/learn/rows/learner.h"

#include <fmt/format.h>

#include <algorithm>

#include "calor/core/error.h"
#include "calor/learn/rows/row_network.h"

namespace calor::learn {
namespace {

std::string bandwidth_of(const Similarity& attention, const Protocol& protocol) {
  switch (attention.temperature.value_or(protocol.temperature)) {
    case Temperature::data: return "auto";
    case Temperature::learn: return "learned";
    case Temperature::fixed: break;
  }
  return attention.bandwidth == 1 ? "" : fmt::format("{}", attention.bandwidth);
}

std::string propagation_text(const Similarity& attention, const Protocol& protocol) {
  const std::string map = fmt::format("linear({})", protocol.width);
  std::string layer = fmt::format("score({}) | exp", attention.score == "qk" ? "dot" : attention.score);
  if (const std::string bandwidth = bandwidth_of(attention, protocol); !bandwidth.empty()) layer += fmt::format("({})", bandwidth);
  for (const Normaliser& step : attention.normalise) layer += " | " + text_of(step);
  layer += " | apply | " + map;
  if (protocol.residual) layer = fmt::format("residual({})", layer);
  const std::string layers = protocol.layers > 0 ? fmt::format("layers({}, {} | tanh) | ", protocol.layers, layer) : "";
  return fmt::format("{} | bias | tanh | {}linear(classes) | bias", map, layers);
}

// Stages, one after the other; those that fit are passed.
class Reader {
 public:
  explicit Reader(const std::vector<pipeline::BoundStage>& stages) : stages_(stages) {}
  const pipeline::BoundStage* take(std::string_view name) { return next_ < stages_.size() && stages_[next_].stage->name == name ? &stages_[next_++] : nullptr; }
  bool ended() const { return next_ == stages_.size(); }

 private:
  const std::vector<pipeline::BoundStage>& stages_;
  std::size_t next_ = 0;
};

// linear(width), and the width; 0 where it is something else.
std::int64_t width_of(const pipeline::BoundStage* map) {
  return map && map->arguments.is_number("width") && map->arguments.integer("heads") == 1 ? map->arguments.integer("width") : 0;
}

// score(..) | exp | ... | apply | linear(width), the attention in the words of --attention; "" where it is something else.
std::string attention_text(const std::vector<pipeline::BoundStage>& stages, std::int64_t width) {
  if (stages.size() < 5 || stages.front().stage->name != "score" || stages[stages.size() - 2].stage->name != "apply" || width_of(&stages.back()) != width || stages.back().stage->name != "linear") return "";
  const std::string& score = stages.front().arguments.word("kind");
  std::string text = fmt::format("score({})", score == "dot" ? "qk" : score);
  for (std::size_t s = 1; s + 2 < stages.size(); ++s) text += " | " + pipeline::print(std::vector<pipeline::BoundStage>{stages[s]});
  return text + " | apply";
}

}  // namespace

std::optional<Propagation> propagation_of(const model::Network& network) {
  Reader reader(network.stages);
  Propagation found;
  found.width = width_of(reader.take("linear"));
  if (found.width == 0 || !reader.take("bias") || !reader.take("tanh")) return {};
  const pipeline::BoundStage* layers = reader.take("layers");
  const pipeline::BoundStage* end = reader.take("linear");
  if (!layers || !end || end->arguments.is_number("width") || end->arguments.integer("heads") != 1 || !reader.take("bias") || !reader.ended()) return {};
  found.layers = layers->arguments.integer("n");
  std::vector<pipeline::BoundStage> body = layers->arguments.pipeline("body");
  if (body.size() < 2 || body.back().stage->name != "tanh") return {};
  body.pop_back();
  found.residual = body.size() == 1 && body.front().stage->name == "residual";
  if (found.residual) body = std::vector<pipeline::BoundStage>(body.front().arguments.pipeline("body"));
  const std::string text = attention_text(body, found.width);
  if (text.empty()) return {};
  try {
    found.attention = parse_similarity(text);
  } catch (const Error&) {  // stages that are no attention's
    return {};
  }
  return found;
}

model::Network Learner::network(const Protocol& protocol) const {
  return model::network_of(attention ? propagation_text(*attention, protocol) : pipeline);
}

Learner attention_learner(std::string_view text) {
  Similarity similarity = parse_similarity(text);
  return {similarity.name, similarity.text, std::move(similarity)};
}

Learner network_learner(std::string_view text) {
  model::Network network = model::network_of(text);
  require(network.wants != pipeline::Wants::mesh, Fault::usage, "[network] expected a network on rows, found {}, which is one on surfaces: name the folder of their labels with --labels", network.name);
  require(network.wants != pipeline::Wants::graph, Fault::usage, "[network] expected a network on rows, found {}, which flows along a graph: name one with --graph, or leave adjacency out, and all rows attend to all",
          network.name);
  return {network.name, network.text, std::nullopt};
}

Protocol resolve(const Protocol& protocol, const std::vector<Learner>& learners, std::int64_t training_rows, std::int64_t columns, std::int64_t classes) {
  const bool attends = std::any_of(learners.begin(), learners.end(), [](const Learner& learner) { return learner.attention.has_value(); });
  if (attends) return resolve(protocol, training_rows, columns);
  Protocol own = protocol;
  own.layers = 0;
  own.width = 1;
  for (const Learner& learner : learners) own.width = std::max(own.width, shape_of(learner.network(protocol), columns, classes).widest);
  return resolve(own, training_rows, columns);
}

Learner plain_learner() { return attention_learner("uniform"); }

}  // namespace calor::learn

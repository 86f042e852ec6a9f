#include "calor/learn/network/memory.h"

#include "calor/learn/network/attend.h"

namespace calor::learn {

namespace {

struct Held {
  double width = 0, inputs = 0;  // of what flows, and of what a map reads
  double heads = 1;
  bool on_graph = false;         // the similarity that waits to flow is on edges
  bool additive = false, sinkhorn = false;
  double passes = 0;             // of normalisations
  NetworkSize size;
};

void hold(const std::vector<pipeline::BoundStage>& stages, double classes, Held& held) {
  for (const pipeline::BoundStage& bound : stages) {
    const pipeline::Arguments& given = bound.arguments;
    const std::string_view name = bound.stage->name;
    if (name == "linear") {
      const double out = (given.is_number("width") ? given.number("width") : classes) * given.number("heads");
      held.size.weights += held.inputs * out;
      held.width = held.inputs = out;
      held.heads = given.number("heads");
    } else if (name == "heads") {
      held.width = held.inputs = held.width / held.heads;
      held.heads = 1;
    } else if (name == "adjacency") {
      held.on_graph = true;
    } else if (name == "score" && !held.on_graph) {
      held.size.weights += 4 * held.width * held.width;
      held.size.activations += 3 * held.width;
      held.additive = given.word("kind") == "additive";
      held.sinkhorn = false;
      held.passes = 1;
    } else if (name == "sinkhorn") {
      held.sinkhorn = true;
      held.passes += 2 * (given.is_number("max_iterations") ? given.number("max_iterations") : engine::Normaliser::usual_iterations);
    } else if (name == "row" || name == "column" || name == "two_side") {
      held.passes += 1;
    } else if (name == "apply" || name == "restart") {
      const double stored = held.heads * (4 + 2 * held.passes);
      if (!held.on_graph && held.additive) held.size.pairs += stored;  // it has no streamed kernel
      else if (!held.on_graph && held.sinkhorn) held.size.few_pairs += stored;
      held.on_graph = false;
    } else if (name == "heat_signature") {
      held.width = held.inputs = given.number("times");
    } else if (name == "gradients") {
      held.size.weights += 2 * held.width * held.width;
      held.size.activations += 5 * held.width;
    } else if (name == "heat") {
      held.size.weights += held.width;
    } else if (name == "layers") {
      Held once = held;
      hold(given.pipeline("body"), classes, once);
      const double times = given.number("n");
      held.size.activations += times * (once.size.activations - held.size.activations);
      held.size.weights += times * (once.size.weights - held.size.weights);
      held.size.pairs += times * (once.size.pairs - held.size.pairs);
      held.size.few_pairs += times * (once.size.few_pairs - held.size.few_pairs);
      held.width = once.width, held.inputs = once.inputs;
      continue;
    } else if (name == "residual") {
      const double before = held.width > 0 ? held.width : held.inputs;
      hold(given.pipeline("body"), classes, held);
      if (given.word("skip") == "linear") held.size.weights += before * held.width, held.size.activations += held.width;
    } else if (name == "beside") {
      const double before = held.width;
      hold(given.pipeline("body"), classes, held);
      held.width += before;
      held.inputs = held.width;
    }
    held.size.activations += held.width;
  }
}

}  // namespace

NetworkSize network_size(const std::vector<pipeline::BoundStage>& stages, std::int64_t columns, bool sparse, std::int64_t classes) {
  Held held;
  held.inputs = static_cast<double>(columns);
  held.width = sparse ? 0 : held.inputs;
  hold(stages, static_cast<double>(classes), held);
  return held.size;
}

double training_bytes(const NetworkSize& size, std::int64_t rows) {
  const auto count = static_cast<double>(rows);
  const double few = count * count <= static_cast<double>(most_stored_pairs) ? size.few_pairs : 0;
  return 8 * size.activations * count + 28 * size.weights + 4 * (size.pairs + few) * count * count;
}

}  // namespace calor::learn

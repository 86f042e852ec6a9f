#include "calor/api/stages.h"

#include <fmt/format.h>

#include <variant>

#include "calor/core/error.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/run.h"
#include "calor/recipes/recipes.h"

namespace calor {

std::string Setting::written(double number) { return fmt::format("{}", number); }

static std::string call_text(std::string_view stage, const Settings& given, const Settings& more) {
  std::string arguments;
  for (const Settings* settings : {&given, &more})
    for (const auto& [name, setting] : *settings) arguments += fmt::format("{}{}={}", arguments.empty() ? "" : ", ", name, setting.text());
  return fmt::format("{}({})", stage, arguments);
}

// One stage on one value.
template <class To>
static To through(std::string_view stage, const Flowing& from, const Settings& given, const Settings& more = {}) {
  const pipeline::Pipeline call = pipeline::parse(call_text(stage, given, more));
  pipeline::State state = pipeline::step(pipeline::bind_stages(call, recipes::all_stages(), from.state().type), from.state(), from.context());
  return std::get<To>(value_of(std::move(state), from));
}

Points standardise(const Points& points, const Settings& more) { return through<Points>("standardise", points, {}, more); }
Graph knn(const Points& points, std::int64_t k, const Settings& more) { return through<Graph>("knn", points, {{"k", k}}, more); }
Graph radius(const Points& points, double radius, const Settings& more) { return through<Graph>("radius", points, {{"r", radius}}, more); }
Graph mutual(const Graph& graph) { return through<Graph>("mutual", graph, {}); }
Similarity adjacency(const Points& graph, const Settings& more) { return through<Similarity>("adjacency", graph, {}, more); }
Similarity self_loops(const Similarity& similarity, const Settings& more) { return through<Similarity>("self_loops", similarity, {}, more); }
Points centres(const Points& points, std::int64_t k, const Settings& more) { return through<Points>("centres", points, {{"k", k}}, more); }
Similarity distance(const Points& points, double t, const Settings& more) { return through<Similarity>("distance", points, {{"t", t}}, more); }
Similarity distance(const Graph& graph, double t, const Settings& more) { return through<Similarity>("distance", graph, {{"t", t}}, more); }
Similarity dot(const Points& points, const Settings& more) { return through<Similarity>("dot", points, {}, more); }
Similarity dot(const Graph& graph, const Settings& more) { return through<Similarity>("dot", graph, {}, more); }
Similarity cosine(const Points& points, const Settings& more) { return through<Similarity>("cosine", points, {}, more); }
Similarity cosine(const Graph& graph, const Settings& more) { return through<Similarity>("cosine", graph, {}, more); }
Similarity kernel(const Points& points, const std::string& name, const Settings& more) { return through<Similarity>("kernel", points, {{"name", name}}, more); }
Similarity kernel(const Graph& graph, const std::string& name, const Settings& more) { return through<Similarity>("kernel", graph, {{"name", name}}, more); }
Similarity indicator(const Graph& graph) { return through<Similarity>("indicator", graph, {}); }
Similarity local_weights(const Graph& graph, const Settings& more) { return through<Similarity>("local_weights", graph, {}, more); }
Similarity geodesic(const Similarity& distances) { return through<Similarity>("geodesic", distances, {}); }
Similarity double_center(const Similarity& distances) { return through<Similarity>("double_center", distances, {}); }
Similarity exp(const Similarity& similarity, const Setting& bandwidth, const Settings& more) { return through<Similarity>("exp", similarity, {{"bandwidth", bandwidth}}, more); }
Similarity inflate(const Similarity& similarity, double power, const Settings& more) { return through<Similarity>("inflate", similarity, {{"r", power}}, more); }
Similarity best(const Similarity& similarity, const Settings& more) { return through<Similarity>("best", similarity, {}, more); }
Similarity row(const Similarity& similarity) { return through<Similarity>("row", similarity, {}); }
Similarity column(const Similarity& similarity) { return through<Similarity>("column", similarity, {}); }
Similarity two_side(const Similarity& similarity, const Setting& alpha, const Settings& more) { return through<Similarity>("two_side", similarity, {{"alpha", alpha}}, more); }
Similarity sinkhorn(const Similarity& similarity, const Settings& more) { return through<Similarity>("sinkhorn", similarity, {}, more); }
Similarity global(const Similarity& similarity) { return through<Similarity>("global", similarity, {}); }
Similarity mean(const Similarity& similarity) { return through<Similarity>("mean", similarity, {}); }
Similarity union_(const Similarity& similarity) { return through<Similarity>("union", similarity, {}); }
Similarity supervise(const Similarity& similarity, double weight) { return through<Similarity>("supervise", similarity, {{"weight", weight}}); }
Points apply(const Similarity& similarity) { return through<Points>("apply", similarity, {}); }
Points heat(const Similarity& similarity, double t, const Settings& more) { return through<Points>("heat", similarity, {{"t", t}}, more); }
Points implicit(const Similarity& similarity, double t, const Settings& more) { return through<Points>("implicit", similarity, {{"t", t}}, more); }
Points heat_signature(const Points& corners, const Settings& more) { return through<Points>("heat_signature", corners, {}, more); }
Similarity restart(const Similarity& similarity, const Settings& more) { return through<Similarity>("restart", similarity, {}, more); }
Similarity expand(const Similarity& similarity, const Settings& more) { return through<Similarity>("expand", similarity, {}, more); }
Points repeat(const Points& points, std::string_view body, const Settings& more) { return through<Points>("repeat", points, {{"body", std::string(body)}}, more); }
Similarity repeat(const Similarity& similarity, std::string_view body, const Settings& more) { return through<Similarity>("repeat", similarity, {{"body", std::string(body)}}, more); }
Embedding eigen(const Similarity& similarity, std::int64_t k, const Settings& more) { return through<Embedding>("eigen", similarity, {{"k", k}}, more); }
Embedding match(const Similarity& similarity, const std::string& family, const std::string& loss, const Settings& more) { return through<Embedding>("match", similarity, {{"family", family}, {"loss", loss}}, more); }
Labels components(const Graph& graph) { return through<Labels>("components", graph, {}); }
Labels components(const Similarity& similarity) { return through<Labels>("components", similarity, {}); }
Labels cluster(const Points& points, std::int64_t k, const Settings& more) { return through<Labels>("cluster", points, {{"k", k}}, more); }
Labels memberships(const Points& centres, double m, const Settings& more) { return through<Labels>("memberships", centres, {{"m", m}}, more); }
Labels assign(const Points& centres, const Settings& more) { return through<Labels>("assign", centres, {}, more); }
Prediction vote(const Similarity& similarity) { return through<Prediction>("vote", similarity, {}); }
Prediction average(const Similarity& similarity) { return through<Prediction>("average", similarity, {}); }

}  // namespace calor

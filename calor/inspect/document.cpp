// An inspection as the JSON document of docs/inspect.md.
#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/inspect/inspect.h"

namespace calor::inspect {

namespace {

using nlohmann::json;

json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }
json interval(const analyse::Interval& range) { return json::array({number(range.low), number(range.high)}); }

json as_json(const NullDefects::Range& range) { return {{"middle", number(range.middle)}, {"interval", interval(range.interval)}}; }

json defects_json(const HeadReport& report) {
  const Defects& d = report.defects;
  json found{{"symmetry", number(d.symmetry)},  {"euclidean", number(d.euclidean)}, {"triangle", number(d.triangle)},
             {"triangle_interval", interval(d.triangle_interval)}, {"excess", number(d.excess)},
             {"triples", d.triples}, {"tokens", d.tokens}, {"null", nullptr}};
  if (report.null)
    found["null"] = {{"symmetry", as_json(report.null->symmetry)}, {"euclidean", as_json(report.null->euclidean)}, {"triangle", as_json(report.null->triangle)},
                     {"draws", report.null->draws}, {"tokens", report.null->tokens}};
  return found;
}

json attention_json(const Flow& flow) {
  json sinks = json::array();
  for (const Sink& sink : flow.sinks) sinks.push_back({{"token", sink.token + 1}, {"sum", sink.sum}});
  return {{"effective_neighbours", flow.effective_neighbours}, {"effective_range", json::array({flow.effective_low, flow.effective_high})},
          {"effective_share", flow.effective_share}, {"self_weight", flow.self_weight}, {"largest_self", flow.largest_self},
          {"gini", flow.gini}, {"gini_uniform", flow.gini_uniform}, {"sinks", sinks}};
}

json step_json(const HeadReport& report) {
  const Flow& flow = report.flow;
  json step{{"drift", number(flow.drift)}, {"spread", number(flow.spread)}, {"drift_share", number(flow.drift_share)},
            {"explained", number(flow.explained)}, {"explained_interval", interval(flow.explained_interval)}, {"tangent_dimension", flow.tangent_dimension},
            {"judged", flow.judged}, {"dirichlet", number(flow.dirichlet)}, {"contraction", number(flow.contraction)},
            {"predicted_contraction", report.predicted_contraction ? number(*report.predicted_contraction) : json(nullptr)},
            {"jump", number(flow.jump)}, {"targets", flow.targets}, {"sphere", nullptr}, {"metric_epsilon", nullptr}};
  if (report.sphere)
    step["sphere"] = {{"radius", report.sphere->radius}, {"angle", report.sphere->angle}, {"time", report.sphere->time},
                      {"concentration", report.sphere->concentration}, {"in_regime", report.sphere->in_regime}, {"dimension", report.sphere->dimension}};
  if (report.metric_epsilon) step["metric_epsilon"] = number(*report.metric_epsilon);
  return step;
}

json modes_json(const Modes& modes) {
  json values = json::array(), sizes = json::array();
  for (const auto& value : modes.eigenvalues) values.push_back(json::array({value.real(), value.imag()}));
  std::vector<std::int64_t> counts(static_cast<std::size_t>(modes.slow), 0);
  for (const std::int64_t cluster : modes.clusters) ++counts[static_cast<std::size_t>(cluster)];
  for (const std::int64_t count : counts) sizes.push_back(count);
  return {{"eigenvalues", values}, {"gap", modes.gap}, {"slow", modes.slow}, {"step", number(modes.step)}, {"converged", modes.converged},
          {"sizes", sizes}, {"clusters", modes.clusters}};
}

}  // namespace

json to_json(const Inspection& inspection) {
  json heads = json::array(), states = json::array();
  for (const HeadReport& report : inspection.reports) {
    const Lipschitz& l = report.lipschitz;
    heads.push_back({{"layer", report.layer}, {"head", report.head}, {"defects", defects_json(report)}, {"attention", attention_json(report.flow)},
                     {"step", step_json(report)}, {"modes", modes_json(report.modes)},
                     {"lipschitz", {{"bound", l.bound ? number(*l.bound) : json(nullptr)}, {"no_bound", l.no_bound}, {"measured", number(l.measured)},
                                    {"tokens", l.tokens}, {"converged", l.converged}}}});
  }
  for (const LayerReport& state : inspection.states) states.push_back({{"rank", number(state.rank)}, {"spread", number(state.spread)}, {"bare", number(state.bare)}});
  return {{"schema", 1}, {"kind", "inspect"},
          {"model", {{"kind", inspection.model}, {"layers", inspection.layers}, {"heads", inspection.heads}, {"width", inspection.width}, {"causal", inspection.causal}}},
          {"tokens", {{"count", inspection.count}, {"from", inspection.tokens}, {"names", inspection.names}}},
          {"heads", heads}, {"states", states}};
}

}  // namespace calor::inspect

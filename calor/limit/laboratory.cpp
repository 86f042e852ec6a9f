#include "calor/limit/laboratory.h"

#include <algorithm>
#include <functional>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/limit/experiments.h"

namespace calor::limit {
namespace {

using Rows = std::vector<Row>;

struct Experiment {
  Group group;
  bool random_points;  // --points and --epsilon are for these
  std::function<Rows(const Settings&, const Context&)> rows;
};

Rows diffusion(const DriftDiffusion& given, const Settings& settings, const Context& context) {
  Rows rows = drift_diffusion_rows(given, settings, context);
  if (given.points.empty()) return rows;
  for (Row& row : sampling_rows(given, settings, context)) rows.push_back(std::move(row));
  return rows;
}

// The ladders are as fine as their cost allows: the bias order needs small eps to show its third digit, the degrees of
// alpha != 0 a sum at every key, and random points enough neighbours within sqrt(eps).
const std::vector<Experiment>& experiments() {
  static const std::vector<Experiment> all = {
      {{"circle", "T1, T2", "Drift and diffusion on the circle, density 1 + 0.5 sin"}, true,
       [](const Settings& s, const Context& c) {
         return diffusion({"circle", make_ellipsoid({1, 1}, 0.5), 0.004, 0.02, {1000, 8000, 64000}, {0.016, 0.008, 0.004, 0.002}}, s, c);
       }},
      {{"torus", "T1, T2", "The flat torus in R^4"}, false,
       [](const Settings& s, const Context& c) {
         return diffusion({"torus", make_torus(0.4), 0.016, 0.04, {}, {}}, s, c);
       }},
      {{"sphere", "T1, T2", "The sphere S^2, density 1 + 0.5 z"}, true,
       [](const Settings& s, const Context& c) {
         return diffusion({"sphere", make_ellipsoid({1, 1, 1}, 0.5), 0.016, 0.04, {4000, 16000, 64000}, {0.08, 0.04, 0.02, 0.01}}, s, c);
       }},
      {{"sphere3", "T1, T2", "The three-sphere in R^4"}, false,
       [](const Settings& s, const Context& c) {
         return diffusion({"sphere3", make_ellipsoid({1, 1, 1, 1}, 0.5), 0.08, 0.32, {}, {}}, s, c);
       }},
      {{"ellipsoid", "T1, T2", "An ellipsoid with three different axes"}, false,
       [](const Settings& s, const Context& c) {
         return diffusion({"ellipsoid", make_ellipsoid({1, 1.2, 0.9}, 0.4), 0.032, 0.08, {}, {}}, s, c);
       }},
      {{"gaussian1", "T1, T2", "A Gaussian density on the line: the Ornstein-Uhlenbeck operator"}, false,
       [](const Settings& s, const Context& c) {
         return diffusion({"gaussian1", make_gaussian(1), 0.02, 0.04, {}, {}}, s, c);
       }},
      {{"gaussian2", "T1, T2", "A Gaussian density on the plane"}, false,
       [](const Settings& s, const Context& c) {
         return diffusion({"gaussian2", make_gaussian(2), 0.02, 0.04, {}, {}}, s, c);
       }},
      {{"gaussian3", "T1, T2", "A Gaussian density in space"}, false,
       [](const Settings& s, const Context& c) {
         return diffusion({"gaussian3", make_gaussian(3), 0.04, 0.16, {}, {}}, s, c);
       }},
      {{"step", "T3", "An attention layer as an Euler step"}, false, step_rows},
      {{"stack", "T3", "Stacked layers against the heat semigroup"}, false, stack_rows},
      {{"conformal", "T4", "The flow as a heat equation under another metric"}, false, conformal_rows},
      {{"stationary", "stationary states", "Constants, clusters and the depth at which they merge"}, false, stationary_rows},
      {{"minimiser", "T5", "A general asymmetric score with one minimiser"}, false, minimiser_rows},
      {{"attention", "T5", "Dot-product attention with keys on a sphere"}, false, sphere_attention_rows},
      {{"minimiser-set", "T6", "A score with a curve of minimisers"}, false, minimiser_set_rows},
      {{"heads", "multi-head", "Two heads"}, false, heads_rows}};
  return all;
}

void check(const std::vector<std::string>& names, const std::vector<const Experiment*>& chosen, const Settings& settings) {
  std::vector<std::string> known;
  for (const Group& group : groups()) known.push_back(group.name);
  for (const std::string& name : names) {
    const std::string near = nearest_name(name, known);
    require(std::find(known.begin(), known.end(), name) != known.end(), Fault::usage, "[limit] expected a group ({}), found \"{}\"{}",
            list_names(known, 20), name, near.empty() ? std::string() : fmt::format(": did you mean \"{}\"?", near));
  }
  const auto range = [](const auto& values) { return std::minmax_element(values.begin(), values.end()); };
  if (!settings.points.empty()) {
    const auto [least, most] = range(settings.points);
    require(settings.points.size() >= 3 && *least >= 100 && *most >= 4 * *least && *most <= 10'000'000, Fault::usage,
            "[limit] expected a ladder of at least 3 numbers of points from 100 to 10000000 over a factor of 4, found {} from {} to {}: an order "
            "needs a ladder",
            settings.points.size(), *least, *most);
  }
  if (!settings.epsilon.empty()) {
    const auto [least, most] = range(settings.epsilon);
    const bool fit = std::all_of(settings.epsilon.begin(), settings.epsilon.end(), [](double one) { return one >= 1e-6 && one <= 1; });
    require(settings.epsilon.size() >= 3 && fit && *most >= 4 * *least, Fault::usage,
            "[limit] expected a ladder of at least 3 values of eps from 1e-6 to 1 over a factor of 4, found {} from {} to {}: an order needs a "
            "ladder",
            settings.epsilon.size(), *least, *most);
  }
  const bool random = std::any_of(chosen.begin(), chosen.end(), [](const Experiment* one) { return one->random_points; });
  require(random || (settings.points.empty() && settings.epsilon.empty()), Fault::usage,
          "[limit] expected circle or sphere for a ladder of points or eps, found {}: the other theorems are measured without random points",
          list_names(names));
  require(settings.seeds >= 3 && settings.seeds <= 1000, Fault::usage,
          "[limit] expected 3 to 1000 seeds, found {}: an interval needs repetitions", settings.seeds);
}

}  // namespace

const std::vector<Group>& groups() {
  static const std::vector<Group> all = [] {
    std::vector<Group> list;
    for (const Experiment& experiment : experiments()) list.push_back(experiment.group);
    return list;
  }();
  return all;
}

std::vector<Row> run(const std::vector<std::string>& names, const Settings& settings, const Context& context) {
  std::vector<const Experiment*> chosen;
  for (const Experiment& experiment : experiments())
    if (names.empty() || std::find(names.begin(), names.end(), experiment.group.name) != names.end()) chosen.push_back(&experiment);
  check(names, chosen, settings);
  Rows rows;
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    Context part = context;  // a group's own progress is a part of the whole's
    part.progress = [&](double done, double total, std::string_view what) {
      context.advance(static_cast<double>(k) + done / total, static_cast<double>(chosen.size()), what);
    };
    part.advance(0, 1, chosen[k]->group.name);
    context.check_stop("limit");
    for (Row& row : chosen[k]->rows(settings, part)) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace calor::limit

#include "calor/learn/compare/network_experiment.h"

#include <algorithm>
#include <numeric>

namespace calor::learn {

using nlohmann::json;

json document_of(const NetworkExperiment& experiment) {
  std::vector<std::string> names;
  json pipelines;
  for (const model::Network& network : experiment.networks) {
    names.push_back(network.name);
    pipelines[network.name] = network.text;
  }
  const double rows = std::accumulate(experiment.class_sizes.begin(), experiment.class_sizes.end(), 0.0);
  const auto judgement = analyse::judge(experiment.records, experiment.control, *std::ranges::max_element(experiment.class_sizes) / rows,
                                        static_cast<std::int64_t>(experiment.class_sizes.size()), 0);
  json document = analyse::summarise(experiment.name, names, experiment.control, experiment.records, experiment.baselines, judgement);
  document["data"] = experiment.data;
  document["data"].update({{"name", experiment.name}, {"label", ""}, {"constant_columns", json::array()}, {"extra_test", 0}});
  std::vector<std::uint64_t> seeds;
  for (int i = 0; i < experiment.seeds; ++i) seeds.push_back(experiment.base_seed + static_cast<std::uint64_t>(i));
  document["protocol"] = experiment.protocol;
  document["protocol"].update({{"seeds", seeds},
                               {"base_seed", experiment.base_seed},
                               {"dead_below", judgement.dead_below},
                               {"dead_rule", analyse::dead_rule(judgement)},
                               {"common_accuracy", judgement.common_accuracy > 0 ? json(judgement.common_accuracy) : json()}});
  document["attentions"] = names;
  document["pipelines"] = pipelines;
  for (const char* unused : {"standing", "remarks", "similarity", "regions"}) document[unused] = json::array();
  return document;
}

}  // namespace calor::learn

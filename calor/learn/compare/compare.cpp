#include "calor/learn/compare/compare.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "calor/analyse/comparison.h"
#include "calor/analyse/standing.h"
#include "calor/learn/compare/comparison_runs.h"
#include "calor/learn/rows/pictures.h"

namespace calor::learn {
namespace {

using nlohmann::json;

json data_block(const ComparisonRuns& runs, const io::Dataset& data, const std::optional<io::Dataset>& test) {
  const Prepared& prepared = runs.first().prepared;
  return {{"name", data.name},
          {"source", data.source},
          {"hash", data.hash},
          {"rows", data.rows},
          {"columns", data.columns},
          {"classes", data.classes},
          {"features", data.features},
          {"label", data.label},
          {"train", prepared.train_count()},
          {"test", prepared.test_count()},
          {"test_source", test ? json(test->source) : json()},
          {"constant_columns", prepared.constant_columns},
          {"extra_test", runs.first().extra.rows()}};
}

json protocol_block(const ComparisonRuns& runs, const analyse::Judgement& judgement) {
  json block = to_json(runs.protocol());
  if (std::none_of(runs.learners().begin(), runs.learners().end(), [](const Learner& learner) { return learner.attention.has_value(); }))
    for (const char* field : {"layers", "width", "residual", "temperature"}) block[field] = nullptr;  // the networks' own
  std::vector<std::uint64_t> seeds;
  for (std::size_t i = 0; i < runs.seeds(); ++i) seeds.push_back(runs.seed(i));
  block["seeds"] = seeds;
  block["base_seed"] = runs.seed(0);
  block["tokens"] = runs.keys();
  block["preprocessing"] = runs.preprocessing();
  block["dead_below"] = judgement.dead_below;
  block["dead_rule"] = analyse::dead_rule(judgement);
  block["common_accuracy"] = judgement.common_accuracy;
  block["seed_means"] = runs.source().seed_means();
  return block;
}

// The first seed whose run is alive; the first of all where none is.
std::size_t shown_seed(const ComparisonRuns& runs, const json& judged, const std::string& attention) {
  for (std::size_t i = 0; i < runs.seeds(); ++i) {
    for (const json& run : judged) {
      if (run.at("attention") == attention && run.at("seed") == runs.seed(i) && !run.at("dead").get<bool>()) return i;
    }
  }
  return 0;
}

void add_pictures(const ComparisonRuns& runs, json& experiment) {
  json similarity = json::array(), regions = json::array();
  for (std::size_t s = 0; s < runs.learners().size(); ++s) {
    const std::string& name = runs.learners()[s].name;
    const std::size_t shown = shown_seed(runs, experiment.at("runs"), name);
    const std::uint64_t seed = runs.seed(shown);
    const Trained& trained = runs.trained(s, shown);
    const auto data = runs.source().at(seed);
    const PointMap map = data->map(trained.preprocessing);
    const RunData points = data->points(map);
    RowNetwork network(runs.learners()[s].network(runs.protocol()), points.columns, points.classes, seed);
    std::copy(trained.values.begin(), trained.values.end(), network.values().data_ptr<float>());
    network.set_factors(trained.factors);
    for (json& picture : similarity_pictures(network, name, seed, points)) similarity.push_back(std::move(picture));
    if (data->prepared.columns == 2) regions.push_back(region_picture(network, name, seed, *data, map, points));
  }
  experiment["similarity"] = std::move(similarity);
  experiment["regions"] = std::move(regions);
}

double majority_share(const io::Dataset& data) {
  std::vector<std::int64_t> sizes(data.classes.size());
  for (const std::int64_t label : data.labels) ++sizes[static_cast<std::size_t>(label)];
  return static_cast<double>(*std::max_element(sizes.begin(), sizes.end())) / static_cast<double>(data.rows);
}

// Every method beside the propagator, over the same seeds, by the accuracy that the verdict uses.
json standing_of(const ComparisonRuns& runs, const std::vector<analyse::BaselineRecord>& baselines, const std::vector<analyse::RunRecord>& records) {
  const bool fresh = runs.first().extra.rows() > 0;
  std::vector<analyse::Contender> contenders;
  for (const analyse::BaselineRecord& baseline : baselines)
    contenders.push_back({baseline.name, baseline.kind, fresh ? baseline.extra_accuracy : baseline.accuracy, baseline.chosen});
  if (contenders.empty()) return json::array();
  for (const Learner& learner : runs.learners()) {
    analyse::Contender contender{learner.name, analyse::Method::attention, {}, {}};
    for (const analyse::RunRecord& record : records)
      if (record.attention == learner.name) {
        contender.accuracy.push_back(fresh ? record.extra_accuracy.back() : record.test_accuracy.back());
        contender.chosen.push_back({record.preprocessing, {}});
      }
    contenders.push_back(std::move(contender));
  }
  return analyse::standing("propagator", contenders);
}

json document(const ComparisonRuns& runs, const io::Dataset& data, const std::optional<io::Dataset>& test) {
  const OneThread one_thread;
  std::vector<analyse::RunRecord> records;
  std::vector<std::string> names;
  json pipelines, networks;
  for (std::size_t s = 0; s < runs.learners().size(); ++s) {
    const Learner& learner = runs.learners()[s];
    names.push_back(learner.name);
    pipelines[learner.name] = learner.pipeline;
    networks[learner.name] = learner.network(runs.protocol()).text;
    for (std::size_t i = 0; i < runs.seeds(); ++i) records.push_back(runs.trained(s, i).record);
  }
  const std::string& control = similarity_names().back();
  const auto judgement =
      analyse::judge(records, control, majority_share(data), runs.first().prepared.classes, runs.keys());
  const std::vector<analyse::BaselineRecord> baselines = runs.baselines();
  json experiment = analyse::summarise(data.name, names, control, records, baselines, judgement);
  experiment["standing"] = standing_of(runs, baselines, records);
  experiment["remarks"] = json::array();
  if (!baselines.empty()) experiment["verdict"].push_back(analyse::standing_text(experiment["standing"], static_cast<std::int64_t>(runs.seeds())));
  for (const analyse::Remark& remark : runs.remarks()) {
    experiment["remarks"].push_back({{"name", remark.name}, {"left_out", remark.left_out}, {"reason", remark.reason}});
    experiment["verdict"].push_back(analyse::text_of(remark));
  }
  experiment["data"] = data_block(runs, data, test);
  experiment["protocol"] = protocol_block(runs, judgement);
  experiment["attentions"] = names;
  experiment["pipelines"] = pipelines;
  experiment["networks"] = networks;
  add_pictures(runs, experiment);
  return experiment;
}

}  // namespace

json compare(const io::Dataset& data, const std::optional<io::Dataset>& test, const CompareOptions& options,
             const Context& context) {
  ComparisonRuns runs(data, test, options, context);
  runs.train_all();
  return document(runs, data, test);
}

}  // namespace calor::learn

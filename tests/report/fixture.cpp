#include "fixture.h"

#include <fstream>

#include "calor/analyse/comparison.h"
#include "calor/core/error.h"

namespace calor::report_test {
namespace {

using nlohmann::json;

std::vector<analyse::RunRecord> runs_of(const json& experiment) {
  std::vector<analyse::RunRecord> runs;
  for (const json& source : experiment.at("runs")) {
    analyse::RunRecord run;
    source.at("attention").get_to(run.attention);
    source.at("seed").get_to(run.seed);
    source.at("parameters").get_to(run.parameters);
    source.at("epoch").get_to(run.epoch);
    source.at("loss").get_to(run.loss);
    source.at("train_accuracy").get_to(run.train_accuracy);
    source.at("test_accuracy").get_to(run.test_accuracy);
    if (!source.at("extra_accuracy").is_null()) source.at("extra_accuracy").get_to(run.extra_accuracy);
    source.at("seconds").get_to(run.seconds);
    source.at("share").get_to(run.share);
    source.at("temperature").get_to(run.temperature);
    runs.push_back(std::move(run));
  }
  return runs;
}

std::vector<analyse::BaselineRecord> baselines_of(const json& experiment) {
  std::vector<analyse::BaselineRecord> baselines;
  for (const json& source : experiment.at("baselines")) {
    analyse::BaselineRecord baseline;
    source.at("name").get_to(baseline.name);
    source.at("accuracy").get_to(baseline.accuracy);
    source.at("extra_accuracy").get_to(baseline.extra_accuracy);
    if (!source.at("parameters").is_null()) baseline.parameters = source.at("parameters").get<std::int64_t>();
    baselines.push_back(std::move(baseline));
  }
  return baselines;
}

}  // namespace

json read_json(const std::string& path) {
  std::ifstream file(path);
  require(file.good(), Fault::input, "[fixture] expected a readable file, found none ({})", path);
  return json::parse(file);
}

json measured_fixture() { return read_json(CALOR_REPORT_FIXTURE); }

json completed(json document) {
  document["verdict"] = json::array();
  for (json& experiment : document["experiments"]) {
    const auto runs = runs_of(experiment);
    const json& data = experiment["data"];
    json& protocol = experiment["protocol"];
    const analyse::Judgement judgement =
        analyse::judge(runs, "uniform", experiment["majority"].get<double>(),
                       static_cast<std::int64_t>(data["classes"].size()), protocol["tokens"].get<std::int64_t>());
    protocol["dead_below"] = judgement.dead_below;
    protocol["dead_rule"] = analyse::dead_rule(judgement);
    protocol["common_accuracy"] = judgement.common_accuracy > 0 ? json(judgement.common_accuracy) : json(nullptr);
    experiment.update(analyse::summarise(data["name"].get<std::string>(),
                                         experiment["attentions"].get<std::vector<std::string>>(), "uniform", runs,
                                         baselines_of(experiment), judgement));
    experiment.erase("majority");
    document["verdict"].push_back(experiment["verdict"][0]);
  }
  return document;
}

}  // namespace calor::report_test

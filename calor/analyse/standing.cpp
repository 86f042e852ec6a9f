#include "calor/analyse/standing.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/analyse/statistics.h"

namespace calor::analyse {

using nlohmann::json;

static json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

// Accuracies are ratios of small numbers: equal ones differ by rounding alone.
static double rounded(double value) { return std::round(value * 1e9) / 1e9; }

json standing(const std::string& reference, const std::vector<Contender>& contenders) {
  const auto own = std::find_if(contenders.begin(), contenders.end(), [&](const Contender& one) { return one.name == reference; });
  json rows = json::array();
  if (own == contenders.end()) return rows;
  std::vector<double> p;
  std::vector<std::size_t> tested;
  for (const Contender& one : contenders) {
    json row{{"name", one.name},
             {"kind", one.kind},
             {"accuracy_mean", number(mean(one.accuracy))},
             {"accuracy_sd", number(deviation(one.accuracy))}};
    for (const char* field : {"difference", "low", "high", "p", "p_holm"}) row[field] = nullptr;
    if (&one != &*own) {
      std::vector<double> differences;
      for (std::size_t i = 0; i < one.accuracy.size(); ++i) differences.push_back(rounded(own->accuracy[i] - one.accuracy[i]));
      const PairedDifference found = paired_difference(differences, 0.95);
      row["difference"] = number(found.mean);
      row["low"] = number(found.interval.low);
      row["high"] = number(found.interval.high);
      p.push_back(wilcoxon_signed_rank(differences).p);
      row["p"] = p.back();
      tested.push_back(rows.size());
    }
    rows.push_back(std::move(row));
  }
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < tested.size(); ++i) rows[tested[i]]["p_holm"] = adjusted[i];
  std::stable_sort(rows.begin(), rows.end(),
                   [](const json& a, const json& b) { return a["accuracy_mean"].get<double>() > b["accuracy_mean"].get<double>(); });
  return rows;
}

}  // namespace calor::analyse

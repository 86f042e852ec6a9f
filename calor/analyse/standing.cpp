#include "calor/analyse/standing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/analyse/statistics.h"
#include "calor/core/text.h"

namespace calor::analyse {

using nlohmann::json;

static json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

// Accuracies are ratios of small numbers: equal ones differ by rounding alone.
static double rounded(double value) { return std::round(value * 1e9) / 1e9; }

json standing(const std::string& reference, const std::vector<Contender>& contenders) {
  json rows = json::array();
  if (contenders.empty()) return rows;
  auto own = std::find_if(contenders.begin(), contenders.end(), [&](const Contender& one) { return one.name == reference; });
  if (own == contenders.end())
    own = std::max_element(contenders.begin(), contenders.end(), [](const Contender& a, const Contender& b) { return mean(a.accuracy) < mean(b.accuracy); });
  std::vector<double> p;
  std::vector<std::size_t> tested;
  for (const Contender& one : contenders) {
    json row{{"name", one.name},
             {"kind", name_of(one.kind)},
             {"accuracy_mean", number(mean(one.accuracy))},
             {"accuracy_sd", number(deviation(one.accuracy))},
             {"chosen", chosen_text(one.chosen)}};
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

// "a, b and c"
static std::string list(const std::vector<std::string>& names) {
  if (names.size() < 2) return names.empty() ? "" : names.front();
  return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

std::string standing_text(const json& standing, std::int64_t seeds) {
  constexpr double significance = 0.05;
  std::string reference;
  std::vector<std::string> means, beaten, better, level;
  for (const json& row : standing) {
    const std::string name = row["name"];
    means.push_back(fmt::format("{} {:.1f} %", name, 100 * row["accuracy_mean"].get<double>()));
    if (row["p"].is_null()) {
      reference = name;
      continue;
    }
    const double difference = row["difference"];
    if (row["p_holm"] < significance) (difference > 0 ? beaten : better).push_back(name);
    else level.push_back(row["low"].is_null() ? name : fmt::format("{} ({:.1f} percentage points, 95 % interval {:.1f} to {:.1f})", name, 100 * difference,
                                                                  100 * row["low"].get<double>(), 100 * row["high"].get<double>()));
  }
  const double tests = static_cast<double>(standing.size()) - 1;
  const double least = std::min(1.0, std::exp2(1 - static_cast<double>(seeds)) * tests);  // of p after Holm, when every seed agrees
  std::vector<std::string> sentences{fmt::format("{}", fmt::join(means, ", "))};
  if (tests > 0 && least > significance) {
    sentences.push_back(fmt::format("no test is possible with {}: over {} comparisons the smallest p would be {:.2g}", counted(seeds, "seed"), tests, least));
  } else {
    if (!beaten.empty()) sentences.push_back(fmt::format("{} beats {} (p < 0.05 after Holm)", reference, list(beaten)));
    if (!better.empty()) sentences.push_back(fmt::format("{} {} better than {} (p < 0.05 after Holm)", list(better), better.size() == 1 ? "is" : "are", reference));
    if (!level.empty()) sentences.push_back(fmt::format("no difference seen between {} and {}", reference, fmt::join(level, ", nor ")));
  }
  return fmt::format("methods: {}", fmt::join(sentences, "; "));
}

}  // namespace calor::analyse

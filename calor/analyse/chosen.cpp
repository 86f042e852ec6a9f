#include "calor/analyse/chosen.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace calor::analyse {

using nlohmann::json;

const char* name_of(Method method) {
  switch (method) {
    case Method::propagator: return "propagator";
    case Method::attention: return "attention";
    case Method::baseline: break;
  }
  return "baseline";
}

// "10 7x, 100 3x", or "10" where it is the only one.
static std::string counted(const std::vector<std::string>& values) {
  std::vector<std::pair<std::string, std::int64_t>> counts;
  for (const std::string& value : values) {
    const auto found = std::find_if(counts.begin(), counts.end(), [&](const auto& count) { return count.first == value; });
    if (found == counts.end()) counts.emplace_back(value, 1);
    else ++found->second;
  }
  if (counts.size() == 1) return counts.front().first;
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> parts;
  for (const auto& [value, count] : counts) parts.push_back(fmt::format("{} {}x", value, count));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string chosen_text(const std::vector<Chosen>& seeds) {
  if (seeds.empty()) return {};
  std::vector<std::string> values, parts;
  for (const Chosen& seed : seeds) values.push_back(seed.preprocessing);
  if (std::any_of(values.begin(), values.end(), [](const std::string& value) { return !value.empty(); })) parts.push_back(counted(values));
  for (std::size_t i = 0; i < seeds.front().values.size(); ++i) {
    values.clear();
    for (const Chosen& seed : seeds) values.push_back(seed.values[i].second ? fmt::format("{:g}", *seed.values[i].second) : "none");
    parts.push_back(fmt::format("{} {}", seeds.front().values[i].first, counted(values)));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

json chosen_json(const std::vector<Chosen>& seeds) {
  json result = json::array();
  for (const Chosen& seed : seeds) {
    json one{{"preprocessing", seed.preprocessing}};
    for (const auto& [name, value] : seed.values) one[name] = value ? json(*value) : json();
    result.push_back(std::move(one));
  }
  return result;
}

std::string text_of(const Remark& remark) { return fmt::format("{}: {}{}", remark.name, remark.left_out ? "left out, " : "", remark.reason); }

}  // namespace calor::analyse

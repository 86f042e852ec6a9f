#include "calor/limit/document.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/core/text.h"

namespace calor::limit {

using nlohmann::json;

static json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

static json numbers(const std::vector<double>& values) {
  json list = json::array();
  for (const double value : values) list.push_back(number(value));
  return list;
}

json as_json(const std::vector<Plot>& plots) {
  json list = json::array();
  for (const Plot& plot : plots) {
    json series = json::array();
    for (const Series& one : plot.series)
      series.push_back({{"name", one.name}, {"x", numbers(one.x)}, {"y", numbers(one.y)}, {"line", one.line}});
    list.push_back({{"title", plot.title}, {"x_title", plot.x_title}, {"y_title", plot.y_title}, {"x_log", plot.x_log}, {"y_log", plot.y_log},
                    {"series", std::move(series)}});
  }
  return list;
}

json as_json(const std::vector<Row>& rows, bool with_plots) {
  json list = json::array();
  for (const Row& row : rows) {
    list.push_back({{"name", row.name},
                    {"group", row.group},
                    {"theorem", row.theorem},
                    {"meaning", row.meaning},
                    {"expected", number(row.expected)},
                    {"measured", number(row.measured)},
                    {"interval", {number(row.low), number(row.high)}},
                    {"tolerance", row.tolerance},
                    {"verdict", verdict(row)},
                    {"pass", row.pass}});
    if (with_plots) list.back()["plots"] = as_json(row.plots);
  }
  return list;
}

std::string summary(const std::vector<Row>& rows) {
  std::vector<std::string> failed;
  for (const Row& row : rows)
    if (!row.pass) failed.push_back(fmt::format("{} ({})", row.name, verdict(row)));
  if (failed.empty() && rows.size() == 1) return "The row agrees with the theory.";
  if (failed.empty()) return fmt::format("All {} rows agree with the theory.", rows.size());
  return fmt::format("{} of {} rows {} not agree with the theory: {}.", failed.size(), rows.size(), failed.size() == 1 ? "does" : "do",
                     list_names(failed));
}

}  // namespace calor::limit

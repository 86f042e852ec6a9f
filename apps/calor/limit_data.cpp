#include "limit_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/analyse/principal.h"
#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/io/output.h"
#include "calor/limit/document.h"
#include "calor/limit/own_points.h"
#include "calor/pipeline/load.h"
#include "calor/pipeline/results.h"
#include "calor/report/report.h"
#include "run_report.h"

namespace calor::app {

using nlohmann::json;

namespace {

struct Flow {
  std::vector<double> rows, function;  // rows: [points][columns], without the function's column
  std::int64_t columns = 0;
  std::string name, hash;
};

Flow load(const std::string& source, const std::string& function, const Context& context) {
  const pipeline::Loaded loaded = pipeline::load_points(source, {}, pipeline::Labels::shown, context);
  const engine::Matrix& points = *loaded.data.features;
  const std::vector<std::string>& names = loaded.data.feature_names;
  const Eigen::Index count = points.rows();
  Flow flow;
  flow.hash = loaded.hash;
  Eigen::Index taken = -1;
  if (function.empty()) {
    const analyse::Points all{points.data(), points.rows(), points.cols()};
    flow.function = analyse::project(all, analyse::principal_axes(all, 1, context));
    flow.name = "first principal coordinate";
    require(!flow.function.empty(), Fault::input, "[limit] expected points that differ, found {} times the same ({})", count, source);
  } else if (const auto at = std::find(names.begin(), names.end(), function); at != names.end()) {
    taken = at - names.begin();
    for (Eigen::Index i = 0; i < count; ++i) flow.function.push_back(points(i, taken));
    flow.name = function;
  } else {
    std::vector<std::string> known = names;
    if (!loaded.label.empty()) known.push_back(loaded.label);
    const std::string near = nearest_name(function, known);
    const bool numbers = loaded.data.targets.size() == count;
    require(function == loaded.label, Fault::usage, "[limit] expected a column ({}), found \"{}\" for --function{}", list_names(known), function,
            near.empty() ? std::string() : fmt::format(": did you mean \"{}\"?", near));
    require(numbers || loaded.data.classes.size() == 2, Fault::usage,
            "[limit] expected a column of numbers or of two classes for --function, found {} classes in \"{}\"",
            loaded.data.classes.size(), function);
    for (Eigen::Index i = 0; i < count; ++i)
      flow.function.push_back(numbers ? loaded.data.targets[i] : static_cast<double>(loaded.data.labels[static_cast<std::size_t>(i)]));
    flow.name = function;
  }
  for (Eigen::Index i = 0; i < count; ++i)
    for (Eigen::Index c = 0; c < points.cols(); ++c)
      if (c != taken) flow.rows.push_back(points(i, c));
  flow.columns = points.cols() - (taken >= 0 ? 1 : 0);
  require(flow.columns > 0, Fault::input, "[limit] expected a column beside the function's, found none ({})", source);
  return flow;
}

json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json as_json(const limit::AtEpsilon& at) {
  return {{"epsilon", at.epsilon}, {"dimension", number(at.dimension)}, {"change", number(at.change)}, {"order", number(at.order)},
          {"neighbours", number(at.neighbours)}};
}

json as_json(const limit::OwnPoints& found) {
  json curve = json::array(), density = json::array();
  for (const limit::AtEpsilon& at : found.curve) curve.push_back(as_json(at));
  const limit::Estimate& near = found.dimension_by_neighbours;
  return {{"points", found.points},
          {"columns", found.columns},
          {"queries", found.queries},
          {"curve", curve},
          {"half", as_json(found.half)},
          {"steepest", as_json(found.steepest)},
          {"dimension_by_neighbours", {{"value", number(near.value)}, {"interval", {number(near.low), number(near.high)}}}},
          {"linear_regime", {number(found.linear_low), number(found.linear_high)}},
          {"density", found.density}};
}

}  // namespace

void run_limit_data(const Globals& globals, const std::string& data, const std::string& function, const std::string& report) {
  ProgressBar bar(globals.quiet);
  const Context context = make_context(globals, bar);
  const Flow flow = load(data, function, context);
  const auto begin = std::chrono::steady_clock::now();
  const limit::OwnPoints found = limit::own_points(flow.rows, flow.columns, flow.function, globals.seed, context);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  bar.clear();
  json document = as_json(found);
  document.update({{"schema", 1},
                   {"kind", "limit-data"},
                   {"version", version},
                   {"command", globals.command_line},
                   {"seed", globals.seed},
                   {"seconds", seconds},
                   {"data", data_name(data)},
                   {"function", flow.name},
                   {"input_hash", flow.hash},
                   {"findings", limit::findings(found)}});
  if (!report.empty()) {
    json page = document;
    page["plots"] = limit::as_json(limit::plots(found));
    io::write_file(report, report::limit_page(page));
  }
  if (globals.json) return print_json(document);
  fmt::print("{}: {} points, {} columns; the function is {}\n", data_name(data), found.points, found.columns, flow.name);
  for (const std::string& sentence : limit::findings(found)) fmt::print("- {}\n", sentence);
  fmt::print("\n{:>11} {:>10} {:>9} {:>7} {:>12}\n", "eps", "dimension", "change", "order", "neighbours");
  const auto line = [](const limit::AtEpsilon& at, const char* what) {
    fmt::print("{:>11.4g} {:>10.3g} {:>9.3g} {:>7.3g} {:>12.4g}{}\n", at.epsilon, at.dimension, at.change, at.order, at.neighbours, what);
  };
  bool half_printed = false;
  for (const limit::AtEpsilon& at : found.curve) {
    if (!half_printed && at.epsilon > 0.5) {
      line(found.half, "  attention's own eps");
      half_printed = true;
    }
    line(at, at.epsilon == found.steepest.epsilon ? "  steepest" : "");
  }
  if (!half_printed) line(found.half, "  attention's own eps");
  flush_output();
}

}  // namespace calor::app

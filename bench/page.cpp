// The page of `make bench` from what the benchmarks wrote:
//
//   calor_bench_page OUT.html ATTENTION.json [IPN_STEP.json] [ONNXRUNTIME.json]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/version.h"
#include "calor/io/output.h"
#include "calor/measure/processor.h"
#include "calor/report/report.h"

namespace {

using nlohmann::json;

// The figures, in order: the works whose rows have this score and these numbers, at this width and number of heads.
struct Figure {
  const char *name, *title, *score, *numbers, *meaning;
};
constexpr int heads = 8, dim = 64;
const Figure figures[] = {
    {"dot", "Products", "dot", "float", "softmax(q·k / √d) v, as Transformers have it."},
    {"distances", "Squared distances", "squared_distance", "float", "softmax(−|q − k|² / √d) v. Torch has no such operator: its kernel for products is given two more channels, after the points have been centred."},
    {"metric", "A learned metric", "metric", "float", "softmax(−|φ(q) − φ(k)|² / √d) v with φ(x) = x + W₂ tanh(W₁ x), by torch on both sides, and counted."},
    {"bf16", "Products of bfloat16", "dot", "bfloat16", "Inputs and results in 16 bits. Where the processor multiplies bfloat16 twice as fast as float, more than float's peak is possible."},
    {"bf16_distances", "Squared distances of bfloat16", "squared_distance", "bfloat16", "As above, of points in 16 bits; torch's two more channels hold −|k|² as a rounded number and its rest."},
};

json read(const std::string& path) {
  std::ifstream file(path);
  calor::require(file.good(), calor::Fault::input, "[calor_bench_page] expected {}, found no such file: run the benchmark that writes it", path);
  return json::parse(file);
}

bool is_of(const json& row, const Figure& figure) {
  return row.at("score") == figure.score && row.at("numbers") == figure.numbers && row.at("heads") == heads && row.at("dim") == dim;
}

// One line a library, by the number of tokens; in percent where `percent`.
json plot_of(const json& rows, const Figure& figure, const std::string& title, int backward, const char* value, const char* y_title, bool percent) {
  static const char* const libraries[] = {"calor", "torch", "onnxruntime"};  // so that each has its colour
  std::map<std::string, std::map<double, double>> lines;
  for (const json& row : rows)
    if (is_of(row, figure) && (backward < 0 ? row.at("backward").get<bool>() || row.at("library") == "onnxruntime" : row.at("backward").get<bool>() == (backward == 1)))
      lines[row.at("library")][row.at("rows")] = row.at(value).get<double>() * (percent ? 100 : 1);
  json series = json::array();
  for (const char* library : libraries) {
    const auto& points = lines[library];
    if (points.empty()) continue;
    json x = json::array(), y = json::array();
    for (const auto& [at, height] : points) x.push_back(at), y.push_back(height);
    series.push_back({{"name", library}, {"x", x}, {"y", y}, {"line", "marked"}});
  }
  return {{"title", title}, {"x_title", "tokens"}, {"y_title", y_title}, {"x_log", true}, {"y_log", !percent}, {"x_ticks", {32, 128, 512, 2048, 8192}}, {"y_to", percent ? json(100) : json()}, {"series", series}};
}

// "Products: calor runs at 1.27 to 1.41 times torch's speed, at 90 to 98 % of the peak, ..." from 512 tokens on.
std::string finding(const json& rows, const Figure& figure) {
  double slowest = INFINITY, fastest = 0, least = INFINITY, most = 0;
  for (const json& row : rows) {
    if (!is_of(row, figure) || row.at("library") != "calor" || row.at("rows") < 512) continue;
    slowest = std::min(slowest, row.at("ratio_to_peer").get<double>()), fastest = std::max(fastest, row.at("ratio_to_peer").get<double>());
    least = std::min(least, row.at("share_of_bound").get<double>()), most = std::max(most, row.at("share_of_bound").get<double>());
  }
  const auto between = [](const std::string& low, const std::string& high) { return low == high ? low : low + " to " + high; };
  return fastest == 0 ? "" : fmt::format("{}, from 512 tokens: {} times torch's speed, {} % of what one core can do{}.", figure.title, between(fmt::format("{:.2f}", slowest), fmt::format("{:.2f}", fastest)),
                                         between(fmt::format("{:.0f}", 100 * least), fmt::format("{:.0f}", 100 * most)), std::string_view(figure.numbers) == "float" ? "" : " in float");
}

// "Errors against double: 0.47 to 3.38 times torch's, 1.46 in the middle of 48 runs of float" of Calor's runs, each beside torch's of the same work.
std::string finding_of_errors(const json& rows, const char* numbers) {
  const auto work = [](const json& row) { return fmt::format("{} {} {} {} {}", row.at("rows").dump(), row.at("heads").dump(), row.at("dim").dump(), row.at("backward").dump(), row.at("score").dump()); };
  std::map<std::string, double> peers;
  for (const json& row : rows)
    if (row.at("library") == "torch" && row.at("numbers") == numbers) peers[work(row)] = row.at("error").get<double>();
  std::vector<double> ratios;
  for (const json& row : rows)
    if (const auto peer = peers.find(work(row)); row.at("library") == "calor" && row.at("numbers") == numbers && peer != peers.end() && peer->second > 0) ratios.push_back(row.at("error").get<double>() / peer->second);
  if (ratios.empty()) return "";
  std::sort(ratios.begin(), ratios.end());
  return fmt::format("Errors of {} against double: {:.2f} to {:.2f} times torch's, {:.2f} in the middle of {} runs.", numbers, ratios.front(), ratios.back(), ratios[ratios.size() / 2], ratios.size());
}

json document_of(int count, char** paths) {
  const json attention = read(paths[0]);
  json rows = attention.at("results"), steps = json::array(), peers = {fmt::format("torch {}", attention.at("torch").get<std::string>())};
  for (int i = 1; i < count; ++i) {
    const json more = read(paths[i]);
    if (more.at("kind") == "bench_ipn_step") {
      steps = more.at("results");
    } else {
      for (const json& row : more.at("results")) rows.push_back(row);
      peers.push_back(more.at("peer"));
    }
  }
  json described = json::array(), findings = json::array();
  for (const Figure& figure : figures) {
    described.push_back({{"name", figure.name},
                         {"title", figure.title},
                         {"meaning", figure.meaning},
                         {"plots", {plot_of(rows, figure, "Forward", 0, "share_of_bound", "% of one core's peak", true),
                                    plot_of(rows, figure, "Forward and backward", 1, "share_of_bound", "% of one core's peak", true),
                                    plot_of(rows, figure, "Error against double", -1, "error", "largest error / largest value", false)}}});
    if (const std::string said = finding(rows, figure); !said.empty()) findings.push_back(said);
  }
  for (const char* numbers : {"float", "bfloat16"})
    if (const std::string said = finding_of_errors(rows, numbers); !said.empty()) findings.push_back(said);
  return {{"schema", 1},
          {"kind", "bench-report"},
          {"version", calor::version},
          {"machine", {{"processor", calor::measure::processor_name()}, {"isa", attention.at("isa")}}},
          {"limits", attention.at("limits")},
          {"peers", peers},
          {"findings", findings},
          {"figures", described},
          {"rows", rows},
          {"steps", steps}};
}

}  // namespace

int main(int count, char** arguments) {
  try {
    calor::require(count >= 3, calor::Fault::usage, "[calor_bench_page] expected OUT.html ATTENTION.json [IPN_STEP.json] [ONNXRUNTIME.json], found {} arguments", count - 1);
    calor::io::write_file(arguments[1], calor::report::bench_page(document_of(count - 2, arguments + 2)));
    fmt::print("{}\n", arguments[1]);
    return 0;
  } catch (const calor::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.fault());
  } catch (const std::exception& error) {
    fmt::print(stderr, "[calor_bench_page] {}\n", error.what());
    return static_cast<int>(calor::Fault::input);
  }
}

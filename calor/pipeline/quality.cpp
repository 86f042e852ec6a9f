#include "calor/pipeline/quality.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "calor/analyse/clusters.h"
#include "calor/analyse/embedding.h"
#include "calor/analyse/islands.h"
#include "calor/analyse/predictions.h"
#include "calor/analyse/spectrum.h"
#include "calor/core/text.h"
#include "calor/engine/csr.h"
#include "calor/pipeline/wants.h"

namespace calor::pipeline {

using nlohmann::json;

json number_or_null(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

static analyse::Points points_of(const Matrix& matrix) { return {matrix.data(), matrix.rows(), matrix.cols()}; }

// Where nearest neighbours take at most about a second a core: those of the embedding, and of the data, whose own graph is taken where there is one.
constexpr double most_products = 4e10, most_pairs = 5e9;

static bool takes_seconds(const Matrix& input, const Matrix& embedding, const Csr* graph) {
  const auto n = static_cast<double>(input.rows());
  return n * n <= most_pairs && n * n * static_cast<double>(embedding.cols()) <= most_products && (graph || n * n * static_cast<double>(input.cols()) <= most_products);
}

static json islands_json(const analyse::Islands& found) {
  json torn = json::array(), glued = json::array();
  for (const auto& pair : found.torn) torn.push_back({{"smaller", pair.smaller}, {"other", pair.other}, {"share", pair.share}});
  for (const auto& one : found.glued) glued.push_back({{"island", one.island}, {"parts", one.parts}});
  return {{"count", found.sizes.size()}, {"sizes", found.sizes}, {"of", found.island}, {"torn", std::move(torn)}, {"glued", std::move(glued)}};
}

static json embedding_json(const Matrix& input, const Matrix& embedding, const std::vector<std::int64_t>& labels, const Csr* graph,
                           std::uint64_t seed, const Context& context) {
  analyse::EmbeddingQualityOptions options;
  options.seed = seed;
  const analyse::EmbeddingQuality found = analyse::embedding_quality(points_of(input), points_of(embedding), labels, options, context);
  if (found.neighbours == 0) return nullptr;
  std::vector<std::int64_t> judged = found.judged;
  std::vector<double> kept = found.kept;
  json islands = nullptr;
  if (takes_seconds(input, embedding, graph)) {
    analyse::Islands all = analyse::islands(input, embedding, graph, {}, context);
    islands = islands_json(all);
    if (found.rows < found.points) {  // of every row, by the same neighbours
      judged.resize(static_cast<std::size_t>(found.points));
      std::iota(judged.begin(), judged.end(), 0);
      kept = std::move(all.kept);
    }
  }
  return {{"judged", std::move(judged)},
          {"kept", std::move(kept)},
          {"neighbours", found.neighbours},
          {"rows", found.rows},
          {"of", found.points},
          {"trustworthiness", number_or_null(found.trustworthiness)},
          {"continuity", number_or_null(found.continuity)},
          {"stress_1", number_or_null(found.stress_1)},
          {"purity", number_or_null(found.purity)},
          {"purity_of_input", number_or_null(found.purity_of_input)},
          {"islands", std::move(islands)}};
}

// The graph of neighbours that an embedding was made from: it joins rows to rows, each to enough.
static const Csr* own_graph(const State& state) {
  const Csr* graph = state.graph.get();
  return graph && !state.placing && graph->rows == state.rows() && graph->columns == graph->rows && analyse::serves_islands(*graph) ? graph : nullptr;
}

// Of the rows that have coordinates.
static json embedding_json(const State& state, const Known& known, const Context& context) {
  if (state.points->allFinite()) return embedding_json(*known.input, *state.points, known.labels, own_graph(state), state.seed, context);
  std::vector<Eigen::Index> rows;
  std::vector<std::int64_t> labels;
  for (Eigen::Index i = 0; i < state.points->rows(); ++i) {
    if (!state.points->row(i).allFinite()) continue;
    rows.push_back(i);
    if (!known.labels.empty()) labels.push_back(known.labels[static_cast<std::size_t>(i)]);
  }
  json found = embedding_json((*known.input)(rows, Eigen::all), (*state.points)(rows, Eigen::all), labels, nullptr, state.seed, context);
  if (!found.is_object()) return found;
  for (json& row : found["judged"]) row = rows[row.get<std::size_t>()];
  if (!found["islands"].is_object()) return found;
  json of(static_cast<std::size_t>(state.points->rows()), -1);
  for (std::size_t i = 0; i < rows.size(); ++i) of[static_cast<std::size_t>(rows[i])] = found["islands"]["of"][i];
  found["islands"]["of"] = std::move(of);
  return found;
}

static json clusters_json(const State& state, const Known& known) {
  const std::vector<std::int64_t> sizes = analyse::group_sizes(state.labels);
  const auto count = std::count_if(sizes.begin(), sizes.end(), [](std::int64_t size) { return size > 0; });  // new points may leave some out
  json result{{"count", count}, {"sizes", sizes}};
  if (known.labels.empty()) return result;
  const analyse::Agreement found = analyse::agreement(state.labels, known.labels);
  result.update({{"nmi", number_or_null(found.nmi)}, {"ari", number_or_null(found.ari)}, {"rows", found.rows}});
  return result;
}

static json prediction_json(const State& state, const Known& known) {
  const auto rows = static_cast<std::size_t>(state.scores.rows());
  const auto judged = [&](std::size_t i) { return i < known.judged.size() && known.judged[i]; };
  const std::span<const double> scores(state.scores.data(), static_cast<std::size_t>(state.scores.size()));
  if (state.class_scores) {
    std::vector<std::int64_t> labels(rows, -1);
    for (std::size_t i = 0; i < rows && !known.labels.empty(); ++i)
      if (judged(i) && known.labels[i] < state.scores.cols()) labels[i] = known.labels[i];
    const analyse::ClassQuality found = analyse::class_quality(scores, state.scores.cols(), labels);
    if (found.rows == 0) return nullptr;
    json reliability = json::array();
    for (const analyse::ReliabilityBin& bin : found.reliability)
      reliability.push_back({{"rows", bin.rows}, {"confidence", bin.confidence}, {"accuracy", bin.accuracy}});
    return {{"rows", found.rows},
            {"unreached", found.unreached},
            {"accuracy", number_or_null(found.accuracy)},
            {"log_loss", number_or_null(found.log_loss)},
            {"brier", number_or_null(found.brier)},
            {"calibration_error", number_or_null(found.calibration_error)},
            {"reliability", std::move(reliability)},
            {"classes", state.data->classes},
            {"confusion", found.confusion}};
  }
  std::vector<double> targets(rows, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < rows && known.targets.size(); ++i)
    if (judged(i)) targets[i] = known.targets[static_cast<Eigen::Index>(i)];
  const analyse::ValueQuality found = analyse::value_quality(scores, targets);
  if (found.rows + found.unreached == 0) return nullptr;
  return {{"rows", found.rows},
          {"unreached", found.unreached},
          {"root_mean_square_error", number_or_null(found.root_mean_square_error)},
          {"r2", number_or_null(found.r2)}};
}

// Of a square graph over the rows; what a stage made of a graph before (a mean, a union) has the same components.  Edges that lead
// to training rows only are no neighbourhood of all rows.
static json graph_json(const State& state, const std::vector<BoundStage>& stages) {
  for (const BoundStage& bound : stages)
    if (bound.stage->kind == Kind::support && wants_of(bound) == Wants::labels) return nullptr;
  const Csr* graph = state.graph ? state.graph.get() : state.data->graph.get();
  if (!graph || graph->rows != graph->columns || state.placing) return nullptr;
  const Components components = connected_components(*graph);
  std::vector<std::int64_t> sizes = components.sizes();
  std::sort(sizes.rbegin(), sizes.rend());
  return {{"rows", graph->rows}, {"edges", graph->edges()}, {"components", components.count}, {"sizes", std::move(sizes)}};
}

// What a break of the spectrum suggests depends on what it is the spectrum of; the constant is not among the values.
static json gap_json(const State& state, const std::vector<BoundStage>& stages) {
  std::string_view of;
  for (const BoundStage& bound : stages)
    if (bound.stage->spectrum) of = bound.stage->spectrum(bound.arguments);
  if (of.empty() || of == "residual") return nullptr;
  const auto gap = analyse::largest_gap({state.spectrum.data(), static_cast<std::size_t>(state.spectrum.size())});
  if (!gap) return nullptr;
  const bool walk = of == "laplacian" || state.similarity.row_stochastic();
  return {{"after", gap->after},
          {"size", gap->size},
          {"suggests", walk ? counted(gap->after + 1, "cluster") : counted(gap->after, "dimension")}};
}

json quality_of(const State& state, const std::vector<BoundStage>& stages, const Known& known, const Context& context) {
  json quality = json::object();
  const auto add = [&](const char* name, json found) {
    if (!found.is_null()) quality[name] = std::move(found);
  };
  if (state.type == types::embedding && known.input->cols() > 0 && known.input->rows() == state.rows())
    add("embedding", embedding_json(state, known, context));
  if (state.type == types::labels) add("clusters", clusters_json(state, known));
  if (state.type == types::prediction) add("prediction", prediction_json(state, known));
  add("graph", graph_json(state, stages));
  if (state.spectrum.size() && !state.placing) add("gap", gap_json(state, stages));
  return quality;
}

bool has_stability(const json& quality, const State& state) { return quality.contains("embedding") && state.points->allFinite(); }

void add_stability(json& quality, const State& state, const std::vector<Matrix>& others, const Context& context) {
  for (const Matrix& other : others)
    if (!other.allFinite()) return;
  const std::int64_t k = quality["embedding"]["neighbours"];
  const std::vector<double> kept = analyse::neighbours_shared(*state.points, others, k, context);
  quality["embedding"]["stability"] = {
      {"seeds", others.size() + 1}, {"neighbours", k}, {"mean", std::accumulate(kept.begin(), kept.end(), 0.0) / static_cast<double>(kept.size())}, {"kept", kept}};
}

// "0.984"; a dash for null.
static std::string decimals(const json& value) { return value.is_number() ? fmt::format("{:.3f}", value.get<double>()) : "-"; }

static std::string embedding_line(const json& found) {
  std::string line = fmt::format("trustworthiness {}, continuity {} ({} neighbours), stress-1 {}", decimals(found["trustworthiness"]),
                                 decimals(found["continuity"]), found["neighbours"].get<std::int64_t>(), decimals(found["stress_1"]));
  if (found["purity"].is_number())
    line += fmt::format(", neighbour purity {} ({} in the input)", decimals(found["purity"]), decimals(found["purity_of_input"]));
  if (found["rows"] != found["of"]) line += fmt::format("; on {} of {} rows", found["rows"].get<std::int64_t>(), found["of"].get<std::int64_t>());
  return line;
}

std::string distances_text(const json& quality) {
  constexpr double distorted = 0.25;
  if (!quality.contains("embedding")) return "";
  const json& stress = quality["embedding"]["stress_1"];
  if (!stress.is_number() || stress.get<double>() <= distorted) return "";
  return fmt::format("Distances between clusters, and between far points, say little in this picture: their stress-1 is {:.2f} (0: all distances are those of the data).", stress.get<double>());
}

void judge(json& document, json quality) {
  if (const std::string text = distances_text(quality); !text.empty()) document["notes"].push_back({{"stage", "quality"}, {"text", text}});
  document["quality"] = std::move(quality);
}

// Islands are called by their numbers from 1, as in the picture's legend.
std::string islands_text(const json& found) {
  if (!found.is_object() || (found["count"] < 2 && found["glued"].empty())) return "";
  const auto number = [](const json& island) { return island.get<std::int64_t>() + 1; };
  std::string text = counted(found["count"], "island");
  const auto outside = std::count(found["of"].begin(), found["of"].end(), json(-1));
  if (outside) text += fmt::format(", {} on none", counted(outside, "row"));
  constexpr std::size_t most_named = 3;
  for (std::size_t t = 0; t < std::min(most_named, found["torn"].size()); ++t) {
    const json& pair = found["torn"][t];
    text += fmt::format("; islands {} and {} are torn apart ({:.0f} % of the nearest neighbours of {} in the data lie on {})", number(pair["smaller"]), number(pair["other"]), 100 * pair["share"].get<double>(),
                        number(pair["smaller"]), number(pair["other"]));
  }
  if (found["torn"].size() > most_named) text += fmt::format("; {} more pairs are torn apart", found["torn"].size() - most_named);
  for (const json& one : found["glued"])
    text += fmt::format("; island {} merges {} groups that no mutual neighbours in the data join ({} points)", number(one["island"]), one["parts"].size(),
                        fmt::join(one["parts"].get<std::vector<std::int64_t>>(), ", "));
  return text;
}

static std::string prediction_line(const json& found, const char* kind_of_rows) {
  const std::int64_t rows = found["rows"];
  std::string line;
  if (found.contains("accuracy") && found["accuracy"].is_number())
    line = fmt::format("accuracy {:.1f} %, log-loss {}, Brier score {}, calibration error {} on {}", 100 * found["accuracy"].get<double>(),
                       decimals(found["log_loss"]), decimals(found["brier"]), decimals(found["calibration_error"]), counted(rows, kind_of_rows));
  else if (found.contains("root_mean_square_error") && found["root_mean_square_error"].is_number())
    line = fmt::format("root mean square error {:.4g}, R2 {} on {}", found["root_mean_square_error"].get<double>(), decimals(found["r2"]),
                       counted(rows, kind_of_rows));
  const std::int64_t unreached = found["unreached"];
  if (unreached) line += fmt::format("{}{} without a prediction", line.empty() ? "" : ", ", counted(unreached, "row"));
  return line;
}

std::vector<std::string> quality_lines(const json& quality, const char* judged_row) {
  std::vector<std::string> lines;
  if (quality.contains("embedding")) {
    lines.push_back(embedding_line(quality["embedding"]));
    if (std::string distances = distances_text(quality); !distances.empty()) lines.push_back(std::move(distances));
    if (const json& found = quality["embedding"]; found.contains("stability"))
      lines.push_back(fmt::format("stability: {:.0f} % of each point's {} nearest in the embedding are also among its nearest under {} other seed{}", 100 * found["stability"]["mean"].get<double>(),
                                  found["stability"]["neighbours"].get<std::int64_t>(), found["stability"]["seeds"].get<std::int64_t>() - 1, found["stability"]["seeds"] == 2 ? "" : "s"));
    if (std::string islands = islands_text(quality["embedding"]["islands"]); !islands.empty()) lines.push_back(std::move(islands));
  }
  if (quality.contains("clusters")) {
    const json& found = quality["clusters"];
    std::string line = counted(found["count"], "cluster");
    if (found.contains("nmi") && found["nmi"].is_number())
      line += fmt::format("; against the labels NMI {}, adjusted Rand index {}", decimals(found["nmi"]), decimals(found["ari"]));
    lines.push_back(line);
  }
  if (quality.contains("prediction")) lines.push_back(prediction_line(quality["prediction"], judged_row));
  if (quality.contains("gap"))
    lines.push_back(fmt::format("largest gap of the spectrum after {}: suggests {}", quality["gap"]["after"].get<std::int64_t>(),
                                quality["gap"]["suggests"].get<std::string>()));
  return lines;
}

}  // namespace calor::pipeline

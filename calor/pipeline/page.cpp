#include "calor/pipeline/page.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/pipeline/picture.h"

namespace calor::pipeline {

using nlohmann::json;

json run_document(const std::string& text, const Ran& ran, const State& state, const std::vector<Note>& remarks) {
  json notes = json::array(), figures = json::object(), spectrum = json::array(), series = json::object();
  for (const Note& note : remarks) notes.push_back({{"stage", note.stage}, {"text", note.text}});
  for (const auto& [name, value] : state.figures) figures[name] = number_or_null(value);
  for (const double value : state.spectrum) spectrum.push_back(number_or_null(value));
  for (const auto& [name, values] : state.series) {
    series[name] = json::array();
    for (const double value : values) series[name].push_back(number_or_null(value));
  }
  json train = json::array();  // which rows' labels could be used, where some were hidden
  for (const std::uint8_t mark : state.data->train) train.push_back(mark != 0);
  return {{"schema", 1},        {"kind", "run"},           {"version", version},
          {"command", ran.command},          {"pipeline", text},        {"seed", ran.seed},
          {"input_hash", ran.input_hash},    {"rows", state.data->rows()}, {"gives", type_names(state.type)},
          {"notes", notes},     {"figures", figures},      {"spectrum", spectrum},
          {"series", series},   {"seconds", ran.seconds},  {"train", train},
          {"read", ran.read}};
}

static void add_stages(const std::vector<BoundStage>& stages, int depth, json& list) {
  for (const BoundStage& bound : stages) {
    list.push_back({{"text", print(std::vector<Call>{bound.call})},
                    {"takes", type_names(bound.takes)},
                    {"gives", type_names(bound.gives)},
                    {"meaning", bound.stage->meaning},
                    {"citation", bound.stage->citation},
                    {"depth", depth}});
    for (const Parameter& parameter : bound.stage->parameters)
      if (parameter.takes == Parameter::Takes::pipeline) add_stages(bound.arguments.pipeline(parameter.name), depth + 1, list);
  }
}

json stages_json(const std::vector<BoundStage>& stages, const std::vector<StageTime>& times) {
  json list = json::array();
  add_stages(stages, 0, list);
  auto time = times.begin();
  for (json& stage : list)
    if (time != times.end() && stage["depth"] == 0) {
      stage["seconds"] = time->seconds;
      stage["processor_seconds"] = time->processor_seconds;
      ++time;
    }
  return list;
}

static std::string title_of(const Pictured& pictured) { return fmt::format("{} on {}", pictured.recipe, pictured.data); }

static std::string what_happened(const State& state, const Known& known, const Pictured& pictured, const json& quality) {
  const std::string points = counted(known.input->rows(), known.input->cols() ? "point" : "node");
  if (state.type == types::embedding)
    return fmt::format("{} gave {} to each of {}.", pictured.recipe, counted(state.points->cols(), "coordinate"), points);
  if (state.type == types::labels)
    return fmt::format("{} sorted {} into {}.", pictured.recipe, points, counted(quality["clusters"]["count"], "cluster"));
  if (state.type == types::prediction)
    return fmt::format("{} predicted {} for {}.", pictured.recipe,
                       state.class_scores ? fmt::format("one of {} classes", state.scores.cols()) : std::string("a value"), points);
  if (state.type == types::points) return fmt::format("{} moved {}.", pictured.recipe, points);
  if (state.field) return fmt::format("{} gave a value to each of {}.", pictured.recipe, points);
  return fmt::format("{} linked {}.", pictured.recipe, points);
}

static std::string percent(const json& share) { return fmt::format("{:.1f} %", 100 * share.get<double>()); }

// Any of these figures may be null: few rows with labels, or rows that are all alike, leave them without a value.
static std::string about_embedding(const json& found) {
  std::string text;
  if (found["trustworthiness"].is_number())
    text = fmt::format("Trustworthiness {:.3f} (1: neighbours in the picture are neighbours in the data)", found["trustworthiness"].get<double>());
  if (found["continuity"].is_number())
    text += fmt::format("{} {:.3f} (1: neighbours in the data are neighbours in the picture)", text.empty() ? "Continuity" : ", continuity", found["continuity"].get<double>());
  if (!text.empty()) text += ".";
  if (!found["purity"].is_number()) return text;
  text += fmt::format("{}{} of each point's {} nearest neighbours in the picture share its label", text.empty() ? "" : " ", percent(found["purity"]), found["neighbours"].get<std::int64_t>());
  if (found["purity_of_input"].is_number()) text += fmt::format("; {} in the input", percent(found["purity_of_input"]));
  return text + ".";
}

static std::string about_islands(const json& quality) {
  if (!quality.contains("embedding")) return "";
  const std::string text = islands_text(quality["embedding"]["islands"]);
  return text.empty() ? "" : fmt::format("The picture has {}.", text);
}

static std::string about_prediction(const json& found, bool placing) {
  const std::string rows = counted(found["rows"], placing ? "labelled row" : "held-out row");
  if (found.contains("accuracy")) {
    if (!found["accuracy"].is_number()) return "";
    return fmt::format("{} of {} are predicted correctly.", percent(found["accuracy"]), rows);
  }
  if (!found["r2"].is_number()) return "";
  return fmt::format("On {} it explains {} of the variance.", rows, percent(found["r2"]));
}

static std::string how_well(const json& quality, const State& state) {
  if (quality.contains("embedding")) return about_embedding(quality["embedding"]);
  if (quality.contains("clusters") && quality["clusters"].contains("ari") && quality["clusters"]["ari"].is_number())
    return fmt::format("Against the labels the adjusted Rand index is {:.2f} (0: as expected by chance, 1: the same groups).",
                       quality["clusters"]["ari"].get<double>());
  if (quality.contains("prediction")) return about_prediction(quality["prediction"], state.placing);
  if (state.type == types::prediction && !state.placing)
    return "No labels were held out, so how well it predicts is not known: --train 0.8 holds out a fifth of them.";
  return "";
}

static std::string about_graph(const json& quality) {
  if (!quality.contains("graph") || quality["graph"]["components"] == 1) return "";
  return fmt::format("The graph falls into {}, the largest with {} of {}.", counted(quality["graph"]["components"], "component"),
                     grouped_digits(quality["graph"]["sizes"][0]), counted(quality["graph"]["rows"], "row"));
}

json page_document(json document, const State& state, const Known& known, const Pictured& pictured, const Context& context) {
  const json& quality = document["quality"];
  const std::string distances = distances_text(quality);
  json sentences = json::array();
  for (std::string sentence : {what_happened(state, known, pictured, quality), how_well(quality, state), distances, about_islands(quality), about_graph(quality)})
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
  json notes = json::array();  // but what the summary says
  for (json& note : document["notes"])
    if (note["text"] != distances) notes.push_back(std::move(note));
  document["notes"] = std::move(notes);
  for (const char* name : {"figures", "series"})  // what placing new points has none of
    if (!document.contains(name)) document[name] = json::object();
  if (!document.contains("spectrum")) document["spectrum"] = json::array();
  document["title"] = title_of(pictured);
  document["summary"] = std::move(sentences);
  document["data"] = {{"name", pictured.data}, {"columns", known.input->cols()}, {"label", pictured.label}};
  document["picture"] = picture_of(state, known, pictured, quality, context);
  return document;
}

json watch_document(const Pictured& pictured) {
  return {{"schema", 1}, {"kind", "watch"}, {"version", version}, {"title", title_of(pictured)}, {"data", {{"name", pictured.data}, {"label", pictured.label}}}, {"running", true}};
}

void show_descent(json& document, const DescentState& state, const Known& known, const Pictured& pictured) {
  document["descent"] = {{"step", state.step}, {"most_steps", state.most_steps}, {"loss", nullptr}};
  if (!state.loss_name.empty())
    document["descent"]["loss"] = {{"name", state.loss_name}, {"value", number_or_null(state.loss)}, {"step", state.loss_step}};
  const auto rows = static_cast<Eigen::Index>(state.points.size()) / std::max<Eigen::Index>(1, state.dims);
  document["picture"] = picture_of_descent(Eigen::Map<const Matrix>(state.points.data(), rows, state.dims), known, pictured);
}

}  // namespace calor::pipeline

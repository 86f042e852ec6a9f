#include "predictions.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/core/version.h"
#include "calor/io/number.h"

namespace calor::app {

using nlohmann::json;

static std::size_t rows_of(const NewPredictions& found) {
  return found.classes.empty() ? static_cast<std::size_t>(found.values.size()) : found.winner.size();
}

static const std::string& class_of(const NewPredictions& found, std::size_t row) { return found.classes[static_cast<std::size_t>(found.winner[row])]; }

pipeline::Table table_of(const NewPredictions& found) {
  pipeline::Table table;
  if (!found.row_names.empty()) add_texts(table, "name", found.row_names);
  if (found.classes.empty()) {
    add_numbers(table, found.values, {"value"});
  } else {
    std::vector<std::string> winners, names;
    for (std::size_t i = 0; i < rows_of(found); ++i) winners.push_back(class_of(found, i));
    for (const std::string& name : found.classes) names.push_back("p_" + name);
    add_texts(table, "prediction", std::move(winners));
    add_numbers(table, found.probability, names);
  }
  add_evidence(table, found.evidence, static_cast<std::size_t>(found.most), /*named_rows=*/false, !found.classes.empty());
  return table;
}

static json number(const std::string& text) { return io::parse_number(text).value_or(0); }

static json evidence_json(const std::vector<pipeline::EvidenceCells>& cells, bool classes) {
  json evidence = json::array();
  for (const pipeline::EvidenceCells& one : cells)
    evidence.push_back({{"row", std::stoll(one.row)}, {"label", classes ? json(one.label) : number(one.label)}, {"weight", number(one.weight)}});
  return evidence;
}

json document_of(const Globals& globals, const std::string& input_hash, json read, const NewPredictions& found) {
  json rows = json::array();
  for (std::size_t i = 0; i < rows_of(found); ++i) {
    json entry;
    if (!found.row_names.empty()) entry["name"] = found.row_names[i];
    if (found.classes.empty()) {
      entry["value"] = found.values[static_cast<Eigen::Index>(i)];
    } else {
      const auto row = found.probability.row(static_cast<Eigen::Index>(i));
      entry["prediction"] = class_of(found, i);
      entry["probability"] = std::vector<double>(row.begin(), row.end());
    }
    if (found.most > 0) entry["evidence"] = evidence_json(found.evidence[i], !found.classes.empty());
    rows.push_back(std::move(entry));
  }
  return {{"schema", 1},
          {"kind", "predict"},
          {"version", version},
          {"command", globals.command_line},
          {"classes", found.classes},
          {"input_hash", input_hash},
          {"read", std::move(read)},
          {"rows", std::move(rows)}};
}

NewPredictions predictions_of(std::vector<std::string> row_names, std::vector<std::string> classes, const learn::Predictions& found) {
  NewPredictions result{std::move(row_names), std::move(classes), found.winner, engine::Matrix(found.rows, found.classes), {}, 0, {}};
  for (Eigen::Index k = 0; k < result.probability.size(); ++k)
    result.probability.data()[k] = io::parse_number(fmt::format("{}", found.probability[static_cast<std::size_t>(k)])).value_or(0);
  return result;
}

json accuracy_json(double accuracy) { return std::isnan(accuracy) ? json() : json(accuracy); }

void write_predictions(const Globals& globals, const std::string& output, pipeline::Format format, const std::string& input_hash, json read, const NewPredictions& found, const json& further) {
  std::string text;
  if (format == pipeline::Format::json) {
    json document = document_of(globals, input_hash, std::move(read), found);
    document.update(further);
    text = pipeline::dump(document) + "\n";
  } else {
    text = as_file(table_of(found), format, {});
  }
  write_result(output, text);
}

}  // namespace calor::app

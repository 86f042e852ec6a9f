#include "calor/pipeline/result_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/npy.h"
#include "calor/io/number.h"
#include "calor/io/separated.h"

namespace calor::pipeline {

using nlohmann::json;

std::string number_cell(double value) { return std::isfinite(value) ? fmt::format("{}", value) : std::string(); }

void add_column(Table& table, const std::string& name, std::vector<std::string> cells, bool text, bool given) {
  table.columns.push_back(name);
  table.cells.push_back(std::move(cells));
  table.text.push_back(text);
  table.given.push_back(given);
}

void add_texts(Table& table, const std::string& name, std::vector<std::string> cells, bool given) {
  add_column(table, name, std::move(cells), /*text=*/true, given);
}

void add_numbers(Table& table, const engine::Matrix& values, const std::vector<std::string>& names, bool given) {
  for (Eigen::Index c = 0; c < values.cols(); ++c) {
    std::vector<std::string> cells;
    for (Eigen::Index i = 0; i < values.rows(); ++i) cells.push_back(number_cell(values(i, c)));
    add_column(table, names[static_cast<std::size_t>(c)], std::move(cells), /*text=*/false, given);
  }
}

void add_evidence(Table& table, const std::vector<std::vector<EvidenceCells>>& rows, std::size_t most, bool named_rows, bool classes) {
  for (std::size_t k = 0; k < most; ++k) {
    std::vector<std::string> row, label, weight;
    for (const auto& found : rows) {
      const EvidenceCells cells = k < found.size() ? found[k] : EvidenceCells{};
      row.push_back(cells.row);
      label.push_back(cells.label);
      weight.push_back(cells.weight);
    }
    const std::string name = fmt::format("evidence{}", k + 1);
    add_column(table, name, std::move(row), named_rows);
    add_column(table, name + "_label", std::move(label), classes);
    add_column(table, name + "_weight", std::move(weight), /*text=*/false);
  }
}

std::vector<std::string> settle_names(Table& table) {
  std::vector<std::string> notes;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (!table.given[c]) continue;
    const auto taken = [&](const std::string& name) {
      for (std::size_t other = 0; other < table.columns.size(); ++other)
        if (other != c && table.columns[other] == name) return true;
      return false;
    };
    std::string name = table.columns[c];
    while (taken(name)) name = "input_" + name;
    if (name == table.columns[c]) continue;
    notes.push_back(fmt::format("the input's column \"{}\" is written as \"{}\", since another column has that name", table.columns[c], name));
    table.columns[c] = name;
  }
  return notes;
}

static std::string as_text(const Table& table, char delimiter) {
  std::string text;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c) text += delimiter;
    text += io::separated_cell(table.columns[c], delimiter);
  }
  text += "\n";
  for (std::size_t i = 0; i < table.rows(); ++i) {
    for (std::size_t c = 0; c < table.cells.size(); ++c) {
      if (c) text += delimiter;
      text += table.text[c] ? io::separated_cell(table.cells[c][i], delimiter) : table.cells[c][i];
    }
    text += "\n";
  }
  return text;
}

static std::string as_npy(const Table& table) {
  std::vector<std::size_t> numbers;
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    if (!table.text[c]) numbers.push_back(c);
  require(!numbers.empty(), Fault::usage, "[output] expected numbers for a npy file, found texts alone ({}): write a csv", list_names(table.columns));
  std::vector<double> values;
  for (std::size_t i = 0; i < table.rows(); ++i)
    for (const std::size_t c : numbers) values.push_back(io::parse_number(table.cells[c][i]).value_or(std::numeric_limits<double>::quiet_NaN()));
  return io::npy_file(values, static_cast<std::int64_t>(table.rows()), static_cast<std::int64_t>(numbers.size()));
}

Format format_of(const std::string& path, bool asked_json) {
  const std::string suffix = io::lower_case(std::filesystem::path(path).extension().string());
  if (suffix.empty() || suffix == ".txt") return asked_json ? Format::json : Format::csv;
  require(!asked_json || suffix == ".json", Fault::usage, "[output] expected a .json file with --json, found \"{}\": name it so, or leave out --json", path);
  if (suffix == ".json") return Format::json;
  if (suffix == ".csv") return Format::csv;
  if (suffix == ".tsv" || suffix == ".tab") return Format::tsv;
  require(suffix == ".npy", Fault::usage, "[output] expected a .csv, .tsv, .npy or .json file, found \"{}\": name it so", path);
  return Format::npy;
}

std::string as_file(const Table& table, Format format, json document) {
  if (format == Format::npy) return as_npy(table);
  if (format != Format::json) return as_text(table, format == Format::tsv ? '\t' : ',');
  document["result"] = as_json(table);
  return dump(document) + "\n";
}

std::string dump(const json& document) { return document.dump(-1, ' ', false, json::error_handler_t::replace); }

json as_json(const Table& table) {
  json columns = json::object();
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    json values = json::array();
    for (const std::string& text : table.cells[c]) {
      if (table.text[c]) values.push_back(text);
      else if (const auto parsed = text.empty() ? std::nullopt : io::parse_number(text)) values.push_back(*parsed);
      else values.push_back(nullptr);
    }
    columns[table.columns[c]] = std::move(values);
  }
  return {{"order", table.columns}, {"values", std::move(columns)}};
}

}  // namespace calor::pipeline

#include "calor/pipeline/result_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/hash.h"
#include "calor/io/npy.h"
#include "calor/io/number.h"
#include "calor/io/separated.h"

namespace calor::pipeline {

using nlohmann::json;

std::string number_cell(double value) { return std::isfinite(value) ? fmt::format("{}", value) : std::string(); }

std::size_t Column::rows() const {
  return std::visit([](const auto& values) { return values.size(); }, cells);
}

std::string Column::cell(std::size_t row) const {
  if (const auto* texts = std::get_if<std::vector<std::string>>(&cells)) return (*texts)[row];
  return number_cell(std::get<std::vector<double>>(cells)[row]);
}

void add_texts(Table& table, const std::string& name, std::vector<std::string> cells, bool given) {
  table.columns.push_back({name, std::move(cells), given});
}

void add_numbers(Table& table, const std::string& name, std::vector<double> cells, bool given) {
  table.columns.push_back({name, std::move(cells), given});
}

void add_numbers(Table& table, const engine::Matrix& values, const std::vector<std::string>& names, bool given) {
  for (Eigen::Index c = 0; c < values.cols(); ++c) {
    const auto column = values.col(c);
    add_numbers(table, names[static_cast<std::size_t>(c)], std::vector<double>(column.begin(), column.end()), given);
  }
}

// Of texts, or of the numbers that they are.
static void add_cells(Table& table, const std::string& name, std::vector<std::string> cells, bool text) {
  if (text) return add_texts(table, name, std::move(cells));
  std::vector<double> numbers;
  for (const std::string& cell : cells) numbers.push_back(io::parse_number(cell).value_or(std::numeric_limits<double>::quiet_NaN()));
  add_numbers(table, name, std::move(numbers));
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
    add_cells(table, name, std::move(row), named_rows);
    add_cells(table, name + "_label", std::move(label), classes);
    add_cells(table, name + "_weight", std::move(weight), /*text=*/false);
  }
}

std::vector<std::string> settle_names(Table& table) {
  std::vector<std::string> notes;
  for (Column& column : table.columns) {
    if (!column.given) continue;
    const auto taken = [&](const std::string& name) {
      return std::any_of(table.columns.begin(), table.columns.end(), [&](const Column& other) { return &other != &column && other.name == name; });
    };
    std::string name = column.name;
    while (taken(name)) name = "input_" + name;
    if (name == column.name) continue;
    notes.push_back(fmt::format("the input's column \"{}\" is written as \"{}\", since another column has that name", column.name, name));
    column.name = name;
  }
  return notes;
}

static std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const Column& column : table.columns) names.push_back(column.name);
  return names;
}

static std::string as_text(const Table& table, char delimiter) {
  std::string text;
  const char* between = "";
  const std::string separator(1, delimiter);
  for (const Column& column : table.columns) {
    text += between + io::separated_cell(column.name, delimiter);
    between = separator.c_str();
  }
  text += "\n";
  for (std::size_t i = 0; i < table.rows(); ++i) {
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (c) text += delimiter;
      const Column& column = table.columns[c];
      text += column.text() ? io::separated_cell(column.cell(i), delimiter) : column.cell(i);
    }
    text += "\n";
  }
  return text;
}

static std::string as_npy(const Table& table) {
  std::vector<const std::vector<double>*> numbers;
  for (const Column& column : table.columns)
    if (!column.text()) numbers.push_back(&std::get<std::vector<double>>(column.cells));
  require(!numbers.empty(), Fault::usage, "[output] expected numbers for a npy file, found texts alone ({}): write a csv", list_names(names_of(table)));
  std::string file = io::npy_header(static_cast<std::int64_t>(table.rows()), static_cast<std::int64_t>(numbers.size()));
  file.reserve(file.size() + table.rows() * numbers.size() * sizeof(double));
  for (std::size_t i = 0; i < table.rows(); ++i)
    for (const auto* column : numbers) {
      const double value = std::isfinite((*column)[i]) ? (*column)[i] : std::numeric_limits<double>::quiet_NaN();
      file.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
  return file;
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

std::string digest_of(const Table& table) {
  io::Sha256 digest;
  for (const Column& column : table.columns) {
    digest.add(column.name + (column.text() ? ":text\n" : ":numbers\n"));
    if (const auto* texts = std::get_if<std::vector<std::string>>(&column.cells)) {
      for (const std::string& text : *texts) digest.add(std::to_string(text.size()) + ":" + text);
    } else {
      const auto& numbers = std::get<std::vector<double>>(column.cells);
      digest.add({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double)});
    }
  }
  return digest.hex();
}

json as_json(const Table& table) {
  json columns = json::object();
  for (const Column& column : table.columns) {
    json values = json::array();
    if (const auto* texts = std::get_if<std::vector<std::string>>(&column.cells)) {
      values = *texts;
    } else {
      for (const double number : std::get<std::vector<double>>(column.cells)) values.push_back(std::isfinite(number) ? json(number) : json());
    }
    columns[column.name] = std::move(values);
  }
  return {{"order", names_of(table)}, {"values", std::move(columns)}};
}

}  // namespace calor::pipeline

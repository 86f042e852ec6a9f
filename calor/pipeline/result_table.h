// A result as a table, and every form that it is written in: csv, tsv, npy, JSON.  One way for all.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "calor/engine/matrix.h"
#include "calor/io/dataset.h"

namespace calor::pipeline {

// A number (NaN: none) or a text for each row.
struct Column {
  std::string name;
  std::variant<std::vector<double>, std::vector<std::string>> cells;
  bool given = false;  // it is the input's, under the input's name

  bool text() const { return std::holds_alternative<std::vector<std::string>>(cells); }
  std::size_t rows() const;
  // As csv shows it, without quotes.
  std::string cell(std::size_t row) const;
};

struct Table {
  std::vector<Column> columns;
  std::size_t rows() const { return columns.empty() ? 0 : columns.front().rows(); }
};

// What a cell holds: the shortest text of the number; "" for what is not finite.
std::string number_cell(double value);

void add_texts(Table& table, const std::string& name, std::vector<std::string> cells, bool given = false);
void add_numbers(Table& table, const std::string& name, std::vector<double> cells, bool given = false);
void add_numbers(Table& table, const engine::Matrix& values, const std::vector<std::string>& names, bool given = false);

// A row that a prediction was made from.
struct EvidenceCells {
  std::string row, label, weight;
};

// "evidence1", "evidence1_label", "evidence1_weight", "evidence2", ..., `most` of them; empty where a row has fewer.
void add_evidence(Table& table, const std::vector<std::vector<EvidenceCells>>& rows, std::size_t most, bool named_rows, bool classes);

// Columns of the result keep their names; one of the input that is called like another column becomes "input_NAME".  Says which did.
std::vector<std::string> settle_names(Table& table);

enum class Format { csv, tsv, npy, json };

// By the file's name: .csv, .txt, no extension and "" (standard output) are csv; .tsv and .tab; .npy; .json.  With `asked_json` (--json) a name
// without extension, .txt and "" are JSON too.  Throws Fault::usage for any other extension, and with `asked_json` for a name of another format.
Format format_of(const std::string& path, bool asked_json);

// .npy holds the numbers alone, NaN where there is none.  JSON is `document` with "result".
std::string as_file(const Table& table, Format format, nlohmann::json document);

// A JSON document as text; bytes of names that are not UTF-8 are replaced.
std::string dump(const nlohmann::json& document);

// SHA-256 of the columns' names and cells, bit for bit: equal results have equal digests.
std::string digest_of(const Table& table);

// {"order": names, "values": {name: [..]}}
nlohmann::json as_json(const Table& table);

}  // namespace calor::pipeline

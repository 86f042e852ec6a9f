// What calor run and calor apply have in common: writing a state as csv or JSON.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/dataset.h"
#include "calor/pipeline/model.h"
#include "calor/pipeline/state.h"

namespace calor::app {

// A result as a table: a name, numbers or texts for each row.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> cells;  // one list a column, of texts as csv shows them
  std::vector<bool> text;                       // one a column: JSON shows numbers as numbers
};

// The state's result: row names, then coordinates "dim1".., "cluster", "prediction" with "p_<class>", "value", what flowed, or
// the edges of a graph or similarity; then the label column where one is given.  Throws Fault::usage for a similarity over all pairs.
Table table_of(const pipeline::State& state, const std::vector<std::string>& row_names, const std::string& label,
               const std::vector<std::string>& label_values);

// Adds to a prediction's table, for each row, the `most` labelled rows of the fit that weighed most in it: "evidence1" (its name, or
// its number from 1), "evidence1_label", "evidence1_weight" (its share of all weights), "evidence2", ...
// Throws Fault::usage for a result that is no weighing of labelled rows.
void add_evidence(Table& table, const pipeline::State& state, std::int64_t most, const Context& context);

// Puts the features of the input (and with them the rows' names) before the result's columns.  Throws Fault::usage for a result of other rows.
void append_to_input(Table& table, const pipeline::Data& data);

std::string as_text(const Table& table, char delimiter);
// By the file's suffix: .tsv with tabs, .npy with the numbers alone, anything else as csv.
std::string as_file(const Table& table, const std::string& path);
// Throws Fault::usage for a suffix of a format that is not written.
void check_format(const std::string& path);
nlohmann::json as_json(const Table& table);

// The class of the greatest score; -1 for a row without.
std::int64_t winner(const engine::Matrix& scores, std::int64_t row);

}  // namespace calor::app

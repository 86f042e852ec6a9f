// What calor predict writes, whatever model predicted.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "calor/io/dataset.h"
#include "calor/learn/rows/predict.h"
#include "calor/pipeline/result_table.h"
#include "command.h"

namespace calor::app {

struct NewPredictions {
  std::vector<std::string> row_names;  // empty: the rows have none
  std::vector<std::string> classes;    // empty: values are predicted
  std::vector<std::int64_t> winner;    // class of each row
  engine::Matrix probability;        // rows x classes
  engine::Vector values;
  std::int64_t most = 0;               // training rows of evidence, for each row
  std::vector<std::vector<pipeline::EvidenceCells>> evidence;
};

// Of a network, whose probabilities are 32-bit floats: the shortest text of each is what is written.
NewPredictions predictions_of(std::vector<std::string> row_names, std::vector<std::string> classes, const learn::Predictions& found);

// To the file, or to standard output; `further` are fields of a JSON document beside document_of's.
void write_predictions(const Globals& globals, const std::string& output, pipeline::Format format, const std::string& input_hash, nlohmann::json read, const NewPredictions& found,
                       const nlohmann::json& further);

// The share of right ones as a document has it: null where nothing is known.
nlohmann::json accuracy_json(double accuracy);

// "name" where rows have names, "prediction" and "p_<class>" or "value", and the evidence.
pipeline::Table table_of(const NewPredictions& found);

// {"schema", "kind": "predict", "version", "command", "classes", "input_hash", "read", "rows": [{"name", "prediction", "probability"} or
// {"name", "value"}, and "evidence"]}; "name" where rows have names.
nlohmann::json document_of(const Globals& globals, const std::string& input_hash, nlohmann::json read, const NewPredictions& found);

}  // namespace calor::app

#include "calor/learn/preprocess.h"

#include <algorithm>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/text.h"

namespace calor::learn {
namespace {

bool generated_names(const std::vector<std::string>& names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != fmt::format("x{}", i + 1)) return false;
  }
  return true;
}

std::vector<std::int64_t> all_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

template <class Value>
std::vector<Value> pick(const std::vector<Value>& values, const std::vector<std::int64_t>& rows) {
  std::vector<Value> picked;
  picked.reserve(rows.size());
  for (const std::int64_t row : rows) picked.push_back(values[static_cast<std::size_t>(row)]);
  return picked;
}

// A test file's labels as indices of the training file's classes.
std::vector<std::int64_t> matched_labels(const io::Dataset& data, const io::Dataset& test) {
  std::vector<std::int64_t> index;
  for (const std::string& name : test.classes) {
    const auto found = std::find(data.classes.begin(), data.classes.end(), name);
    require(found != data.classes.end(), Fault::input,
            "[train] expected the classes {} in the test data, found '{}' ({}): give it the labels of the training data",
            list_names(data.classes), name, test.source);
    index.push_back(found - data.classes.begin());
  }
  return pick(index, test.labels);
}

// `test` with its columns in the order of `data`.
io::Dataset with_columns_of(const io::Dataset& data, const io::Dataset& test) {
  const auto columns = match_columns(data.features, test, "train");
  io::Dataset arranged = test;
  arranged.columns = data.columns;
  arranged.features = data.features;
  arranged.values.resize(static_cast<std::size_t>(test.rows * data.columns));
  for (std::int64_t row = 0; row < test.rows; ++row) {
    for (std::int64_t column = 0; column < data.columns; ++column) {
      arranged.values[static_cast<std::size_t>(row * data.columns + column)] =
          test.row(row)[columns[static_cast<std::size_t>(column)]];
    }
  }
  return arranged;
}

}  // namespace

std::vector<std::int64_t> match_columns(const std::vector<std::string>& features, const io::Dataset& data,
                                        const char* op) {
  const auto count = static_cast<std::int64_t>(features.size());
  if (generated_names(features) || generated_names(data.features)) {
    require(data.columns == count, Fault::input, "[{}] expected {} feature columns, found {} ({}): give the same columns",
            op, count, data.columns, data.source);
    return all_rows(count);
  }
  std::vector<std::int64_t> columns;
  std::vector<std::string> missing;
  for (const std::string& name : features) {
    const auto found = std::find(data.features.begin(), data.features.end(), name);
    if (found == data.features.end()) {
      missing.push_back(name);
    } else {
      columns.push_back(found - data.features.begin());
    }
  }
  require(missing.empty(), Fault::input,
          "[{}] expected the columns {}, found {} without {} ({}): name the columns as in training", op, list_names(features),
          list_names(data.features), list_names(missing), data.source);
  return columns;
}

Prepared prepare(const io::Dataset& data, const std::optional<io::Dataset>& test, const PrepareOptions& options) {
  const auto classes = static_cast<std::int64_t>(data.classes.size());
  require(data.labelled(), Fault::input,
          "[train] expected a label for each row, found none ({}): name the label column with --label", data.source);
  require(data.columns >= 1, Fault::input, "[train] expected at least 1 feature column, found none ({})", data.source);
  require(data.rows >= 2, Fault::input, "[train] expected at least 2 rows to train on, found {} ({}): give more data",
          data.rows, data.source);
  const std::int64_t present = classes_present(data.labels, classes);
  require(present >= 2, Fault::input, "[train] expected at least 2 classes, found {} ({}): check the label column (--label)",
          present, data.source);
  Split split;
  if (test) {
    require(test->labelled(), Fault::input, "[train] expected labelled test data, found no labels ({})", test->source);
    require(test->rows >= 1, Fault::input, "[train] expected at least 1 test row, found none ({})", test->source);
    split.train = all_rows(data.rows);
  } else {
    split = stratified_split(data.labels, classes, options.test_share, options.seed);
  }
  Prepared prepared;
  prepared.columns = data.columns;
  prepared.classes = classes;
  prepared.standardisation =
      options.standardise ? fit_standardisation(data, split.train) : identity_standardisation(data.columns);
  prepared.constant_columns = constant_columns(data, split.train);
  prepared.train = standardised_rows(data, split.train, prepared.standardisation);
  prepared.train_labels = pick(data.labels, split.train);
  if (test) {
    const io::Dataset arranged = with_columns_of(data, *test);
    prepared.test = standardised_rows(arranged, all_rows(test->rows), prepared.standardisation);
    prepared.test_labels = matched_labels(data, *test);
  } else {
    prepared.test = standardised_rows(data, split.test, prepared.standardisation);
    prepared.test_labels = pick(data.labels, split.test);
  }
  prepared.kept = stratified_sample(prepared.train_labels, classes, options.kept_tokens, options.seed);
  prepared.train_rows = std::move(split.train);
  prepared.test_rows = std::move(split.test);
  return prepared;
}

}  // namespace calor::learn

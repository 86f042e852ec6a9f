#include "calor/learn/data/preprocess.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

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

// Networks are given floats.
void require_floats(const io::Dataset& data, const engine::Matrix& points) {
  Eigen::Index row = 0, column = 0;
  const double largest = points.cwiseAbs().maxCoeff(&row, &column);
  require(largest <= std::numeric_limits<float>::max(), Fault::input,
          "[train] expected features of at most {:.2g} where they are not standardised, found {} (column \"{}\", {}): leave out --no-standardise",
          std::numeric_limits<float>::max(), points(row, column), data.features[static_cast<std::size_t>(column)], data.source);
}

engine::Matrix points_of_rows(const io::Dataset& data, const std::vector<std::int64_t>& rows) {
  engine::Matrix points(static_cast<Eigen::Index>(rows.size()), data.columns);
  for (std::size_t i = 0; i < rows.size(); ++i) std::copy_n(data.row(rows[i]), data.columns, points.row(static_cast<Eigen::Index>(i)).data());
  return points;
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

engine::Matrix points_of(const std::vector<std::string>& features, const io::Dataset& data, const char* op) {
  const std::vector<std::int64_t> columns = match_columns(features, data, op);
  engine::Matrix points(data.rows, static_cast<Eigen::Index>(columns.size()));
  for (std::int64_t i = 0; i < data.rows; ++i)
    for (std::size_t c = 0; c < columns.size(); ++c) points(i, static_cast<Eigen::Index>(c)) = data.row(i)[columns[c]];
  return points;
}

io::Filling fill_missing(const io::Dataset& data, engine::Matrix& train, engine::Matrix& test) {
  const auto span = [](engine::Matrix& points) { return std::span<double>(points.data(), static_cast<std::size_t>(points.size())); };
  // Without missing values the means are kept all the same: new rows may be filled with them.
  if (data.fill_by != io::Missing::mean && data.fill_by != io::Missing::neighbours)
    return {data.fill_by, io::fit_filling(span(train), data.features, io::Missing::mean, data.source).mean};
  const io::Filling filling = io::fit_filling(span(train), data.features, data.fill_by, data.source);
  const engine::Matrix donors = train;
  const std::span<const double> given(donors.data(), static_cast<std::size_t>(donors.size()));
  for (engine::Matrix* points : {&train, &test}) io::fill(span(*points), data.columns, filling, given, Context());
  return filling;
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
  prepared.train = points_of_rows(data, split.train);
  prepared.train_labels = pick(data.labels, split.train);
  if (test) {
    prepared.test = points_of(data.features, *test, "train");
    prepared.test_labels = matched_labels(data, *test);
  } else {
    prepared.test = points_of_rows(data, split.test);
    prepared.test_labels = pick(data.labels, split.test);
  }
  prepared.filling = fill_missing(data, prepared.train, prepared.test);
  prepared.standardisation = fit_standardisation(prepared.train);
  for (std::size_t c = 0; c < data.features.size(); ++c)
    if (prepared.standardisation.deviation[c] == 0) prepared.constant_columns.push_back(data.features[c]);
  if (!options.standardise) prepared.standardisation = identity_standardisation(data.columns);
  if (!options.standardise)
    for (const engine::Matrix* points : {&prepared.train, &prepared.test}) require_floats(data, *points);
  prepared.kept = stratified_sample(prepared.train_labels, classes, options.kept_tokens, options.seed);
  prepared.train_rows = std::move(split.train);
  prepared.test_rows = std::move(split.test);
  return prepared;
}

}  // namespace calor::learn

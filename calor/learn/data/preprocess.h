// From a data set to what training works on: split, its standardisation, the tokens that are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calor/io/dataset.h"
#include "calor/io/missing.h"
#include "calor/learn/data/split.h"
#include "calor/learn/data/standardisation.h"

namespace calor::learn {

// What training works on.
struct Prepared {
  std::int64_t columns = 0, classes = 0;
  engine::Matrix train, test;             // rows x columns, as the data set has them
  std::vector<std::int64_t> train_labels, test_labels;
  std::vector<std::int64_t> train_rows, test_rows;  // of the data set; test_rows empty with a test file
  std::vector<std::int64_t> kept;           // rows of `train` that others attend to: at most kept_tokens
  io::Filling filling;                      // fitted on the training rows; both parts are filled
  Standardisation standardisation;          // fitted on the training rows, or the identity
  std::vector<std::string> constant_columns;
  std::int64_t train_count() const { return static_cast<std::int64_t>(train_labels.size()); }
  std::int64_t test_count() const { return static_cast<std::int64_t>(test_labels.size()); }
};

struct PrepareOptions {
  double test_share = 0.2;
  bool standardise = true;
  std::int64_t kept_tokens = 2000;
  std::uint64_t seed = 0;
};

// The split of `data`, or `data` against `test` (matched by feature and class names).
// Throws Fault::input, [train]: no labels; one row; one class; columns or classes of `test` that do not fit.
Prepared prepare(const io::Dataset& data, const std::optional<io::Dataset>& test, const PrepareOptions& options);

// For each of the features, its column in the data set: by name; by position where either side has no header (names x1,
// x2, ...).  Throws Fault::input, [op], naming the columns that are missing, or the counts that differ.
std::vector<std::int64_t> match_columns(const std::vector<std::string>& features, const io::Dataset& data,
                                        const char* op);

// Puts what the training rows give in the place of missing values, in both parts, as data.fill_by has it.
io::Filling fill_missing(const io::Dataset& data, engine::Matrix& train, engine::Matrix& test);

// Those columns in the order of the features, as exact as the data set has them.  Throws as match_columns().
engine::Matrix points_of(const std::vector<std::string>& features, const io::Dataset& data, const char* op);

}  // namespace calor::learn

// Classes of new points by a saved model.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/dataset.h"
#include "calor/learn/rows/model_file.h"

namespace calor::learn {

struct Predictions {
  std::int64_t rows = 0, classes = 0;
  std::vector<std::int64_t> winner;    // class index per row
  std::vector<float> probability;      // rows x classes, row-major
  // Share of rows whose label is the winner; NaN when the data set has no labels.
  double accuracy = 0;
};

// Under the protocol's `attend`, as in training: the same points get the same classes and probabilities.  Columns are
// matched by name, in any order, further ones left out; by position where either side has no header.  Labels, where there
// are any, are matched to the model's classes by name.
// Throws Fault::input naming the columns that are missing; Fault::memory.
Predictions predict(const Model& model, const io::Dataset& data, const Context& context);

}  // namespace calor::learn

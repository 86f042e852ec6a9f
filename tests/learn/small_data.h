// Small data sets that the tests of this room share.
#pragma once

#include <string>

#include "calor/core/random.h"
#include "calor/io/dataset.h"

namespace calor::learn {

// Normal clouds around one corner a class, `rows` points in turn, far enough apart to be learned in a few steps.
inline io::Dataset clouds(std::int64_t rows, std::int64_t columns, std::int64_t classes, std::uint64_t seed = 0) {
  io::Dataset data;
  data.name = data.source = "clouds";
  data.hash = "clouds-" + std::to_string(rows) + "-" + std::to_string(seed);
  data.rows = rows;
  data.columns = columns;
  data.label = "label";
  for (std::int64_t c = 0; c < classes; ++c) data.classes.push_back("class " + std::to_string(c));
  for (std::int64_t c = 0; c < columns; ++c) data.features.push_back("feature " + std::to_string(c));
  Random random(seed, Purpose::test);
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t label = i % classes;
    data.labels.push_back(label);
    for (std::int64_t c = 0; c < columns; ++c) {
      data.values.push_back(static_cast<float>((c % classes == label ? 2.0 : 0.0) + 0.7 * random.normal()));
    }
  }
  return data;
}

}  // namespace calor::learn

// The geometry of scikit-learn's make_moons (sklearn/datasets/_samples_generator.py); random numbers are Calor's own.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/io/dataset.h"
#include "calor/io/hash.h"
#include "calor/io/number.h"

namespace calor::io {

Dataset two_moons(std::int64_t rows, double noise, std::uint64_t seed) {
  require(rows >= 2, Fault::usage, "[moons] expected at least 2 rows, found {}: ask for more", rows);
  require(noise >= 0 && std::isfinite(noise), Fault::usage,
          "[moons] expected a noise of at least 0, found {}: choose another", noise);
  Dataset data;
  data.name = data.source = "moons";
  data.rows = rows;
  data.columns = 2;
  data.features = {"x1", "x2"};
  data.label = "label";
  data.classes = {"0", "1"};
  const std::int64_t counts[] = {rows - rows / 2, rows / 2};
  std::vector<float> floats;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t moon = i % 2;
    const double steps = static_cast<double>(std::max<std::int64_t>(counts[moon] - 1, 1));
    const double t = std::numbers::pi * static_cast<double>(i / 2) / steps;
    const double x = moon == 0 ? std::cos(t) : 1 - std::cos(t), y = moon == 0 ? std::sin(t) : 0.5 - std::sin(t);
    Random random(seed, Purpose::data, static_cast<std::uint64_t>(i));
    const double dx = noise * random.normal(), dy = noise * random.normal();
    for (const float value : {static_cast<float>(x + dx), static_cast<float>(y + dy)}) {
      floats.push_back(value);
      data.values.push_back(*parse_number(fmt::format("{}", value)));  // as a text file of floats holds it
    }
    data.labels.push_back(moon);
  }
  std::string bytes(reinterpret_cast<const char*>(floats.data()), floats.size() * sizeof(float));
  data.hash = sha256(
      bytes.append(reinterpret_cast<const char*>(data.labels.data()), data.labels.size() * sizeof(std::int64_t)));
  return data;
}

}  // namespace calor::io

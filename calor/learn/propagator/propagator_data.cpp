// From data sets to what a propagator is trained and tested on.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/learn/propagator/train_propagator.h"
#include "calor/pipeline/data.h"

namespace calor::learn {
namespace {

using engine::Matrix;

PropagatorRows rows_of(const pipeline::Data& data) {
  PropagatorRows result{*data.features, {}, data.targets, std::vector<std::int64_t>(static_cast<std::size_t>(data.rows()))};
  std::iota(result.rows.begin(), result.rows.end(), std::int64_t{0});
  return result;
}

// Labels that are numbers.
PropagatorRows value_rows(const io::Dataset& data, const std::vector<std::string>& features) {
  require(data.labelled(), Fault::input, "[train] expected values in a label column, found none ({}): name the column with --label", data.source);
  pipeline::Data found = pipeline::data_of(data);
  require(found.targets.size() == data.rows, Fault::input, "[train] expected numbers in the column \"{}\", found names ({}): name a numeric column with --label", data.label, data.source);
  found.features = std::make_shared<const Matrix>(points_of(features, data, "train"));
  return rows_of(found);
}

}  // namespace

PropagatorRows PropagatorRows::those(const std::vector<std::int64_t>& which) const {
  const auto count = static_cast<Eigen::Index>(which.size());
  PropagatorRows result{Matrix(count, points.cols()), {}, engine::Vector(targets.size() ? count : 0), {}};
  for (Eigen::Index r = 0; r < count; ++r) {
    const std::int64_t row = which[static_cast<std::size_t>(r)];
    result.points.row(r) = points.row(row);
    if (targets.size()) result.targets[r] = targets[row];
    else result.labels.push_back(labels[static_cast<std::size_t>(row)]);
    result.rows.push_back(rows[static_cast<std::size_t>(row)]);
  }
  return result;
}

PropagatorData propagator_classes(const Prepared& prepared) {
  PropagatorData data;
  data.filling = prepared.filling;
  data.train = {prepared.train, prepared.train_labels, {}, prepared.train_rows};
  data.test = {prepared.test, prepared.test_labels, {}, prepared.test_rows};
  for (std::int64_t c = 0; c < prepared.classes; ++c) data.classes.push_back(std::to_string(c));
  return data;
}

PropagatorData propagator_classes(const io::Dataset& data, const std::optional<io::Dataset>& test, const PropagatorOptions& options) {
  PropagatorData result = propagator_classes(prepare(data, test, {options.test_share, /*standardise=*/false, /*kept_tokens=*/2, options.seed}));
  result.features = data.features;
  result.coding = data.coding;
  result.classes = data.classes;
  result.label = data.label;
  result.name = data.name;
  result.hash = data.hash;
  return result;
}

PropagatorData propagator_values(const io::Dataset& data, const std::optional<io::Dataset>& test, const PropagatorOptions& options) {
  PropagatorData result;
  result.features = data.features;
  result.coding = data.coding;
  result.label = data.label;
  result.name = data.name;
  result.hash = data.hash;
  const PropagatorRows all = value_rows(data, data.features);
  require(all.count() >= 3, Fault::input, "[train] expected at least 3 rows, found {} ({}): give more data", all.count(), data.source);
  if (test) {
    result.train = all;
    result.test = value_rows(*test, data.features);
    result.filling = fill_missing(data, result.train.points, result.test.points);
    return result;
  }
  require(options.test_share > 0 && options.test_share < 1, Fault::usage, "[train] expected a --test-share between 0 and 1, found {}", options.test_share);
  const auto held = std::clamp<std::int64_t>(std::llround(options.test_share * static_cast<double>(all.count())), 1, all.count() - 2);
  Random random(options.seed, Purpose::split);
  auto order = permutation(all.count(), random);
  std::sort(order.begin(), order.begin() + held);
  std::sort(order.begin() + held, order.end());
  result.test = all.those({order.begin(), order.begin() + held});
  result.train = all.those({order.begin() + held, order.end()});
  result.filling = fill_missing(data, result.train.points, result.test.points);
  return result;
}

}  // namespace calor::learn

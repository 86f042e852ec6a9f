// From data sets to what a propagator is trained and tested on.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/learn/train_propagator.h"
#include "calor/pipeline/data.h"

namespace calor::learn {
namespace {

using pipeline::Matrix;

PropagatorRows rows_of(const pipeline::Data& data) {
  PropagatorRows result{*data.features, {}, data.targets, std::vector<std::int64_t>(static_cast<std::size_t>(data.rows()))};
  std::iota(result.rows.begin(), result.rows.end(), std::int64_t{0});
  return result;
}

// Of the test file the columns of the training file.
PropagatorRows test_values(const io::Dataset& test, const PropagatorData& data, const std::string& column) {
  std::string label;
  const pipeline::Data found = pipeline::data_with_target(test, column, label);
  PropagatorRows rows = rows_of(found);
  require(found.feature_names.size() == data.features.size(), Fault::input, "[train] expected {} feature columns in the test data, found {} ({})",
          data.features.size(), found.feature_names.size(), test.source);
  for (std::size_t c = 0; c < data.features.size(); ++c) {
    const auto at = std::find(found.feature_names.begin(), found.feature_names.end(), data.features[c]);
    require(at != found.feature_names.end(), Fault::input, "[train] expected the column \"{}\" in the test data, found none ({})", data.features[c],
            test.source);
    rows.points.col(static_cast<Eigen::Index>(c)) = found.features->col(at - found.feature_names.begin());
  }
  return rows;
}

}  // namespace

PropagatorRows PropagatorRows::those(const std::vector<std::int64_t>& which) const {
  const auto count = static_cast<Eigen::Index>(which.size());
  PropagatorRows result{Matrix(count, points.cols()), {}, pipeline::Vector(targets.size() ? count : 0), {}};
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
  data.train = {prepared.train, prepared.train_labels, {}, prepared.train_rows};
  data.test = {prepared.test, prepared.test_labels, {}, prepared.test_rows};
  for (std::int64_t c = 0; c < prepared.classes; ++c) data.classes.push_back(std::to_string(c));
  return data;
}

PropagatorData propagator_classes(const io::Dataset& data, const std::optional<io::Dataset>& test, const PropagatorOptions& options) {
  PropagatorData result = propagator_classes(prepare(data, test, {options.test_share, /*standardise=*/false, /*kept_tokens=*/2, options.seed}));
  result.features = data.features;
  result.classes = data.classes;
  result.label = data.label;
  result.name = data.name;
  result.hash = data.hash;
  return result;
}

PropagatorData propagator_values(const io::Dataset& data, const std::string& label, const std::optional<io::Dataset>& test,
                                 const PropagatorOptions& options) {
  PropagatorData result;
  const pipeline::Data whole = pipeline::data_with_target(data, label, result.label);
  result.features = whole.feature_names;
  result.name = data.name;
  result.hash = data.hash;
  const PropagatorRows all = rows_of(whole);
  require(all.count() >= 3, Fault::input, "[train] expected at least 3 rows, found {} ({}): give more data", all.count(), data.source);
  if (test) {
    result.train = all;
    result.test = test_values(*test, result, result.label);
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
  return result;
}

}  // namespace calor::learn

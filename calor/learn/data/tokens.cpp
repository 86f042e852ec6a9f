#include "calor/learn/data/tokens.h"

#include <ATen/ops/from_blob.h>

namespace calor::learn {

at::Tensor tensor_of(const engine::Matrix& points) {
  // from_blob takes no const memory; the clone is what is kept.
  return at::from_blob(const_cast<double*>(points.data()), {points.rows(), points.cols()}, at::kDouble).clone();
}

at::Tensor index_tensor(const std::vector<std::int64_t>& rows) {
  return at::from_blob(const_cast<std::int64_t*>(rows.data()), {static_cast<std::int64_t>(rows.size())}, at::kLong).clone();
}

Points points_of(const std::vector<float>& values, const std::vector<std::int64_t>& labels, std::int64_t columns) {
  const auto count = static_cast<std::int64_t>(values.size()) / columns;
  return {at::from_blob(const_cast<float*>(values.data()), {count, columns}, at::kFloat).clone(), index_tensor(labels)};
}

Points pick_points(const Points& points, const std::vector<std::int64_t>& rows) {
  const at::Tensor index = index_tensor(rows);
  return {points.values.index_select(0, index), points.labels.index_select(0, index)};
}

Points points_of(const engine::Matrix& values, const std::vector<std::int64_t>& labels) {
  return {tensor_of(values).to(at::kFloat), index_tensor(labels)};
}

static RunData run_data(const Prepared& prepared, Points train, Points test) {
  RunData data;
  data.columns = train.values.size(1);
  data.classes = prepared.classes;
  data.train = std::move(train);
  data.test = std::move(test);
  const bool all = prepared.kept.size() == prepared.train_labels.size();
  data.kept = all ? data.train : pick_points(data.train, prepared.kept);
  return data;
}

RunData run_data(const Prepared& prepared) {
  return run_data(prepared, points_of(standardised(prepared.train, prepared.standardisation), prepared.train_labels, prepared.columns),
                  points_of(standardised(prepared.test, prepared.standardisation), prepared.test_labels, prepared.columns));
}

RunData run_data(const Prepared& prepared, const PointMap& map) {
  return run_data(prepared, points_of(map(prepared.train), prepared.train_labels), points_of(map(prepared.test), prepared.test_labels));
}

}  // namespace calor::learn

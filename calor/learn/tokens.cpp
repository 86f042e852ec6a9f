#include "calor/learn/tokens.h"

#include <ATen/ops/from_blob.h>

namespace calor::learn {

at::Tensor index_tensor(const std::vector<std::int64_t>& rows) {
  // from_blob takes no const memory; the clone is what is kept.
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

RunData run_data(const Prepared& prepared) {
  RunData data;
  data.columns = prepared.columns;
  data.classes = prepared.classes;
  data.train = points_of(prepared.train, prepared.train_labels, prepared.columns);
  data.test = points_of(prepared.test, prepared.test_labels, prepared.columns);
  const bool all = prepared.kept.size() == prepared.train_labels.size();
  data.kept = all ? data.train : pick_points(data.train, prepared.kept);
  return data;
}

}  // namespace calor::learn

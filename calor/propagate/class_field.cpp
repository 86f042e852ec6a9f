#include "calor/propagate/class_field.h"

#include "calor/core/error.h"

namespace calor::propagate {

pipeline::Matrix class_field(const pipeline::Data& data, const std::vector<std::int64_t>* rows, const char* op) {
  const std::int64_t count = rows ? static_cast<std::int64_t>(rows->size()) : data.rows();
  pipeline::Matrix field = pipeline::Matrix::Zero(count, static_cast<Eigen::Index>(data.classes.size()));
  bool any = false;
  for (std::int64_t r = 0; r < count; ++r)
    if (const std::int64_t i = rows ? (*rows)[r] : r; data.labelled(i)) {
      field(r, data.labels[i]) = 1;
      any = true;
    }
  require(any, Fault::input, "[{}] expected labelled training rows, found none: name the label column with --label", op);
  return field;
}

}  // namespace calor::propagate

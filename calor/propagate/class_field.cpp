#include "calor/propagate/class_field.h"

#include <fmt/format.h>

#include <cmath>

#include "calor/pipeline/wants.h"

namespace calor::propagate {

engine::Matrix class_field(const pipeline::Data& data, const std::vector<std::int64_t>* rows, const char* op) {
  require_wanted(pipeline::Wants::classes, data, op);
  const std::int64_t count = rows ? static_cast<std::int64_t>(rows->size()) : data.rows();
  engine::Matrix field = engine::Matrix::Zero(count, static_cast<Eigen::Index>(data.classes.size()));
  for (std::int64_t r = 0; r < count; ++r)
    if (const std::int64_t i = rows ? (*rows)[r] : r; data.labelled(i))
      field(r, data.labels[i]) = 1;
  return field;
}

engine::Matrix value_field(const pipeline::Data& data, const std::vector<std::int64_t>* rows, const char* op) {
  require_wanted(pipeline::Wants::values, data, op);
  const std::int64_t count = rows ? static_cast<std::int64_t>(rows->size()) : data.rows();
  engine::Matrix result = engine::Matrix::Zero(count, 2);
  for (std::int64_t r = 0; r < count; ++r)
    if (const std::int64_t i = rows ? (*rows)[r] : r; data.training(i) && std::isfinite(data.targets[i]))
      result.row(r) << data.targets[i], 1;
  return result;
}

void note_unreached(pipeline::State& state, const char* op, std::int64_t unreached, const char* what) {
  if (unreached == 0) return;
  state.note(op, fmt::format("no label reached {} of {} rows: they have no {}; {}", unreached, state.scores.rows(), what,
                             state.placing ? "they are far from all rows of the fit that a label reached"
                                           : "label a row in each component of the graph, or join the components with a larger k"));
}

}  // namespace calor::propagate

#include "calor/pipeline/wants.h"

#include <algorithm>

#include "calor/core/error.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {
namespace {

void require_classes(const Data& data, std::string_view op) {
  require(!data.labels.empty() || data.targets.size() == 0, Fault::input,
          "[{}] expected classes, found labels that are measured values: use knn-regressor, nadaraya-watson or propagator-regressor, which "
          "average them, or name a column of classes with --label",
          op);
  for (const std::int64_t label : data.labels)
    require(label < static_cast<std::int64_t>(data.classes.size()), Fault::input, "[{}] expected labels below {}, found {}: name every class", op,
            data.classes.size(), label);
}

void require_values(const Data& data, std::string_view op) {
  require(data.targets.size() == data.rows(), Fault::input,
          "[{}] expected labels that are numbers, found {}: name a numeric column with --label, or use vote", op,
          data.labels.empty() ? "none" : "names");
}

void require_labelled(const Data& data, std::string_view op) {
  bool any = false;
  for (std::int64_t i = 0; i < data.rows() && !any; ++i) any = data.labelled(i);
  require(any, Fault::input, "[{}] expected labelled training rows, found {}", op,
          data.graph ? "a bare graph, whose nodes have no labels: give points with a label column" : "none: name the label column with --label");
}

}  // namespace

Wants wants_of(const BoundStage& bound) { return bound.stage->wants ? bound.stage->wants(bound.arguments) : Wants::nothing; }

Wants wants_of(const std::vector<BoundStage>& stages) {
  Wants most = Wants::nothing;
  for_each_stage(stages, [&](const BoundStage& bound) { most = std::max(most, wants_of(bound)); });
  return most;
}

void require_wanted(Wants wants, const Data& data, std::string_view op) {
  switch (wants) {
    case Wants::nothing: return;
    case Wants::graph:
      return require(data.graph != nullptr, Fault::input, "[{}] expected data that are a graph, found {}: give an edge list, or use knn", op, data.distances ? "distances" : "points");
    case Wants::mesh:
      return require(data.mesh != nullptr, Fault::input, "[{}] expected a surface, found {}: give a file of triangles (OFF, OBJ, PLY or STL)", op, data.graph ? "a graph" : data.distances ? "distances" : "points");
    case Wants::classes: require_classes(data, op); break;
    case Wants::values: require_values(data, op); break;
    case Wants::labels: break;
  }
  require_labelled(data, op);
}

void require_wanted(const std::vector<BoundStage>& stages, const Data& data) {
  for_each_stage(stages, [&](const BoundStage& bound) { at_stage(bound, [&] { require_wanted(wants_of(bound), data, bound.stage->name); }); });
}

}  // namespace calor::pipeline

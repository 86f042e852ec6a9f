#include "calor/api/values.h"

#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/load.h"
#include "calor/pipeline/run.h"

namespace calor {

Flowing::Flowing(pipeline::State state, Session session)
    : state_(std::make_shared<const pipeline::State>(std::move(state))), session_(std::make_shared<const Session>(std::move(session))),
      context_(std::make_shared<const Context>(session_->context())) {}
Flowing::Flowing(pipeline::State state, const Flowing& from)
    : state_(std::make_shared<const pipeline::State>(std::move(state))), session_(from.session_), context_(from.context_) {}

static pipeline::State state_of(pipeline::Data data, const Session& session) {
  return pipeline::begin(std::make_shared<const pipeline::Data>(std::move(data)), session.seed);
}

static pipeline::Data data_of(Matrix features) {
  pipeline::Data data;
  data.features = std::make_shared<const Matrix>(std::move(features));
  return data;
}

Points::Points(pipeline::Data data, Session session)
    : Flowing(state_of(std::move(data), session), std::move(session)) {}
Points::Points(Matrix features, Session session) : Points(data_of(std::move(features)), std::move(session)) {}
Points::Points(io::SparseMatrix features, Session session) : Points(pipeline::data_of(std::move(features), {}, {}), std::move(session)) {}
Points::Points(const double* features, std::int64_t rows, std::int64_t columns, Session session)
    : Points(Matrix(Eigen::Map<const Matrix>(features, rows, columns)), std::move(session)) {}

Points Points::with_classes(std::vector<std::int64_t> labels, std::vector<std::string> classes) const {
  require(static_cast<std::int64_t>(labels.size()) == rows(), Fault::input, "[points] expected {} labels, found {}", rows(), labels.size());
  for (const std::int64_t label : labels)
    require(label >= -1 && label < static_cast<std::int64_t>(classes.size()), Fault::input, "[points] expected labels from -1 to {}, found {}",
            static_cast<std::int64_t>(classes.size()) - 1, label);
  pipeline::Data data = *state().data;
  pipeline::set_labels(data, std::move(labels), std::move(classes));
  return Points(std::move(data), session());
}

Points Points::with_values(Vector values) const {
  require(values.size() == rows(), Fault::input, "[points] expected {} values, found {}", rows(), values.size());
  pipeline::Data data = *state().data;
  data.labels.clear();
  data.classes.clear();
  data.targets = std::move(values);
  return Points(std::move(data), session());
}

Matrix Similarity::values() const { return engine::materialise(record(), "similarity", context()); }

Csr Similarity::on_edges() const {
  require(!record().all_pairs(), Fault::usage, "[similarity] expected a similarity on a graph, found one of all pairs: use values()");
  return engine::values_on_support(record(), context());
}

Matrix Similarity::times(const Matrix& h) const {
  require(h.rows() == record().columns, Fault::usage, "[similarity] expected {} rows to multiply, found {}", record().columns, h.rows());
  return engine::flow(record(), h, context());
}

std::vector<std::int64_t> Prediction::best() const {
  require(of_classes(), Fault::usage, "[prediction] expected scores of classes, found measured values: use scores()");
  std::vector<std::int64_t> result(static_cast<std::size_t>(scores().rows()), -1);
  for (Eigen::Index i = 0; i < scores().rows(); ++i) {
    Eigen::Index column = 0;
    if (scores().cols() > 0 && scores().row(i).maxCoeff(&column) > 0) result[static_cast<std::size_t>(i)] = column;
  }
  return result;
}

template <class To>
To value_of(pipeline::State state, const Flowing& from) {
  return To(std::move(state), from);
}

Value value_of(pipeline::State state, const Flowing& from) {
  namespace types = pipeline::types;
  switch (state.type) {
    case types::graph: return value_of<Graph>(std::move(state), from);
    case types::similarity:
    case types::normalised: return value_of<Similarity>(std::move(state), from);
    case types::embedding: return value_of<Embedding>(std::move(state), from);
    case types::labels: return value_of<Labels>(std::move(state), from);
    case types::prediction: return value_of<Prediction>(std::move(state), from);
    default: return value_of<Points>(std::move(state), from);
  }
}

Points read_points(const std::string& source, Session session) {
  pipeline::Loaded loaded = pipeline::load_points(source, {}, pipeline::Labels::shown, session.context());
  return Points(std::move(loaded.data), std::move(session));
}

Points corners_of(io::Mesh surface, Session session) {
  return Points(pipeline::data_of(std::make_shared<const io::Mesh>(std::move(surface))), std::move(session));
}

Points nodes_of(Csr edges, Session session) {
  require(edges.rows == edges.columns, Fault::input, "[graph] expected as many rows as columns, found {} and {}", edges.rows, edges.columns);
  if (edges.values.empty()) edges.values.assign(edges.column.size(), 1.0);
  for (const double value : edges.values)
    require(std::isfinite(value), Fault::input, "[graph] expected finite weights, found {}", value);
  pipeline::Data data;
  data.features = std::make_shared<const Matrix>(edges.rows, 0);
  data.graph = std::make_shared<const Csr>(std::move(edges));
  return Points(std::move(data), std::move(session));
}

}  // namespace calor

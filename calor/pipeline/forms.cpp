#include "calor/pipeline/forms.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"
#include "calor/pipeline/outline.h"

namespace calor::pipeline {
namespace {

const BoundStage* first_without(const std::vector<BoundStage>& stages, Form form, Outline& outline) {
  for (const BoundStage& bound : stages) {
    if (outline.moved == Fact::yes) return nullptr;
    if (!bound.stage->why_dense || !bound.stage->why_dense(form, bound).empty()) return &bound;
    Outline inside = outline;
    for (const Parameter& parameter : bound.stage->parameters)
      if (parameter.takes == Parameter::Takes::pipeline)
        if (const BoundStage* inner = first_without(bound.arguments.pipeline(parameter.name), form, inside)) return inner;
    trace(bound, outline);
  }
  return nullptr;
}

std::string name_of(const Data& data, Eigen::Index row) {
  const auto i = static_cast<std::size_t>(row);
  return i < data.row_names.size() ? fmt::format("\"{}\"", data.row_names[i]) : fmt::format("row {}", row + 1);
}

// The first pair without a distance.
std::optional<std::pair<Eigen::Index, Eigen::Index>> missing_pair(const Matrix& distances) {
  for (Eigen::Index i = 0; i < distances.rows(); ++i)
    for (Eigen::Index j = 0; j < distances.cols(); ++j)
      if (!std::isfinite(distances(i, j))) return std::pair{i, j};
  return std::nullopt;
}

// "" where every pair has a distance.
std::string missing_text(const Matrix& distances) {
  const std::int64_t n = distances.rows(), missing = (distances.array() == std::numeric_limits<double>::infinity()).count() / 2;
  return missing ? fmt::format("{} of {} pairs have no distance: they are no neighbours", grouped_digits(missing), grouped_digits(n * (n - 1) / 2)) : "";
}

std::string call_text(const BoundStage& bound) { return print(std::vector<Call>{bound.call}); }

[[noreturn]] void refuse_distances(const BoundStage& bound, const Data& data) {
  std::string text;
  Fault fault = Fault::usage;
  const auto refusal = [&](Form form) { return bound.stage->why_dense ? bound.stage->why_dense(form, bound) : std::string_view(); };
  if (bound.stage->why_dense && refusal(Form::distances).empty()) {
    const auto missing = missing_pair(*data.distances);
    fault = Fault::input;
    text = fmt::format("expected a distance for every pair, found none between {} and {}: {}", name_of(data, missing->first),
                       name_of(data, missing->second), refusal(Form::some_distances));
  } else {
    text = fmt::format("expected points, found the distances of {} rows: {}", grouped_digits(data.rows()),
                       bound.stage->why_dense ? refusal(Form::distances)
                                              : "begin with distance(t), knn or radius, which read distances, or give the points themselves");
  }
  at_stage(bound, [&] { fail(fault, "[{}] {}", bound.stage->name, text); });
  fail(Fault::internal, "[run] expected a refusal, found none");
}

std::string sparse_text(const io::SparseMatrix& points) {
  const double share = static_cast<double>(points.entries()) / std::max(1.0, static_cast<double>(points.rows) * static_cast<double>(points.columns));
  return fmt::format("sparse data of {} x {} with {:.2g} % entries", grouped_digits(points.rows), grouped_digits(points.columns), 100 * share);
}

std::uint64_t dense_bytes(std::int64_t rows, std::int64_t columns) { return 8 * static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns); }

void require_dense(const io::SparseMatrix& points, const BoundStage& bound, const Context& context) {
  at_stage(bound, [&] {
    context.memory.require(dense_bytes(points.rows, points.columns), bound.stage->name,
                           fmt::format("{} x {} dense numbers of {}", grouped_digits(points.rows), grouped_digits(points.columns), sparse_text(points)),
                           "begin with knn or radius, exact and euclidean, cosine or manhattan, which keep them sparse (as in isomap, "
                           "laplacian-eigenmaps, spectral-clustering, label-spreading, knn-classifier and knn-regressor), or kernel, which does too (as in svm, svm-regressor and one-class-svm), or raise --max-memory");
  });
}

std::string made_dense_text(const io::SparseMatrix& points, const BoundStage& bound) {
  return fmt::format("{} made dense for {}: {}", sparse_text(points), call_text(bound), format_bytes(dense_bytes(points.rows, points.columns)));
}

// The stage that sparse data are made dense for; null where none is or they are not sparse.  Throws what `readable` throws.
const BoundStage* to_be_dense(const std::vector<BoundStage>& stages, const Data& data, const Context& context) {
  const Form form = form_of(data);
  const BoundStage* obstacle = form == Form::dense ? nullptr : without_form(stages, form);
  if (!obstacle) return nullptr;
  if (form != Form::sparse) refuse_distances(*obstacle, data);
  require_dense(*data.sparse, *obstacle, context);
  return obstacle;
}

}  // namespace

Form form_of(const Data& data) {
  if (data.distances) return missing_pair(*data.distances) ? Form::some_distances : Form::distances;
  return data.sparse && !data.made_dense() ? Form::sparse : Form::dense;
}

const BoundStage* without_form(const std::vector<BoundStage>& stages, Form form) {
  Outline outline = outline_of_data();
  return form == Form::dense ? nullptr : first_without(stages, form, outline);
}

Readable readable(const std::vector<BoundStage>& stages, std::shared_ptr<const Data> data, const Context& context) {
  const BoundStage* obstacle = to_be_dense(stages, *data, context);
  if (!obstacle) {
    std::string remark = data->distances ? missing_text(*data->distances) : "";
    return {std::move(data), std::move(remark)};
  }
  auto dense = std::make_shared<Data>(*data);
  dense->features = std::make_shared<const Matrix>(dense_of(*data->sparse));
  return {std::move(dense), made_dense_text(*data->sparse, *obstacle)};
}

std::string form_text(const std::vector<BoundStage>& stages, const Data& data, const Context& context) {
  if (const BoundStage* obstacle = to_be_dense(stages, data, context)) return made_dense_text(*data.sparse, *obstacle);
  switch (form_of(data)) {
    case Form::dense: return "";
    case Form::sparse: return sparse_text(*data.sparse) + " stay sparse";
    case Form::distances: return fmt::format("the distances of {} rows, as given", grouped_digits(data.rows()));
    case Form::some_distances: return fmt::format("the distances of {} rows, as given; {}", grouped_digits(data.rows()), missing_text(*data.distances));
  }
  return "";
}

static void check_new_distances(const Data& like, const Points& points, const std::vector<BoundStage>& stages) {
  const Matrix& table = *points.distances;
  require(table.cols() == like.rows(), Fault::input, "[apply] expected the distances of new rows to the {} rows of the fit, found {} columns",
          like.rows(), table.cols());
  const bool every = without_form(stages, Form::some_distances) != nullptr;
  for (Eigen::Index i = 0; i < table.rows(); ++i)
    for (Eigen::Index j = 0; j < table.cols(); ++j)
      require(table(i, j) >= 0 && (!every || std::isfinite(table(i, j))), Fault::input,
              "[apply] expected distances of at least 0{}, found {} (row {}, column {}): give each new row's distance to each row of the fit",
              every ? ", one for every pair" : "", table(i, j), i + 1, j + 1);
}

Points in_form_of(const Data& like, const Points& points, const std::vector<BoundStage>& stages, const Context& context) {
  const std::int64_t rows = points.distances ? points.distances->rows() : points.sparse ? points.sparse->rows : points.rows();
  const auto placeholder = std::make_shared<const Matrix>(rows, 0);
  if (like.distances) {
    require(points.distances != nullptr, Fault::input,
            "[apply] expected the distances of new rows to the {} rows of the fit, found points: the fit was made from distances", like.rows());
    check_new_distances(like, points, stages);
    return {placeholder, nullptr, points.distances};
  }
  if (like.graph && like.columns() == 0) {
    require(points.sparse && points.sparse->columns == like.rows(), Fault::input,
            "[apply] expected new nodes with edges to the {} nodes of the fit, found points: the fit was made from a graph", like.rows());
    return {placeholder, points.sparse, nullptr};
  }
  require(!points.distances, Fault::input, "[apply] expected points of {} features, found distances: the fit was made from points", like.columns());
  require(points.columns() == like.columns(), Fault::input, "[apply] expected {} features, found {}", like.columns(), points.columns());
  if (form_of(like) == Form::sparse)
    return {placeholder, points.sparse ? points.sparse : std::make_shared<const io::SparseMatrix>(sparse_of(*points.dense)), nullptr};
  if (!points.sparse) return {points.dense, nullptr, nullptr};
  context.memory.require(dense_bytes(rows, points.columns()), "apply", fmt::format("{} x {} dense numbers", grouped_digits(rows), grouped_digits(points.columns())),
                         "give fewer rows at once, or raise --max-memory");
  return {std::make_shared<const Matrix>(dense_of(*points.sparse)), nullptr, nullptr};
}

}  // namespace calor::pipeline

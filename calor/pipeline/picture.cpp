#include "calor/pipeline/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "calor/analyse/principal.h"
#include "calor/engine/csr.h"
#include "calor/pipeline/results.h"
#include "calor/report/arrays.h"

namespace calor::pipeline {

using nlohmann::json;

constexpr Eigen::Index most_coordinates = 10;  // of an embedding, in the page
constexpr std::int64_t principal = 3;
constexpr std::size_t most_classes = 20;       // beyond which numbers are drawn as numbers

static analyse::Points points_of(const Matrix& matrix) { return {matrix.data(), matrix.rows(), matrix.cols()}; }

static json column(const Matrix& matrix, Eigen::Index c) {
  std::vector<float> values(static_cast<std::size_t>(matrix.rows()));
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) values[static_cast<std::size_t>(i)] = static_cast<float>(matrix(i, c));
  return report::packed(values);
}

static json view(const std::string& name, std::vector<std::string> axes, const Matrix& coordinates) {
  json arrays = json::array();
  for (std::size_t c = 0; c < axes.size(); ++c) arrays.push_back(column(coordinates, static_cast<Eigen::Index>(c)));
  return {{"name", name}, {"axes", std::move(axes)}, {"coordinates", std::move(arrays)}};
}

static json embedding_view(const Matrix& points) {
  std::vector<std::string> axes;
  for (Eigen::Index c = 0; c < std::min(points.cols(), most_coordinates); ++c) axes.push_back(fmt::format("dim{}", c + 1));
  return view("embedding", std::move(axes), points);
}

// The input as it is up to three features, else along its principal axes; `moved` after it on the same axes where a pipeline moved
// the points themselves.
static void add_input(json& views, const Matrix& input, const Matrix* moved, const Pictured& pictured, const Context& context) {
  if (input.cols() == 0) return;
  if (input.cols() <= principal) {
    views.push_back(view("input", pictured.feature_names, input));
    if (moved) views.push_back(view("result", pictured.feature_names, *moved));
    return;
  }
  const analyse::PrincipalAxes found = analyse::principal_axes(points_of(input), principal, context);
  std::vector<std::string> axes;
  for (std::size_t a = 0; a < found.share.size(); ++a) axes.push_back(fmt::format("principal axis {} ({:.0f} %)", a + 1, 100 * found.share[a]));
  const auto along = [&](const Matrix& points) {
    const std::vector<double> coordinates = analyse::project(points_of(points), found);
    return Matrix(Eigen::Map<const Matrix>(coordinates.data(), points.rows(), static_cast<Eigen::Index>(axes.size())));
  };
  if (axes.empty()) return;
  views.push_back(view("input", axes, along(input)));
  if (moved) views.push_back(view("result", axes, along(*moved)));
}

static json views_of(const State& state, const Known& known, const Pictured& pictured, const Context& context) {
  json views = json::array();
  const Matrix& input = *known.input;
  const bool one_a_row = state.points && state.rows() == input.rows() && !state.prototypes;
  const bool same_columns = one_a_row && state.points->cols() == input.cols();
  const bool embedding = one_a_row && (state.type == types::embedding || !same_columns), moved = same_columns && !embedding && *state.points != input;
  add_input(views, input, moved ? state.points.get() : nullptr, pictured, context);
  // Labels of coordinates, as spectral clustering makes them, have those too.
  if (embedding && state.points->cols() > 0) views.push_back(embedding_view(*state.points));
  // First what the pipeline is for: where the points are now; of clusters and predictions, where they were.
  if (state.type & (types::embedding | types::points)) std::reverse(views.begin(), views.end());
  if (input.cols() == 1 && state.type == types::prediction && !state.class_scores && state.scores.rows() == input.rows()) {
    Matrix curve(input.rows(), 2);
    curve << input, state.scores.col(0);
    views.insert(views.begin(), view("prediction", {pictured.feature_names.at(0), "prediction"}, curve));
    if (known.targets.size()) {
      curve.col(1) = known.targets;
      views.insert(views.begin() + 1, view("target", {pictured.feature_names.at(0), pictured.label.empty() ? "target" : pictured.label}, curve));
    }
  }
  return views;
}

static json by_class(const std::string& name, const std::vector<std::string>& classes, const std::vector<std::int64_t>& values) {
  return {{"name", name}, {"kind", "classes"}, {"classes", classes}, {"values", report::packed(values)}};
}

template <class Values>
static json by_number(const std::string& name, const Values& values) {
  return {{"name", name}, {"kind", "numbers"}, {"values", column(Matrix(values), 0)}};
}

static std::vector<std::string> numbers_to(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t c = 0; c < count; ++c) names.push_back(std::to_string(c));
  return names;
}

static void add_prediction(json& colourings, const State& state, const Known& known) {
  if (!state.class_scores) {
    colourings.push_back(by_number("prediction", Matrix(state.scores.col(0))));
    return;
  }
  std::vector<std::int64_t> winners, outcome;
  for (Eigen::Index i = 0; i < state.scores.rows(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    winners.push_back(winner(state.scores, i));
    const bool judged = at < known.judged.size() && known.judged[at] && at < known.labels.size() && known.labels[at] >= 0;
    outcome.push_back(!judged ? -1 : winners.back() == known.labels[at] ? 0 : 1);
  }
  colourings.push_back(by_class("prediction", state.data->classes, winners));
  if (std::any_of(outcome.begin(), outcome.end(), [](std::int64_t o) { return o >= 0; }))
    colourings.push_back(by_class("held-out rows", {"right", "wrong"}, outcome));
}

// The share of each row's nearest neighbours in the data that are its neighbours in the picture too; of rows that were judged.
static json neighbours_kept(const json& embedding, std::int64_t rows) {
  Matrix kept = Matrix::Constant(rows, 1, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t j = 0; j < embedding["judged"].size(); ++j) kept(embedding["judged"][j].get<Eigen::Index>(), 0) = embedding["kept"][j].get<double>();
  return by_number("neighbours kept", kept);
}

static void add_label(json& colourings, const Known& known, const Pictured& pictured, std::size_t rows) {
  const std::string label = pictured.label.empty() ? "label" : pictured.label;
  if (known.labels.size() == rows && (known.classes.size() <= most_classes || !known.targets.size()))
    colourings.push_back(by_class(label, known.classes, known.labels));
  else if (static_cast<std::size_t>(known.targets.size()) == rows && rows > 0)
    colourings.push_back(by_number(label, Matrix(known.targets)));
}

static json colourings_of(const State& state, const Known& known, const Pictured& pictured, const json& quality) {
  json colourings = json::array();
  const auto rows = static_cast<std::size_t>(known.input->rows());
  if (state.type == types::labels && state.labels.size() == rows)
    colourings.push_back(by_class("cluster", numbers_to(static_cast<std::int64_t>(quality["clusters"]["sizes"].size())), state.labels));
  if (state.type == types::prediction) add_prediction(colourings, state, known);
  if ((state.type & (types::graph | types::any_similarity)) && state.field && state.field->rows() == known.input->rows())
    for (Eigen::Index c = 0; c < std::min<Eigen::Index>(principal, state.field->cols()); ++c)
      colourings.push_back(by_number(state.field_names[static_cast<std::size_t>(c)], Matrix(state.field->col(c))));
  add_label(colourings, known, pictured, rows);
  if (quality.contains("graph") && quality["graph"]["components"] > 1 && state.type != types::labels) {
    const engine::Components components = engine::connected_components(state.graph ? *state.graph : *state.data->graph);
    if (components.of.size() == rows) colourings.push_back(by_class("component", numbers_to(components.count), components.of));
  }
  if (quality.contains("embedding") && quality["embedding"].is_object()) {
    colourings.push_back(neighbours_kept(quality["embedding"], known.input->rows()));
    if (quality["embedding"].contains("stability")) {
      const auto kept = quality["embedding"]["stability"]["kept"].get<std::vector<double>>();
      colourings.push_back(by_number("stable neighbours", Matrix(Eigen::Map<const Vector>(kept.data(), static_cast<Eigen::Index>(kept.size())))));
    }
    if (const json& islands = quality["embedding"]["islands"]; islands.is_object() && islands["count"] > 1) {
      std::vector<std::string> names = numbers_to(islands["count"].get<std::int64_t>() + 1);
      names.erase(names.begin());  // from 1
      colourings.push_back(by_class("island", names, islands["of"].get<std::vector<std::int64_t>>()));
    }
  }
  return colourings;
}

json picture_of(const State& state, const Known& known, const Pictured& pictured, const json& quality, const Context& context) {
  const std::vector<std::int64_t> judged(known.judged.begin(), known.judged.end());
  return {{"judged", report::packed(judged)},
          {"names", pictured.row_names.empty() ? json(nullptr) : json(pictured.row_names)},
          {"views", views_of(state, known, pictured, context)},
          {"colourings", colourings_of(state, known, pictured, quality)}};
}

json picture_of_descent(const Matrix& points, const Known& known, const Pictured& pictured) {
  json colourings = json::array();
  add_label(colourings, known, pictured, static_cast<std::size_t>(points.rows()));
  return {{"names", nullptr}, {"views", {embedding_view(points)}}, {"colourings", std::move(colourings)}};
}

}  // namespace calor::pipeline

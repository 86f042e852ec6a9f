#include "calor/pipeline/data.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"

namespace calor::pipeline {

namespace {

// A column of 32-bit floats whose variation is small beside its size has lost digits before it came here, and nobody would see it.
std::string rounding_remark(const Matrix& features, const std::vector<std::string>& names) {
  constexpr double spacing = 0x1p-24, noticeable = 1e-3;
  const Eigen::Index columns = features.cols();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> least(static_cast<std::size_t>(columns), infinity), greatest(static_cast<std::size_t>(columns), -infinity);
  for (Eigen::Index i = 0; i < features.rows(); ++i) {  // row by row, as they lie
    const double* row = features.row(i).data();
    for (Eigen::Index c = 0; c < columns; ++c) {
      least[c] = std::min(least[c], row[c]);
      greatest[c] = std::max(greatest[c], row[c]);
    }
  }
  for (Eigen::Index c = 0; c < columns; ++c) {
    const double most = std::max(std::abs(least[c]), std::abs(greatest[c])), range = greatest[c] - least[c];
    if (!(range > 0 && most * spacing > noticeable * range)) continue;
    const auto column = features.col(c).array();
    const bool whole = most < 0x1p24 && (column == column.round()).all();  // numbers that floats hold exactly
    if (!whole)
      return fmt::format("the column \"{}\" varies by {:.3g} about values of {:.3g}, which 32-bit floats keep to {:.2g} % of that: give "
                         "64-bit numbers, or take its mean away first",
                         names[static_cast<std::size_t>(c)], range, most, 100 * most * spacing / range);
  }
  return "";
}

}  // namespace

Data data_of(const io::Dataset& dataset) {
  Data data;
  if (dataset.sparse) {
    data = data_of(*dataset.sparse, dataset.features, dataset.row_names);
    set_labels(data, dataset.labels, dataset.classes);
    return data;
  }
  auto features = std::make_shared<Matrix>(Eigen::Map<const Matrix>(dataset.values.data(), dataset.rows, dataset.values.empty() ? 0 : dataset.columns));
  if (dataset.floats) data.rounding = rounding_remark(*features, dataset.features);
  data.features = std::move(features);
  data.feature_names = dataset.features;
  data.row_names = dataset.row_names;
  set_labels(data, dataset.labels, dataset.classes);
  return data;
}

void set_labels(Data& data, std::vector<std::int64_t> labels, std::vector<std::string> classes) {
  data.labels = std::move(labels);
  data.classes = std::move(classes);
  data.targets.resize(0);
  std::vector<double> numbers;
  for (const std::string& name : data.classes)
    if (const auto number = io::parse_number(name)) numbers.push_back(*number);
  if (data.labels.empty() || numbers.size() != data.classes.size()) return;
  data.targets.resize(data.rows());
  for (std::int64_t i = 0; i < data.rows(); ++i)
    data.targets[i] = data.labels[i] < 0 ? std::numeric_limits<double>::quiet_NaN() : numbers[data.labels[i]];
}

Data data_of(std::shared_ptr<const io::Mesh> surface) {
  Data data;
  data.features = std::make_shared<const Matrix>(Eigen::Map<const Matrix>(surface->points.data(), surface->nodes(), 3));
  data.feature_names = {"x", "y", "z"};
  data.mesh = std::move(surface);
  return data;
}

Data data_of(const io::EdgeList& edges) {
  Data data;
  const auto nodes = static_cast<std::int64_t>(edges.nodes.size());
  data.features = std::make_shared<const Matrix>(nodes, 0);
  data.row_names = edges.nodes;
  std::vector<Edge> list;
  for (const io::NamedEdge& edge : edges.edges) list.push_back({edge.from, edge.to, edge.weight});
  data.graph = std::make_shared<const Csr>(from_edges(nodes, nodes, std::move(list)));
  return data;
}

void mark_training(Data& data, double share, std::uint64_t seed) {
  require(share > 0 && share <= 1, Fault::usage, "[run] expected a training share above 0 and up to 1, found {}", share);
  const bool classes = !data.labels.empty();
  require(classes || data.targets.size() > 0, Fault::input,
          "[run] expected labelled data for a training share, found none: name the label column");
  data.train.assign(static_cast<std::size_t>(data.rows()), 0);
  std::vector<std::int64_t> size(classes ? data.classes.size() : 1, 0), taken(size.size(), 0);
  const auto group = [&](std::int64_t i) { return classes ? data.labels[i] : 0; };
  const auto known = [&](std::int64_t i) { return classes ? data.labels[i] >= 0 : std::isfinite(data.targets[i]); };
  for (std::int64_t i = 0; i < data.rows(); ++i)
    if (known(i)) ++size[group(i)];
  Random random(seed, Purpose::split);
  for (const std::int64_t i : permutation(data.rows(), random)) {
    if (!known(i)) continue;
    const std::int64_t own = group(i);
    const auto wanted = std::max<std::int64_t>(1, std::llround(share * static_cast<double>(size[own])));
    if (taken[own] < wanted) {
      data.train[i] = 1;
      ++taken[own];
      continue;
    }
    if (classes) data.labels[i] = -1;
    if (data.targets.size()) data.targets[i] = std::numeric_limits<double>::quiet_NaN();
  }
}

}  // namespace calor::pipeline

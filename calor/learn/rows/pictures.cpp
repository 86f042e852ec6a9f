#include "calor/learn/rows/pictures.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/softmax.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/learn/rows/evaluate.h"

namespace calor::learn {
namespace {

using nlohmann::json;

constexpr std::int64_t most_tokens = 120, grid = 60;
constexpr double margin = 0.1;  // around the data, of its extent

// Four significant digits: more than a picture shows, and a third of the bytes.
double short_number(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double scale = std::pow(10.0, 3 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

json short_matrix(const at::Tensor& matrix) {
  const at::Tensor values = matrix.to(at::kDouble).contiguous();
  const double* number = values.data_ptr<double>();
  json rows = json::array();
  for (std::int64_t i = 0; i < values.size(0); ++i) {
    json row = json::array();
    for (std::int64_t j = 0; j < values.size(1); ++j) row.push_back(short_number(*number++));
    rows.push_back(std::move(row));
  }
  return rows;
}

// To a thousandth of the extent at least: an offset costs no digits.
double short_coordinate(double value, double extent) {
  const double unit = std::pow(10.0, std::floor(std::log10(extent)) - 3);
  return std::round(value / unit) * unit;
}

// Where the points lie along one axis of the picture.
struct Extent {
  double low, high;
  explicit Extent(const engine::Vector& values) : low(values.minCoeff()), high(values.maxCoeff()) {
    // A constant feature gets an axis as well, a hundredth of its value wide.
    if (high == low) high = low + std::max(1e-2 * std::abs(low), 1e-6);
  }
  double length() const { return high - low; }
  std::vector<double> ticks() const {
    std::vector<double> result;
    for (std::int64_t i = 0; i < grid; ++i)
      result.push_back(short_coordinate(low - margin * length() + (1 + 2 * margin) * length() * static_cast<double>(i) / (grid - 1), length()));
    return result;
  }
};

engine::Matrix grid_points(const std::vector<double>& x, const std::vector<double>& y) {
  engine::Matrix points(grid * grid, 2);
  for (std::int64_t i = 0; i < grid * grid; ++i) {
    points(i, 0) = x[static_cast<std::size_t>(i % grid)];
    points(i, 1) = y[static_cast<std::size_t>(i / grid)];
  }
  return points;
}

json shown_points(const Prepared& prepared, const engine::Matrix& all, const Extent& x, const Extent& y) {
  std::vector<std::int64_t> labels = prepared.train_labels;
  labels.insert(labels.end(), prepared.test_labels.begin(), prepared.test_labels.end());
  json points = {{"label", labels}};
  for (Eigen::Index i = 0; i < all.rows(); ++i) {
    points["x"].push_back(short_coordinate(all(i, 0), x.length()));
    points["y"].push_back(short_coordinate(all(i, 1), y.length()));
    points["test"].push_back(i >= prepared.train_count());
  }
  return points;
}

}  // namespace

json similarity_pictures(const RowNetwork& network, const std::string& attention, std::uint64_t seed, const RunData& points) {
  const at::NoGradGuard no_gradient;
  const std::int64_t* kept = points.kept.labels.data_ptr<std::int64_t>();
  const std::vector<std::int64_t> labels(kept, kept + points.kept.count());
  auto rows = stratified_sample(labels, points.classes, most_tokens, seed);
  const auto label_of = [&](std::int64_t row) { return labels[static_cast<std::size_t>(row)]; };
  std::stable_sort(rows.begin(), rows.end(), [&](auto a, auto b) { return label_of(a) < label_of(b); });
  std::vector<std::int64_t> shown;
  for (const std::int64_t row : rows) shown.push_back(label_of(row));
  json pictures = json::array();
  for (const std::vector<at::Tensor>& heads : KeptTokens(network, points.kept.values).attention(rows)) {
    at::Tensor attended = heads.front();  // the mean over heads
    for (std::size_t head = 1; head < heads.size(); ++head) attended = attended + heads[head];
    const at::Tensor among = attended.index_select(1, index_tensor(rows));
    pictures.push_back({{"attention", attention},
                        {"layer", pictures.size() + 1},
                        {"seed", seed},
                        {"labels", shown},
                        {"matrix", short_matrix(among / among.sum(1, /*keepdim=*/true))}});
  }
  return pictures;
}

json region_picture(const RowNetwork& network, const std::string& attention, std::uint64_t seed, const SeedData& data, const PointMap& map,
                    const RunData& points) {
  const at::NoGradGuard no_gradient;
  engine::Matrix all(data.prepared.train.rows() + data.prepared.test.rows(), 2);
  all << data.prepared.train, data.prepared.test;
  const Extent x(all.col(0)), y(all.col(1));
  const std::vector<double> x_axis = x.ticks(), y_axis = y.ticks();
  const at::Tensor values = points_of(map(grid_points(x_axis, y_axis)), {}).values;
  const at::Tensor found = logits(network, Attend::train, 0, points.kept.values, values);
  const at::Tensor last = at::softmax(found, 1).select(1, points.classes - 1).view({grid, grid});
  const at::Tensor winner = at::argmax(found, 1).view({grid, grid});
  json winners = json::array();
  for (std::int64_t i = 0; i < grid; ++i) {
    const std::int64_t* row = winner.data_ptr<std::int64_t>() + i * grid;
    winners.push_back(std::vector<std::int64_t>(row, row + grid));
  }
  return {{"attention", attention}, {"seed", seed},         {"x", x_axis},
          {"y", y_axis},            {"winner", winners},    {"probability", short_matrix(last)},
          {"points", shown_points(data.prepared, all, x, y)}};
}

}  // namespace calor::learn

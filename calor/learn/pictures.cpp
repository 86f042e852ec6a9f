#include "calor/learn/pictures.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/softmax.h>
#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/learn/evaluate.h"

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

std::vector<std::int64_t> kept_labels(const SeedData& data) {
  const at::Tensor& labels = data.points.kept.labels;
  return {labels.data_ptr<std::int64_t>(), labels.data_ptr<std::int64_t>() + labels.numel()};
}

// One coordinate of the preprocessed points, in the data's own units.
std::vector<double> coordinates(const std::vector<float>& points, std::size_t column, const Standardisation& s) {
  std::vector<double> values;
  for (std::size_t i = column; i < points.size(); i += 2) values.push_back(points[i] * s.deviation[column] + s.mean[column]);
  return values;
}

std::vector<double> axis(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  // A constant feature gets an axis as well, a hundredth of its value wide.
  const double extent = *high > *low ? *high - *low : std::max(1e-2 * std::abs(*low), 1e-6);
  const double begin = *low - margin * extent;
  std::vector<double> ticks;
  for (std::int64_t i = 0; i < grid; ++i) {
    ticks.push_back(short_number(begin + (1 + 2 * margin) * extent * static_cast<double>(i) / (grid - 1)));
  }
  return ticks;
}

io::Dataset grid_points(const std::vector<double>& x, const std::vector<double>& y) {
  io::Dataset points;
  points.columns = 2;
  points.rows = grid * grid;
  for (const double v : y) {
    for (const double u : x) {
      points.values.push_back(static_cast<float>(u));
      points.values.push_back(static_cast<float>(v));
    }
  }
  return points;
}

json shown_points(const SeedData& data, const std::vector<double>& x, const std::vector<double>& y) {
  std::vector<std::int64_t> labels = data.prepared.train_labels;
  labels.insert(labels.end(), data.prepared.test_labels.begin(), data.prepared.test_labels.end());
  json points = {{"label", labels}};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    points["x"].push_back(short_number(x[i]));
    points["y"].push_back(short_number(y[i]));
    points["test"].push_back(i >= data.prepared.train_labels.size());
  }
  return points;
}

}  // namespace

json similarity_pictures(const Ipn& network, const std::string& attention, std::uint64_t seed, const SeedData& data) {
  const at::NoGradGuard no_gradient;
  const auto labels = kept_labels(data);
  auto rows = stratified_sample(labels, data.points.classes, most_tokens, seed);
  const auto label_of = [&](std::int64_t row) { return labels[static_cast<std::size_t>(row)]; };
  std::stable_sort(rows.begin(), rows.end(), [&](auto a, auto b) { return label_of(a) < label_of(b); });
  std::vector<std::int64_t> shown;
  for (const std::int64_t row : rows) shown.push_back(label_of(row));
  json pictures = json::array();
  for (const at::Tensor& attended : layer_attention(network, data.points.kept.values, rows)) {
    const at::Tensor among = attended.index_select(1, index_tensor(rows));
    pictures.push_back({{"attention", attention},
                        {"layer", pictures.size() + 1},
                        {"seed", seed},
                        {"labels", shown},
                        {"matrix", short_matrix(among / among.sum(1, /*keepdim=*/true))}});
  }
  return pictures;
}

json region_picture(const Ipn& network, const std::string& attention, std::uint64_t seed, const SeedData& data) {
  const at::NoGradGuard no_gradient;
  std::vector<float> all = data.prepared.train;
  all.insert(all.end(), data.prepared.test.begin(), data.prepared.test.end());
  const Standardisation& standardisation = data.prepared.standardisation;
  const auto x = coordinates(all, 0, standardisation), y = coordinates(all, 1, standardisation);
  const auto x_axis = axis(x), y_axis = axis(y);
  const io::Dataset points = grid_points(x_axis, y_axis);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(points.rows));
  for (std::int64_t i = 0; i < points.rows; ++i) rows[static_cast<std::size_t>(i)] = i;
  const at::Tensor values = points_of(standardised_rows(points, rows, standardisation), {}, 2).values;
  const at::Tensor found = logits(network, Attend::train, 0, data.points.kept.values, values);
  const at::Tensor last = at::softmax(found, 1).select(1, data.points.classes - 1).view({grid, grid});
  const at::Tensor winner = at::argmax(found, 1).view({grid, grid});
  json winners = json::array();
  for (std::int64_t i = 0; i < grid; ++i) {
    const std::int64_t* row = winner.data_ptr<std::int64_t>() + i * grid;
    winners.push_back(std::vector<std::int64_t>(row, row + grid));
  }
  return {{"attention", attention}, {"seed", seed},         {"x", x_axis},
          {"y", y_axis},            {"winner", winners},    {"probability", short_matrix(last)},
          {"points", shown_points(data, x, y)}};
}

}  // namespace calor::learn

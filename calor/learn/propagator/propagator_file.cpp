#include <algorithm>
#include <cmath>

#include "calor/learn/propagator/propagator.h"
#include "calor/io/stored_tensor.h"
#include "calor/learn/train/saved_model.h"

namespace calor::learn {
namespace {

using nlohmann::json;
using engine::Matrix;

constexpr int schema = 1;

io::Tensor stored_matrix(const Matrix& matrix) {
  return io::stored(std::vector<double>(matrix.data(), matrix.data() + matrix.size()), {matrix.rows(), matrix.cols()});
}

// rows or columns of -1: any.
Matrix matrix_of(const io::Safetensors& content, const std::string& name, std::int64_t rows, std::int64_t columns) {
  const std::vector<double> values = io::restored<double>(content, name, 2, "model");
  const std::vector<std::int64_t>& shape = content.tensors.at(name).shape;
  require((rows < 0 || shape[0] == rows) && (columns < 0 || shape[1] == columns), Fault::input,
          "[model] expected the tensor '{}' of {} x {}, found {} x {}", name, rows, columns, shape[0], shape[1]);
  require(std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }), Fault::input,
          "[model] expected finite numbers in the tensor '{}', found NaN or infinity", name);
  return Eigen::Map<const Matrix>(values.data(), shape[0], shape[1]);
}

Propagator propagator_of(const io::Safetensors& content) {
  Propagator model;
  read_origin(content, schema, model);
  read_table(content, false, model);
  const auto columns = static_cast<std::int64_t>(model.features.size());
  model.projection = matrix_of(content, "metric.projection", columns, -1);
  const std::int64_t width = model.projection.cols();
  model.offset = matrix_of(content, "metric.offset", 1, columns);
  model.residual = matrix_of(content, "metric.residual", width, width);
  model.first = matrix_of(content, "metric.first", -1, width);
  model.first_bias = matrix_of(content, "metric.first_bias", 1, model.first.rows());
  model.second = matrix_of(content, "metric.second", width, model.first.rows());
  const Matrix scalars = matrix_of(content, "temperature_and_alpha", 1, 2);
  model.temperature = scalars(0, 0);
  model.alpha = scalars(0, 1);
  model.keys = matrix_of(content, "keys.values", -1, width);
  model.log_density = matrix_of(content, "keys.log_density", model.keys.rows(), 1).col(0);
  const auto keys = static_cast<std::int64_t>(model.keys.rows());
  if (model.measured()) model.targets = matrix_of(content, "keys.targets", keys, 1).col(0);
  else model.labels = io::restored<std::int64_t>(content, "keys.labels", 1, "model");
  model.rows = io::restored<std::int64_t>(content, "keys.rows", 1, "model");
  const auto classes = static_cast<std::int64_t>(model.classes.size());
  require(keys > 0 && (model.measured() || static_cast<std::int64_t>(model.labels.size()) == keys) && static_cast<std::int64_t>(model.rows.size()) == keys &&
              std::all_of(model.labels.begin(), model.labels.end(), [&](std::int64_t label) { return label >= 0 && label < classes; }) &&
              std::all_of(model.rows.begin(), model.rows.end(), [](std::int64_t row) { return row >= 0; }) && model.temperature > 0,
          Fault::input, "[model] expected a class below {} and a row for each of {} keys, and a temperature above 0, found others", classes, keys);
  return model;
}

}  // namespace

void save_propagator(const std::string& path, const Propagator& model) {
  io::Safetensors content;
  store_origin(content, io::propagator_mark, schema, model);
  store_table(content, false, model);
  const auto keys = static_cast<std::int64_t>(model.rows.size());
  content.tensors["metric.offset"] = stored_matrix(model.offset);
  content.tensors["metric.projection"] = stored_matrix(model.projection);
  content.tensors["metric.residual"] = stored_matrix(model.residual);
  content.tensors["metric.first"] = stored_matrix(model.first);
  content.tensors["metric.first_bias"] = stored_matrix(model.first_bias);
  content.tensors["metric.second"] = stored_matrix(model.second);
  content.tensors["temperature_and_alpha"] = io::stored(std::vector<double>{model.temperature, model.alpha}, {1, 2});
  content.tensors["keys.values"] = stored_matrix(model.keys);
  content.tensors["keys.log_density"] = stored_matrix(model.log_density);
  if (model.measured()) content.tensors["keys.targets"] = stored_matrix(model.targets);
  else content.tensors["keys.labels"] = io::stored(model.labels, {keys});
  content.tensors["keys.rows"] = io::stored(model.rows, {keys});
  io::write_safetensors(path, content);
}

Propagator load_propagator(const std::string& path) {
  return read_model(path, io::FileKind::propagator, "a propagator of calor train", propagator_of);
}

}  // namespace calor::learn

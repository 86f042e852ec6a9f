#include "calor/pipeline/model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "calor/core/error.h"
#include "calor/io/file_kind.h"
#include "calor/io/number.h"
#include "calor/io/safetensors.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/short_forms.h"
#include "calor/pipeline/libsvm_model.h"
#include "calor/pipeline/wants.h"

namespace calor::pipeline {
namespace {

using nlohmann::json;

template <class Number>
io::Tensor tensor_of(const char* dtype, std::vector<std::int64_t> shape, const Number* values, std::size_t count) {
  io::Tensor tensor{dtype, std::move(shape), {}};
  tensor.bytes.resize(count * sizeof(Number));
  if (count) std::memcpy(tensor.bytes.data(), values, tensor.bytes.size());
  return tensor;
}

io::Tensor tensor_of(const Matrix& matrix) {
  return tensor_of("F64", {matrix.rows(), matrix.cols()}, matrix.data(), static_cast<std::size_t>(matrix.size()));
}

// Whether 32 bits hold each column to a millionth of its spread, and no number becomes 0 or infinite.
bool fits_floats(const Matrix& matrix) {
  constexpr double share = 1e-6;
  for (Eigen::Index c = 0; c < matrix.cols(); ++c) {
    const auto column = matrix.col(c).array();
    const double spread = column.maxCoeff() - column.minCoeff();
    for (const double value : column) {
      const double rounded = static_cast<float>(value);
      if (!std::isfinite(value)) continue;
      if (!std::isfinite(rounded) || (rounded == 0 && value != 0) || !(std::abs(rounded - value) <= share * spread || rounded == value)) return false;
    }
  }
  return true;
}

io::Tensor tensor_of(const Matrix& matrix, bool compact) {
  using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  if (!compact || matrix.size() == 0 || !fits_floats(matrix)) return tensor_of(matrix);
  const Floats floats = matrix.cast<float>();
  return tensor_of("F32", {matrix.rows(), matrix.cols()}, floats.data(), static_cast<std::size_t>(floats.size()));
}

// The levels of each column: low + step * 0 .. low + step * 255.
struct Levels {
  Eigen::RowVectorXd low, step;
};

constexpr double most_level = 255;

Levels levels_of(const Matrix& features) {
  Levels levels{Eigen::RowVectorXd::Zero(features.cols()), Eigen::RowVectorXd::Zero(features.cols())};
  for (Eigen::Index c = 0; features.rows() > 0 && c < features.cols(); ++c) {
    const auto column = features.col(c).array();
    const double low = column.minCoeff(), high = column.maxCoeff();
    const bool whole = low >= 0 && high <= most_level && (column == column.round()).all();
    levels.low[c] = whole ? 0 : low;
    levels.step[c] = whole ? 1 : high / most_level - low / most_level;
  }
  return levels;
}

void put_levels(const Matrix& features, io::Safetensors& file) {
  const Levels levels = levels_of(features);
  std::vector<std::uint8_t> level(static_cast<std::size_t>(features.size()));
  for (Eigen::Index i = 0; i < features.rows(); ++i)
    for (Eigen::Index c = 0; c < features.cols(); ++c)
      level[i * features.cols() + c] = levels.step[c] > 0 ? static_cast<std::uint8_t>(std::clamp(std::round((features(i, c) - levels.low[c]) / levels.step[c]), 0.0, most_level)) : 0;
  file.tensors["features"] = tensor_of("U8", {features.rows(), features.cols()}, level.data(), level.size());
  file.tensors["features.low"] = tensor_of(Matrix(levels.low));
  file.tensors["features.step"] = tensor_of(Matrix(levels.step));
}

constexpr double infinity = std::numeric_limits<double>::infinity(), nothing = std::numeric_limits<double>::quiet_NaN();

// Throws for the first number that is neither finite nor `allowed`.
void require_finite(const Matrix& values, double allowed, const std::string& name, const std::string& path) {
  for (Eigen::Index i = 0; i < values.rows(); ++i)
    for (Eigen::Index c = 0; c < values.cols(); ++c) {
      const double value = values(i, c);
      require(std::isfinite(value) || value == allowed, Fault::input,
              "[model] expected finite numbers in \"{}\", found {} at row {}, column {}: the file is damaged, write it anew ({})", name, value, i + 1, c + 1, path);
    }
}

// The same of the values of compressed rows.
void require_finite(const std::vector<double>& values, const std::vector<std::int64_t>& begin, const std::string& name, const std::string& path) {
  const auto found = std::find_if(values.begin(), values.end(), [](double value) { return !std::isfinite(value); });
  if (found == values.end()) return;
  const auto row = std::upper_bound(begin.begin(), begin.end(), found - values.begin()) - begin.begin();
  fail(Fault::input, "[model] expected finite numbers in \"{}\", found {} at row {}: the file is damaged, write it anew ({})", name, *found, row, path);
}

// The stage that keeps "<s>.name", or in the body of stage s "<s>.<t>.name"; null where there is none.
const BoundStage* keeper_of(const std::vector<BoundStage>& stages, const std::string& place) {
  const std::size_t dot = place.find('.');
  const auto number = io::parse_number(place.substr(0, dot));
  if (dot == std::string::npos || !number || !(*number >= 0 && *number < static_cast<double>(stages.size()))) return nullptr;
  const BoundStage& one = stages[static_cast<std::size_t>(*number)];
  for (const Parameter& parameter : one.stage->parameters)
    if (parameter.takes == Parameter::Takes::pipeline)
      if (const BoundStage* inner = keeper_of(one.arguments.pipeline(parameter.name), place.substr(dot + 1))) return inner;
  return &one;
}

// Of what stages keep, minus infinity says that no path joins two points (geodesic), and that nothing is near a point (the log of its density).
bool may_be_infinite(const BoundStage& keeper, const std::string& place) {
  const std::string name = place.substr(place.rfind('.') + 1);
  return (keeper.stage->name == "geodesic" && name == "values") || name == "log_density";
}

const io::Tensor& find(const io::Safetensors& file, const std::string& name, const std::string& path) {
  const auto found = file.tensors.find(name);
  require(found != file.tensors.end(), Fault::input, "[model] expected the tensor \"{}\", found none ({})", name, path);
  return found->second;
}

std::shared_ptr<const Matrix> matrix_of(const io::Tensor& tensor, const std::string& name, const std::string& path) {
  require((tensor.dtype == "F64" || tensor.dtype == "F32") && tensor.shape.size() == 2, Fault::input,
          "[model] expected \"{}\" to be F64 or F32 with 2 dimensions, found {} with {} ({})", name, tensor.dtype, tensor.shape.size(), path);
  auto matrix = std::make_shared<Matrix>(tensor.shape[0], tensor.shape[1]);
  if (tensor.dtype == "F32") {
    std::vector<float> values(tensor.bytes.size() / sizeof(float));
    if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    std::copy(values.begin(), values.end(), matrix->data());
    return matrix;
  }
  if (matrix->size()) std::memcpy(matrix->data(), tensor.bytes.data(), tensor.bytes.size());
  return matrix;
}

std::shared_ptr<const Matrix> features_from(const io::Safetensors& file, const std::string& path) {
  const io::Tensor& tensor = find(file, "features", path);
  if (tensor.dtype != "U8") {
    auto features = matrix_of(tensor, "features", path);
    require_finite(*features, nothing, "features", path);
    return features;
  }
  const Matrix low = *matrix_of(find(file, "features.low", path), "features.low", path), step = *matrix_of(find(file, "features.step", path), "features.step", path);
  require(tensor.shape.size() == 2 && low.rows() == 1 && step.rows() == 1 && low.cols() == tensor.shape[1] && step.cols() == tensor.shape[1], Fault::input,
          "[model] expected features of 2 dimensions and levels of each column, found {} dimensions and {} and {} levels ({})", tensor.shape.size(), low.cols(), step.cols(), path);
  require(low.allFinite() && step.allFinite() && (step.array() >= 0).all(), Fault::input, "[model] expected finite levels and steps of at least 0, found others ({})", path);
  auto features = std::make_shared<Matrix>(tensor.shape[0], tensor.shape[1]);
  for (Eigen::Index i = 0; i < features->rows(); ++i)
    for (Eigen::Index c = 0; c < features->cols(); ++c)
      (*features)(i, c) = low(0, c) + step(0, c) * static_cast<double>(static_cast<std::uint8_t>(tensor.bytes[static_cast<std::size_t>(i * features->cols() + c)]));
  return features;
}

template <class Number>
std::vector<Number> numbers_of(const io::Tensor& tensor, const char* dtype, const std::string& name, const std::string& path) {
  require(tensor.dtype == dtype, Fault::input, "[model] expected \"{}\" to be {}, found {} ({})", name, dtype, tensor.dtype, path);
  std::vector<Number> values(tensor.bytes.size() / sizeof(Number));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

io::SparseMatrix sparse_from(const io::Safetensors& file, const std::string& path) {
  const std::vector<std::int64_t> shape = numbers_of<std::int64_t>(find(file, "sparse.shape", path), "I64", "sparse.shape", path);
  require(shape.size() == 2, Fault::input, "[model] expected rows and columns in \"sparse.shape\", found {} numbers ({})", shape.size(), path);
  io::SparseMatrix points;
  points.rows = shape[0];
  points.columns = shape[1];
  points.begin = numbers_of<std::int64_t>(find(file, "sparse.begin", path), "I64", "sparse.begin", path);
  points.column = numbers_of<std::int32_t>(find(file, "sparse.column", path), "I32", "sparse.column", path);
  points.value = numbers_of<double>(find(file, "sparse.value", path), "F64", "sparse.value", path);
  return points;
}

Csr graph_from(const io::Safetensors& file, std::int64_t nodes, const std::string& path) {
  Csr graph;
  graph.rows = graph.columns = nodes;
  graph.begin = numbers_of<std::int64_t>(find(file, "graph.begin", path), "I64", "graph.begin", path);
  graph.column = numbers_of<std::int32_t>(find(file, "graph.column", path), "I32", "graph.column", path);
  graph.values = numbers_of<double>(find(file, "graph.value", path), "F64", "graph.value", path);
  const bool whole = graph.begin.size() == static_cast<std::size_t>(nodes) + 1 && graph.begin.front() == 0 && graph.begin.back() == graph.edges() &&
                     std::is_sorted(graph.begin.begin(), graph.begin.end()) && (graph.values.empty() || graph.values.size() == graph.column.size()) &&
                     std::all_of(graph.column.begin(), graph.column.end(), [&](std::int32_t to) { return to >= 0 && to < nodes; });
  require(whole, Fault::input, "[model] expected the edges of {} nodes, found damaged ones ({})", nodes, path);
  require_finite(graph.values, graph.begin, "graph.value", path);
  return graph;
}

// The points in the form that they were saved in.
Data points_from(const io::Safetensors& file, const std::string& path) {
  std::shared_ptr<const Matrix> distances;
  if (file.tensors.count("distances")) {
    distances = matrix_of(find(file, "distances", path), "distances", path);
    require_finite(*distances, infinity, "distances", path);  // of a pair that has none
  }
  std::optional<io::SparseMatrix> sparse;
  if (file.tensors.count("sparse.shape")) {
    sparse = sparse_from(file, path);
    require_finite(sparse->value, sparse->begin, "sparse.value", path);
  }
  Data data;
  try {
    if (sparse) data = data_of(*std::move(sparse), {}, {});
    else if (distances) data = data_of_distances(*distances, {});
  } catch (const Error& error) {
    fail(Fault::input, "[model] expected points of a fit, found damaged ones ({}): {}", path, error.what());
  }
  if (!data.sparse && !distances) data.features = features_from(file, path);
  return data;
}

Data data_from(const io::Safetensors& file, const std::string& path) {
  Data data = points_from(file, path);
  if (file.tensors.count("graph.begin")) data.graph = std::make_shared<const Csr>(graph_from(file, data.rows(), path));
  const auto rows = static_cast<std::size_t>(data.rows());
  const auto checked = [&](auto values, const char* name) {
    require(static_cast<std::size_t>(values.size()) == rows, Fault::input, "[model] expected {} rows of {}, found {} ({})", rows, name, values.size(), path);
    return values;
  };
  if (file.tensors.count("labels")) data.labels = checked(numbers_of<std::int64_t>(find(file, "labels", path), "I64", "labels", path), "labels");
  if (file.tensors.count("train")) data.train = checked(numbers_of<std::uint8_t>(find(file, "train", path), "U8", "train", path), "train");
  if (file.tensors.count("targets")) data.targets = checked(Vector(matrix_of(find(file, "targets", path), "targets", path)->reshaped()), "targets");
  for (Eigen::Index i = 0; i < data.targets.size(); ++i)  // NaN: not known
    require(!std::isinf(data.targets[i]), Fault::input, "[model] expected finite numbers or none in \"targets\", found {} at row {}: the file is damaged, write it anew ({})", data.targets[i], i + 1, path);
  const json names = json::parse(file.metadata.at("names"));
  data.feature_names = names.at("features").get<std::vector<std::string>>();
  data.row_names = names.at("rows").get<std::vector<std::string>>();
  data.classes = names.at("classes").get<std::vector<std::string>>();
  for (const std::int64_t label : data.labels)
    require(label >= -1 && label < static_cast<std::int64_t>(data.classes.size()), Fault::input, "[model] expected labels below {}, found {} ({})",
            data.classes.size(), label, path);
  return data;
}

void put_points(const Data& data, bool compact, io::Safetensors& file) {
  if (data.distances) {
    file.tensors["distances"] = tensor_of(*data.distances, compact);
  } else if (data.sparse) {
    const io::SparseMatrix& points = *data.sparse;
    const std::int64_t shape[] = {points.rows, points.columns};
    file.tensors["sparse.shape"] = tensor_of("I64", {2}, shape, 2);
    file.tensors["sparse.begin"] = tensor_of("I64", {points.rows + 1}, points.begin.data(), points.begin.size());
    file.tensors["sparse.column"] = tensor_of("I32", {points.entries()}, points.column.data(), points.column.size());
    file.tensors["sparse.value"] = tensor_of("F64", {points.entries()}, points.value.data(), points.value.size());
  } else if (compact && data.features->allFinite()) {
    put_levels(*data.features, file);
  } else {
    file.tensors["features"] = tensor_of(*data.features);
  }
  if (!data.graph) return;
  const Csr& graph = *data.graph;
  file.tensors["graph.begin"] = tensor_of("I64", {graph.rows + 1}, graph.begin.data(), graph.begin.size());
  file.tensors["graph.column"] = tensor_of("I32", {graph.edges()}, graph.column.data(), graph.column.size());
  file.tensors["graph.value"] = tensor_of("F64", {static_cast<std::int64_t>(graph.values.size())}, graph.values.data(), graph.values.size());
}

// A mark for each stage of the expanded pipeline: the last of those that it holds.
std::vector<std::uint8_t> expanded_marks(const std::vector<std::uint8_t>& written, std::size_t stages, const std::function<std::string(const std::string&)>& moved) {
  std::vector<std::uint8_t> marks(stages, 0);
  for (std::size_t s = 0; s < written.size(); ++s) marks.at(std::stoull(moved(std::to_string(s) + ".mark"))) = written[s];
  return marks;
}

}  // namespace

void save_fit(const std::string& path, const SavedFit& saved) {
  require_places(saved.fit.stages, "save", "leave out --save");
  if (names_libsvm_model(path)) {
    require(!saved.compact, Fault::usage, "[save] expected all digits in libsvm's file, found --compact: leave it out, or save under another name ({})", path);
    return save_libsvm_model(path, saved);
  }
  const Data& data = *saved.fit.data;
  io::Safetensors file;
  json prototypes = json::array();
  for (const std::uint8_t flag : saved.fit.prototypes) prototypes.push_back(flag != 0);
  file.metadata = {{"format", io::fit_mark},
                   {"pipeline", print(saved.fit.stages)},
                   {"version", saved.version},
                   {"input_hash", saved.input_hash},
                   {"label", saved.label},
                   {"coding", io::coding_text(saved.coding)},
                   {"missing", io::filling_text(saved.filling)},
                   {"seed", std::to_string(saved.fit.seed)},
                   {"prototypes", prototypes.dump()},
                   {"names", json{{"features", data.feature_names}, {"rows", data.row_names}, {"classes", data.classes}}.dump(
                                 -1, ' ', false, json::error_handler_t::replace)}};
  put_points(data, saved.compact, file);
  if (!data.labels.empty()) file.tensors["labels"] = tensor_of("I64", {data.rows()}, data.labels.data(), data.labels.size());
  if (!data.train.empty()) file.tensors["train"] = tensor_of("U8", {data.rows()}, data.train.data(), data.train.size());
  if (data.targets.size()) file.tensors["targets"] = tensor_of(Matrix(data.targets));
  json by_row = json::array();
  for (std::size_t s = 0; s < saved.fit.kept.size(); ++s)
    for (const auto& [name, values] : saved.fit.kept[s].arrays()) {
      if (saved.fit.kept[s].by_row(name)) by_row.push_back("stage." + std::to_string(s) + "." + name);
      file.tensors["stage." + std::to_string(s) + "." + name] = tensor_of(*values, saved.compact && values->size() > 1);
    }
  file.metadata["by_row"] = by_row.dump();
  io::write_safetensors(path, file);
}

SavedFit load_fit(const std::string& path, const StageList& stages) {
  if (is_libsvm_model(path)) return load_libsvm_model(path, stages);
  io::expect_kind(path, {io::FileKind::fit}, "apply", "a fit that `calor run --save` wrote");
  const io::Safetensors file = io::read_safetensors(path);
  const auto meta = [&](const char* name) {
    const auto found = file.metadata.find(name);
    require(found != file.metadata.end(), Fault::input, "[model] expected the metadata \"{}\" of a fit, found none ({})", name, path);
    return found->second;
  };
  require(meta("format") == io::fit_mark, Fault::input, "[model] expected the format {}, found {}: use the Calor that wrote it, {} or later ({})", io::fit_mark, meta("format"),
          meta("version"), path);
  SavedFit saved;
  saved.pipeline = meta("pipeline");
  saved.version = meta("version");
  saved.input_hash = meta("input_hash");
  saved.label = meta("label");
  if (file.metadata.contains("coding")) saved.coding = io::parse_coding(file.metadata.at("coding"), path);
  meta("names");
  std::function<std::string(const std::string&)> moved;
  std::set<std::string> by_row;  // none in files of early versions
  try {
    if (file.metadata.contains("by_row")) by_row = json::parse(file.metadata.at("by_row")).get<std::set<std::string>>();
    const Pipeline written = parse(saved.pipeline);
    saved.fit.stages = bind_stages(written, stages);
    saved.pipeline = print(saved.fit.stages);  // without former names and short forms
    saved.fit.seed = std::stoull(meta("seed"));
    for (const json& flag : json::parse(meta("prototypes"))) saved.fit.prototypes.push_back(flag.get<bool>());
    moved = [written, &stages](const std::string& name) { return expanded_name(written.stages, stages, name); };
    if (saved.fit.prototypes.size() == written.stages.size()) saved.fit.prototypes = expanded_marks(saved.fit.prototypes, saved.fit.stages.size(), moved);
    saved.fit.data = std::make_shared<const Data>(data_from(file, path));
    require_wanted(saved.fit.stages, *saved.fit.data);
  } catch (const json::exception&) {
    fail(Fault::input, "[model] expected metadata in JSON, found damaged ones ({})", path);
  } catch (const std::logic_error&) {  // of stoull
    fail(Fault::input, "[model] expected a seed, found \"{}\" ({})", meta("seed"), path);
  } catch (const Error& error) {
    if (error.fault() != Fault::usage) throw;
    fail(Fault::input, "[model] expected a pipeline that this version knows ({}): {}", path, error.what());
  }
  saved.fit.kept.resize(saved.fit.stages.size());
  require(saved.fit.prototypes.size() == saved.fit.stages.size(), Fault::input, "[model] expected a mark for each of {} stages, found {} ({})",
          saved.fit.stages.size(), saved.fit.prototypes.size(), path);
  if (file.metadata.contains("missing")) saved.filling = io::parse_filling(file.metadata.at("missing"), saved.fit.data->feature_names.size(), path);
  require(saved.coding.columns.empty() || saved.coding.features() == saved.fit.data->feature_names, Fault::input,
          "[model] expected a coding that gives the fit's features, found another ({})", path);
  for (const auto& [name, tensor] : file.tensors) {
    if (!name.starts_with("stage.")) continue;
    const std::string place = moved(name.substr(6));
    const std::size_t dot = place.find('.');
    const auto stage = io::parse_number(place.substr(0, dot));
    require(dot != std::string::npos && stage && *stage >= 0 && *stage < static_cast<double>(saved.fit.kept.size()), Fault::input,
            "[model] expected a stage below {}, found the tensor \"{}\" ({})", saved.fit.kept.size(), name, path);
    Kept& kept = saved.fit.kept[static_cast<std::size_t>(*stage)];
    const std::shared_ptr<const Matrix> values = matrix_of(tensor, name, path);
    const BoundStage* keeper = keeper_of(saved.fit.stages, place);
    require_finite(*values, keeper && may_be_infinite(*keeper, place) ? -infinity : nothing, name, path);
    if (by_row.count(name) && values->rows() == saved.fit.data->rows()) kept.keep_rows(place.substr(dot + 1), *values);
    else kept.keep(place.substr(dot + 1), values);
  }
  return saved;
}

}  // namespace calor::pipeline

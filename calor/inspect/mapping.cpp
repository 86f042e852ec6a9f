// A mapping file: which tensors of any safetensors file are the query, key and value weights of which layer (docs/inspect.md).
//
//   {"schema": 1, "weights": "model.safetensors", "layout": "out,in", "score": "dot", "heads": 8, "causal": false,
//    "layers": [{"query": "q.weight", "key": "k.weight", "value": "v.weight", "query_bias": "q.bias", ...}]}
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/inspect/model.h"
#include "calor/inspect/weights.h"
#include "calor/io/output.h"

namespace calor::inspect {

namespace {

using nlohmann::json;

const std::vector<std::string>& known_keys() {
  static const std::vector<std::string> keys{"schema", "weights", "layout",     "score",    "heads",      "kv_heads",  "scale",      "causal",
                                             "rotary", "layers",  "query",      "key",      "value",      "query_bias", "key_bias",  "value_bias",
                                             "gain",   "offset",  "normalise", "tokens"};
  return keys;
}

void check_keys(const json& object, const std::string& path) {
  for (const auto& [key, value] : object.items()) {
    if (std::find(known_keys().begin(), known_keys().end(), key) != known_keys().end()) continue;
    const std::string near = nearest_name(key, known_keys());
    fail(Fault::input, "[inspect] expected a key of a mapping ({}), found \"{}\"{} ({})", list_names(known_keys(), 20), key,
         near.empty() ? "" : fmt::format(": did you mean \"{}\"?", near), path);
  }
}

class Mapping : public Model {
 public:
  explicit Mapping(const std::string& path) : path_(path) {
    const json whole = json::parse(io::read_file(path));
    require(whole.is_object() && whole.value("schema", 0) == 1, Fault::input, "[inspect] expected a mapping with \"schema\": 1, found another ({})", path);
    check_keys(whole, path);
    const Weights weights((std::filesystem::absolute(path).parent_path() / whole.at("weights").get<std::string>()).string());
    require(whole.at("layers").is_array() && !whole["layers"].empty(), Fault::input, "[inspect] expected a list of layers, found none ({})", path);
    for (json layer : whole["layers"]) {
      check_keys(layer, path);
      for (const auto& [key, value] : whole.items())
        if (key != "layers" && !layer.contains(key)) layer[key] = value;  // what all layers share
      read_layer(weights, layer);
    }
  }

  std::string kind() const override { return "mapping"; }
  std::int64_t layers() const override { return static_cast<std::int64_t>(layers_.size()); }
  std::int64_t heads() const override { return static_cast<std::int64_t>(layers_.front().heads.size()); }

  Activations run(const Tokens& tokens, const Context&) const override {
    require(tokens.given() && !tokens.is_text, Fault::usage, "[inspect] expected what enters the layer as numbers, found {}: give --tokens FILE",
            tokens.is_text ? "a text" : "nothing");
    Activations activations;
    activations.names = tokens.names;
    activations.tokens = "inputs of the layers, from " + tokens.source;
    for (const Entry& entry : layers_) {
      const Matrix& stream = single_tensor(tokens, entry.tokens);
      const Eigen::Index width = entry.heads.front().value.weight.cols();
      require(stream.cols() == width, Fault::input, "[inspect] expected tokens of {} columns, found {} ({})", width, stream.cols(), tokens.source);
      const Eigen::Index before = activations.layers.empty() ? stream.rows() : activations.layers.front().stream.rows();
      require(stream.rows() == before, Fault::input, "[inspect] expected as many tokens in every layer, found {} and {} ({})", before, stream.rows(), tokens.source);
      activations.layers.push_back({stream, normalised(stream, entry.normalise), entry.heads});
    }
    return activations;
  }

 private:
  struct Entry {
    std::vector<Head> heads;
    std::string normalise, tokens;
  };

  static Matrix normalised(const Matrix& stream, const std::string& kind) {
    if (kind == "none") return stream;
    constexpr double epsilon = 1e-6;
    Matrix rows = stream;
    if (kind == "layer") rows.colwise() -= stream.rowwise().mean();
    for (Eigen::Index i = 0; i < rows.rows(); ++i) rows.row(i) /= std::sqrt(rows.row(i).squaredNorm() / static_cast<double>(rows.cols()) + epsilon);
    return rows;
  }

  AffineMap map_of(const Weights& weights, const json& layer, const std::string& name) const {
    const std::string layout = layer.value("layout", "out,in");
    require(layout == "out,in" || layout == "in,out", Fault::input, "[inspect] expected the layout \"out,in\" or \"in,out\", found \"{}\" ({})", layout, path_);
    AffineMap map;
    map.weight = weights.matrix(layer.at(name).get<std::string>());
    if (layout == "in,out") map.weight = Matrix(map.weight.transpose());
    if (layer.contains(name + "_bias")) map.bias = weights.vector(layer.at(name + "_bias").get<std::string>(), map.weight.rows());
    return map;
  }

  void read_layer(const Weights& weights, const json& layer) {
    AffineMap query = map_of(weights, layer, "query"), key = map_of(weights, layer, layer.contains("key") ? "key" : "query");
    const Eigen::Index width = query.weight.cols();
    AffineMap value = layer.contains("value") ? map_of(weights, layer, "value") : AffineMap{Matrix::Identity(width, width), {}};
    require(key.weight.cols() == width && value.weight.cols() == width, Fault::input,
            "[inspect] expected query, key and value weights of equal inputs, found {}, {} and {} ({}): is the layout right?", width, key.weight.cols(),
            value.weight.cols(), path_);
    const std::string score = layer.value("score", "dot"), normalise = layer.value("normalise", "none");
    require(score == "dot" || score == "l2", Fault::input, "[inspect] expected the score \"dot\" or \"l2\", found \"{}\" ({})", score, path_);
    require(normalise == "none" || normalise == "rms" || normalise == "layer", Fault::input,
            "[inspect] expected \"normalise\" none, rms or layer, found \"{}\" ({})", normalise, path_);
    const auto heads = layer.value("heads", std::int64_t{1}), key_heads = layer.value("kv_heads", heads);
    const auto divides = [](Eigen::Index size, std::int64_t parts) { return parts >= 1 && size % parts == 0; };
    require(divides(query.weight.rows(), heads) && divides(key.weight.rows(), key_heads) && divides(value.weight.rows(), key_heads) && divides(heads, key_heads) &&
                query.weight.rows() / heads == key.weight.rows() / key_heads,
            Fault::input, "[inspect] expected {} heads and {} key heads to divide the weights' {}, {} and {} rows, found no such cut ({})", heads, key_heads,
            query.weight.rows(), key.weight.rows(), value.weight.rows(), path_);
    Vector gain = Vector::Ones(width), offset;
    if (layer.contains("gain")) gain = weights.vector(layer.at("gain").get<std::string>(), width);
    if (layer.contains("offset")) offset = weights.vector(layer.at("offset").get<std::string>(), width);
    Entry entry{{}, normalise, layer.value("tokens", "")};
    const Eigen::Index size = query.weight.rows() / heads, value_size = value.weight.rows() / key_heads;
    const auto part = [&](const AffineMap& map, Eigen::Index first, Eigen::Index count) {
      return after_gain({map.weight.middleRows(first, count), map.bias.size() ? Vector(map.bias.segment(first, count)) : Vector()}, gain, offset);
    };
    for (std::int64_t h = 0; h < heads; ++h) {
      const std::int64_t group = h / (heads / key_heads);
      Head head;
      head.pairing = score == "l2" ? Pairing::squared_distance : Pairing::dot;
      head.scale = layer.value("scale", 1 / std::sqrt(static_cast<double>(size)));
      require(std::isfinite(head.scale) && head.scale > 0, Fault::input, "[inspect] expected a positive scale, found {} ({})", head.scale, path_);
      head.query = part(query, h * size, size);
      head.key = part(key, group * size, size);
      head.value = part(value, group * value_size, value_size);
      head.rotary_base = layer.value("rotary", 0.0);
      head.causal = layer.value("causal", false);
      entry.heads.push_back(std::move(head));
    }
    layers_.push_back(std::move(entry));
  }

  std::string path_;
  std::vector<Entry> layers_;
};

}  // namespace

std::unique_ptr<Model> load_mapping(const std::string& path) {
  try {
    return std::make_unique<Mapping>(path);
  } catch (const json::exception& error) {
    fail(Fault::input, "[inspect] expected a mapping file in JSON, found: {} ({})", error.what(), path);
  }
}

}  // namespace calor::inspect

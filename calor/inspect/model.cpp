#include "calor/inspect/model.h"

#include <cmath>
#include <filesystem>
#include <fstream>

#include "calor/core/error.h"
#include "calor/inspect/weights.h"
#include "calor/io/file_kind.h"
#include "calor/io/output.h"

namespace calor::inspect {

namespace {

bool ends_with(const std::string& path, std::string_view suffix) { return path.ends_with(suffix); }

std::unique_ptr<Model> load_safetensors(const std::string& path, const std::string& tokeniser) {
  const Weights weights(path);
  if (weights.has("l0.qkv.weight") && weights.has("timing.inv_freq")) return load_use_lite(path, tokeniser);
  fail(Fault::input,
       "[inspect] expected a model of `calor train --save` or a known encoder, found a safetensors file written by another program ({}): name its "
       "query, key and value weights in a mapping file (docs/inspect.md)",
       path);
}

}  // namespace

std::unique_ptr<Model> load_model(const std::string& path, const std::string& tokeniser) {
  std::error_code error;
  require(std::filesystem::exists(path, error), Fault::input, "[inspect] expected a model file, found none ({})", path);
  const auto kind = io::expect_kind(path, {io::FileKind::network, io::FileKind::propagator, io::FileKind::mapping, io::FileKind::foreign}, "inspect", "attention heads");
  if (kind == io::FileKind::network) return load_propagation_network(path);
  if (kind == io::FileKind::propagator) return load_metric_propagator(path);
  if (kind == io::FileKind::mapping || ends_with(path, ".json")) return load_mapping(path);
  if (ends_with(path, ".bin")) return load_llama2c(path, tokeniser);
  if (ends_with(path, ".safetensors")) return load_safetensors(path, tokeniser);
  fail(Fault::input, "[inspect] expected a model that ends in .safetensors, .bin (llama2.c) or .json (a mapping), found {}", path);
}

Tokens load_tokens(const std::string& path, const Model& model, const Context& context) {
  Tokens tokens;
  tokens.source = path;
  if (ends_with(path, ".txt")) {
    tokens.is_text = true;
    tokens.text = io::read_file(path);
    while (!tokens.text.empty() && (tokens.text.back() == '\n' || tokens.text.back() == '\r')) tokens.text.pop_back();
    return tokens;
  }
  if (ends_with(path, ".safetensors")) {
    const Weights file(path);
    for (const auto& [name, tensor] : file.content().tensors)
      if (tensor.shape.size() == 2) tokens.tensors[name] = file.matrix(name);
    require(!tokens.tensors.empty(), Fault::input, "[inspect] expected a tensor with two dimensions, tokens x columns, found none ({})", path);
    return tokens;
  }
  const io::Dataset data = io::load_dataset(path, model.token_options(), context);
  tokens.tensors[""] = Eigen::Map<const Matrix>(data.values.data(), data.rows, data.columns);
  tokens.names = data.row_names;
  return tokens;
}

const Matrix& single_tensor(const Tokens& tokens, const std::string& name) {
  if (!name.empty() && tokens.tensors.contains(name)) return tokens.tensors.at(name);
  require(tokens.tensors.size() == 1, Fault::input, "[inspect] expected one table of tokens{}, found {} tensors ({})",
          name.empty() ? "" : fmt::format(" or a tensor '{}'", name), tokens.tensors.size(), tokens.source);
  return tokens.tensors.begin()->second;
}

std::vector<std::int64_t> token_numbers(const Matrix& values, std::int64_t vocabulary, const std::string& source) {
  std::vector<std::int64_t> ids;
  for (Eigen::Index i = 0; i < values.rows(); ++i) {
    const double value = values(i, 0);
    require(value == std::floor(value) && value >= 0 && value < static_cast<double>(vocabulary), Fault::input,
            "[inspect] expected token numbers from 0 to {}, found {} in row {} ({})", vocabulary - 1, value, i + 1, source);
    ids.push_back(static_cast<std::int64_t>(value));
  }
  return ids;
}

}  // namespace calor::inspect

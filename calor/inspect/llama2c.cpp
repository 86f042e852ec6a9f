#include "calor/inspect/llama2c.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "calor/core/error.h"
#include "calor/io/output.h"

namespace calor::inspect {

namespace {

constexpr double rms_epsilon = 1e-5, rotary_base = 10000;
constexpr std::int64_t own_words = 128;  // tokens that the model writes when none are given
constexpr std::int64_t most = 1 << 20;   // of any size in a header: larger is another kind of file

class Reader {
 public:
  Reader(const std::string& bytes, std::size_t at, const std::string& path) : bytes_(bytes), at_(at), path_(path) {}
  Matrix matrix(std::int64_t rows, std::int64_t columns) {
    Matrix values(rows, columns);
    for (std::int64_t i = 0; i < rows * columns; ++i, at_ += sizeof(float)) {
      float value = 0;
      std::memcpy(&value, bytes_.data() + at_, sizeof value);
      require(std::isfinite(value), Fault::input, "[inspect] expected finite weights, found NaN or infinity at byte {} ({})", at_, path_);
      values.data()[i] = value;
    }
    return values;
  }
  Vector vector(std::int64_t size) { return matrix(size, 1).col(0); }
  void skip(std::int64_t numbers) { at_ += static_cast<std::size_t>(numbers) * sizeof(float); }

 private:
  const std::string& bytes_;
  std::size_t at_;
  const std::string& path_;
};

Vector normalised(const Vector& x) { return x / std::sqrt(x.squaredNorm() / static_cast<double>(x.size()) + rms_epsilon); }

std::string beside(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("tok") && name.ends_with(".bin")) found.push_back(entry.path().string());
  }
  return found.size() == 1 ? found.front() : "";
}

}  // namespace

struct Llama2c::Trace {
  std::vector<Vector> keys, values, states, seen;
};

Llama2c::Llama2c(const std::string& path, const std::string& tokeniser) {
  const std::string bytes = io::read_file(path);
  std::int32_t header[7] = {};
  require(bytes.size() >= sizeof header, Fault::input, "[inspect] expected a llama2.c model, found {} bytes ({})", bytes.size(), path);
  std::memcpy(header, bytes.data(), sizeof header);
  const auto [dim, hidden, layers, heads, key_heads, vocabulary, longest] = header;
  const bool sizes = std::all_of(header, header + 7, [](std::int32_t size) { return size != 0 && std::abs(static_cast<std::int64_t>(size)) < most; });
  const bool positive = dim > 0 && hidden > 0 && layers > 0 && heads > 0 && key_heads > 0 && longest > 0;
  require(sizes && positive && layers < 1000 && dim % std::max(heads, 1) == 0 && heads % std::max(key_heads, 1) == 0 && dim / heads % 2 == 0,
          Fault::input, "[inspect] expected the header of a llama2.c model, found the sizes {} {} {} {} {} {} {} ({})", dim, hidden, layers, heads,
          key_heads, vocabulary, longest, path);
  dim_ = dim, hidden_ = hidden, layers_ = layers, heads_ = heads, key_heads_ = key_heads, vocabulary_ = std::abs(vocabulary), longest_ = longest;
  const std::int64_t width = dim_ / heads_, key_dim = width * key_heads_;
  const std::int64_t block_numbers = 2 * dim_ + 2 * dim_ * dim_ + 2 * dim_ * key_dim + 3 * dim_ * hidden_;
  const std::int64_t numbers = vocabulary_ * dim_ + layers_ * block_numbers + dim_ + longest_ * width + (vocabulary < 0 ? vocabulary_ * dim_ : 0);
  const std::size_t expected = sizeof header + static_cast<std::size_t>(numbers) * sizeof(float);
  require(bytes.size() == expected, Fault::input, "[inspect] expected {} bytes from the header of this llama2.c model, found {} ({}): {}",
          expected, bytes.size(), path, bytes.size() < expected ? "the file is truncated or of another layout" : "another layout");
  Reader reader(bytes, sizeof header, path);
  embedding_ = reader.matrix(vocabulary_, dim_);
  blocks_.resize(static_cast<std::size_t>(layers_));
  for (Block& b : blocks_) b.attention_gain = reader.vector(dim_);
  for (Block& b : blocks_) b.query = reader.matrix(dim_, dim_);
  for (Block& b : blocks_) b.key = reader.matrix(key_dim, dim_);
  for (Block& b : blocks_) b.value = reader.matrix(key_dim, dim_);
  for (Block& b : blocks_) b.output = reader.matrix(dim_, dim_);
  for (Block& b : blocks_) b.feed_gain = reader.vector(dim_);
  for (Block& b : blocks_) b.gate = reader.matrix(hidden_, dim_);
  for (Block& b : blocks_) b.down = reader.matrix(dim_, hidden_);
  for (Block& b : blocks_) b.up = reader.matrix(hidden_, dim_);
  final_gain_ = reader.vector(dim_);
  reader.skip(longest_ * width);  // cosines and sines of the rotary positions, computed here
  classifier_ = vocabulary < 0 ? reader.matrix(vocabulary_, dim_) : embedding_;
  const std::string pieces = tokeniser.empty() ? beside(path) : tokeniser;
  if (!pieces.empty()) tokeniser_.emplace(pieces, vocabulary_);
}

Head Llama2c::head_of(const Block& block, std::int64_t head) const {
  const std::int64_t width = dim_ / heads_, group = head / (heads_ / key_heads_);
  Head found;
  found.scale = 1 / std::sqrt(static_cast<double>(width));
  found.query = after_gain({block.query.middleRows(head * width, width), {}}, block.attention_gain, {});
  found.key = after_gain({block.key.middleRows(group * width, width), {}}, block.attention_gain, {});
  found.value = after_gain({block.value.middleRows(group * width, width), {}}, block.attention_gain, {});
  found.rotary_base = rotary_base;
  found.causal = true;
  return found;
}

Vector Llama2c::extend(std::vector<Trace>& traces, const Vector& embedding) const {
  const std::int64_t width = dim_ / heads_, group = heads_ / key_heads_;
  Vector state = embedding;
  for (std::size_t l = 0; l < blocks_.size(); ++l) {
    const Block& block = blocks_[l];
    Trace& trace = traces[l];
    const auto position = static_cast<std::int64_t>(trace.keys.size());
    trace.states.push_back(state);
    trace.seen.push_back(normalised(state));
    const Vector x = block.attention_gain.cwiseProduct(trace.seen.back());
    Vector query = block.query * x, key = block.key * x;
    const auto turn = [&](Vector& features) {
      for (std::int64_t c = 0; c < features.size(); c += 2) {
        const double angle = static_cast<double>(position) * std::pow(rotary_base, -static_cast<double>(c % width) / static_cast<double>(width));
        const double a = features[c], b = features[c + 1];
        features[c] = a * std::cos(angle) - b * std::sin(angle);
        features[c + 1] = a * std::sin(angle) + b * std::cos(angle);
      }
    };
    turn(query);
    turn(key);
    trace.keys.push_back(key);
    trace.values.push_back(block.value * x);
    Vector received(dim_);
    for (std::int64_t h = 0; h < heads_; ++h) {
      const std::int64_t shared = h / group * width;
      Vector weights(position + 1);
      for (std::int64_t j = 0; j <= position; ++j)
        weights[j] = query.segment(h * width, width).dot(trace.keys[static_cast<std::size_t>(j)].segment(shared, width)) / std::sqrt(static_cast<double>(width));
      weights = (weights.array() - weights.maxCoeff()).exp();
      weights /= weights.sum();
      Vector mean = Vector::Zero(width);
      for (std::int64_t j = 0; j <= position; ++j) mean += weights[j] * trace.values[static_cast<std::size_t>(j)].segment(shared, width);
      received.segment(h * width, width) = mean;
    }
    state += block.output * received;
    const Vector y = block.feed_gain.cwiseProduct(normalised(state)), gate = block.gate * y;
    const Vector inner = gate.array() / (1 + (-gate.array()).exp()) * (block.up * y).array();
    state += block.down * inner;
  }
  return state;
}

Vector Llama2c::logits(const TokenIds& ids) const {
  std::vector<Trace> traces(blocks_.size());
  Vector state;
  for (const std::int64_t id : ids) state = extend(traces, embedding_.row(id));
  return classifier_ * final_gain_.cwiseProduct(normalised(state));
}

TokenIds Llama2c::continue_greedily(const TokenIds& prompt, std::int64_t steps) const {
  std::vector<Trace> traces(blocks_.size());
  TokenIds said;
  std::int64_t token = prompt.front();
  for (std::int64_t position = 0; position < std::min(steps, longest_); ++position) {
    const Vector state = extend(traces, embedding_.row(token));
    Eigen::Index next = 0;
    if (position + 1 < static_cast<std::int64_t>(prompt.size())) {
      next = prompt[static_cast<std::size_t>(position) + 1];
    } else {
      (classifier_ * final_gain_.cwiseProduct(normalised(state))).maxCoeff(&next);
    }
    if (next == BytePairs::begin) break;
    said.push_back(next);
    token = next;
  }
  return said;
}

std::string Llama2c::decode(const TokenIds& ids) const {
  std::string text;
  std::int64_t previous = BytePairs::begin;
  for (const std::int64_t id : ids) {
    text += tokeniser_->decode(previous, id);
    previous = id;
  }
  return text;
}

TokenIds Llama2c::ids_of(const Tokens& tokens, std::string& source) const {
  if (tokens.is_text) {
    require(tokeniser_.has_value(), Fault::input, "[inspect] expected a tokeniser, a file tok*.bin beside the model, found none: name one with --tokeniser");
    source = "text";
    return tokeniser_->encode(tokens.text);
  }
  if (tokens.given()) {
    source = "token numbers of " + tokens.source;
    return token_numbers(single_tensor(tokens), vocabulary_, tokens.source);
  }
  source = "the model's own words: greedy, from the beginning of a text";
  TokenIds ids{BytePairs::begin};
  const TokenIds said = continue_greedily(ids, std::min(own_words, longest_) - 1);
  ids.insert(ids.end(), said.begin(), said.end());
  return ids;
}

Activations Llama2c::run(const Tokens& tokens, const Context& context) const {
  Activations activations;
  Matrix embeddings;
  const bool numbers = !tokens.given() || tokens.is_text || single_tensor(tokens).cols() == 1;
  if (numbers) {
    const TokenIds ids = ids_of(tokens, activations.tokens);
    embeddings.resize(static_cast<Eigen::Index>(ids.size()), dim_);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      embeddings.row(static_cast<Eigen::Index>(i)) = embedding_.row(ids[i]);
      activations.names.push_back(tokeniser_ ? tokeniser_->piece(ids[i]) : std::to_string(ids[i]));
    }
  } else {
    embeddings = single_tensor(tokens);
    require(embeddings.cols() == dim_, Fault::input, "[inspect] expected token numbers (1 column) or embeddings ({} columns), found {} columns ({})",
            dim_, embeddings.cols(), tokens.source);
    activations.tokens = "embeddings of " + tokens.source;
    activations.names = tokens.names;
  }
  require(embeddings.rows() <= longest_, Fault::input, "[inspect] expected at most {} tokens for this model, found {}: give fewer", longest_,
          embeddings.rows());
  std::vector<Trace> traces(blocks_.size());
  activations.last.resize(embeddings.rows(), dim_);
  for (Eigen::Index i = 0; i < embeddings.rows(); ++i) {
    context.check_stop("inspect");
    activations.last.row(i) = extend(traces, embeddings.row(i));
  }
  for (std::size_t l = 0; l < blocks_.size(); ++l) {
    Layer layer;
    layer.stream.resize(embeddings.rows(), dim_);
    layer.tokens.resize(embeddings.rows(), dim_);
    for (Eigen::Index i = 0; i < embeddings.rows(); ++i) {
      layer.stream.row(i) = traces[l].states[static_cast<std::size_t>(i)];
      layer.tokens.row(i) = traces[l].seen[static_cast<std::size_t>(i)];
    }
    for (std::int64_t h = 0; h < heads_; ++h) layer.heads.push_back(head_of(blocks_[l], h));
    activations.layers.push_back(std::move(layer));
  }
  return activations;
}

std::unique_ptr<Model> load_llama2c(const std::string& path, const std::string& tokeniser) { return std::make_unique<Llama2c>(path, tokeniser); }

}  // namespace calor::inspect

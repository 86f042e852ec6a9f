#include "calor/inspect/use_lite.h"

#include <cmath>
#include <filesystem>

#include "calor/core/error.h"
#include "calor/inspect/rows.h"

namespace calor::inspect {

namespace {

constexpr double epsilon = 1e-6;  // of the layer normalisation

Matrix normalised(const Matrix& rows) {
  Matrix result = rows.colwise() - rows.rowwise().mean();
  for (Eigen::Index i = 0; i < rows.rows(); ++i)
    result.row(i) /= std::sqrt(result.row(i).squaredNorm() / static_cast<double>(rows.cols()) + epsilon);
  return result;
}

}  // namespace

AffineMap UseLite::affine(const Weights& weights, const std::string& name) const {
  return {weights.matrix(name + ".weight").transpose(), weights.vector(name + ".bias")};
}

UseLite::UseLite(const std::string& path, const std::string& vocabulary) {
  const Weights weights(path);
  embedding_ = weights.matrix("embed.weight");
  frequency_ = weights.vector("timing.inv_freq", embedding_.cols() / 2);
  residual_ = affine(weights, "l0.res");
  sentence_head_ = affine(weights, "head");
  for (const std::string layer : {"l0", "l1"}) {
    Block block;
    block.before_attention = {weights.vector(layer + ".ln1.weight"), weights.vector(layer + ".ln1.bias")};
    block.before_feed = {weights.vector(layer + ".ln2.weight"), weights.vector(layer + ".ln2.bias")};
    const AffineMap whole = affine(weights, layer + ".qkv");
    const Eigen::Index width = whole.weight.rows() / 3;
    require(width * 3 == whole.weight.rows() && width % head_count == 0, Fault::input,
            "[inspect] expected 3 x 4 heads in '{}.qkv.weight', found {} columns ({})", layer, whole.weight.rows(), path);
    AffineMap* parts[] = {&block.query, &block.key, &block.value};
    for (Eigen::Index p = 0; p < 3; ++p) *parts[p] = {whole.weight.middleRows(p * width, width), whole.bias.segment(p * width, width)};
    block.output = affine(weights, layer + ".out");
    block.up = affine(weights, layer + ".ffn1");
    block.down = affine(weights, layer + ".ffn2");
    blocks_.push_back(std::move(block));
  }
  const std::string pieces = vocabulary.empty() ? (std::filesystem::absolute(path).parent_path() / "vocab.json").string() : vocabulary;
  if (!vocabulary.empty() || std::filesystem::exists(pieces)) {
    vocabulary_.emplace(pieces);
    require(vocabulary_->size() <= embedding_.rows(), Fault::input, "[inspect] expected at most {} pieces in the vocabulary, found {} ({})",
            embedding_.rows(), vocabulary_->size(), pieces);
  }
}

Head UseLite::head_of(const Block& block, std::int64_t head) const {
  const Eigen::Index width = block.query.weight.rows() / head_count, first = head * width;
  const auto part = [&](const AffineMap& map) {
    return after_gain({map.weight.middleRows(first, width), map.bias.segment(first, width)}, block.before_attention.gain, block.before_attention.offset);
  };
  Head found;
  found.scale = 1 / std::sqrt(static_cast<double>(width));
  found.query = part(block.query);
  found.key = part(block.key);
  found.value = part(block.value);
  return found;
}

Matrix UseLite::embeddings(const TokenIds& ids) const {
  Matrix rows(static_cast<Eigen::Index>(ids.size()), embedding_.cols());
  for (std::size_t i = 0; i < ids.size(); ++i) rows.row(static_cast<Eigen::Index>(i)) = embedding_.row(ids[i]);
  return rows;
}

Activations UseLite::run(const Matrix& embeddings) const {
  const Eigen::Index half = frequency_.size();
  require(embeddings.cols() == 2 * half, Fault::input, "[inspect] expected token numbers (1 column) or embeddings ({} columns), found {} columns",
          2 * half, embeddings.cols());
  require(embeddings.rows() <= most_pieces, Fault::input, "[inspect] expected at most {} tokens for this model, found {}: give fewer", most_pieces,
          embeddings.rows());
  Activations activations;
  Matrix state = 2 * embeddings;
  for (Eigen::Index p = 0; p < state.rows(); ++p) {
    for (Eigen::Index c = 0; c < half; ++c) {
      state(p, c) += std::sin(static_cast<double>(p) * frequency_[c]);
      state(p, half + c) += std::cos(static_cast<double>(p) * frequency_[c]);
    }
  }
  for (std::size_t l = 0; l < blocks_.size(); ++l) {
    const Block& block = blocks_[l];
    Layer layer;
    layer.stream = state;
    layer.tokens = normalised(state);
    Matrix received(state.rows(), block.value.weight.rows());
    for (std::int64_t h = 0; h < head_count; ++h) {
      layer.heads.push_back(head_of(block, h));
      const Head& head = layer.heads.back();
      const Features features = features_of(head, layer.tokens);
      received.middleCols(h * features.value.cols(), features.value.cols()) = AttentionRows(head, features, true, Context()).apply(features.value);
    }
    state = (l == 0 ? residual_(state) : state) + block.output(received);
    Matrix fed = normalised(state) * block.before_feed.gain.asDiagonal();
    fed.rowwise() += block.before_feed.offset.transpose();
    state += block.down(Matrix(block.up(fed).cwiseMax(0.0)));
    activations.layers.push_back(std::move(layer));
  }
  activations.last = state;
  return activations;
}

Activations UseLite::run(const Tokens& tokens, const Context&) const {
  require(tokens.given(), Fault::usage, "[inspect] expected tokens for this model, found none: give --text \"...\" or --tokens FILE");
  if (!tokens.is_text && single_tensor(tokens).cols() > 1) {
    Activations activations = run(single_tensor(tokens));
    activations.names = tokens.names;
    activations.tokens = "embeddings of " + tokens.source;
    return activations;
  }
  require(!tokens.is_text || vocabulary_.has_value(), Fault::input,
          "[inspect] expected a vocabulary, vocab.json beside the model, found none: name one with --tokeniser");
  const TokenIds ids = tokens.is_text ? vocabulary_->encode(tokens.text) : token_numbers(single_tensor(tokens), embedding_.rows(), tokens.source);
  Activations activations = run(embeddings(ids));
  activations.tokens = tokens.is_text ? "text" : "token numbers of " + tokens.source;
  for (const std::int64_t id : ids) {
    activations.names.push_back(vocabulary_ && id < vocabulary_->size() ? vocabulary_->piece(id) : std::to_string(id));
  }
  return activations;
}

Vector UseLite::sentence(const TokenIds& ids) const {
  const Matrix mean = run(embeddings(ids)).last.colwise().mean();
  const Vector answer = sentence_head_(mean).row(0).array().tanh();
  return answer.normalized();
}

std::unique_ptr<Model> load_use_lite(const std::string& path, const std::string& vocabulary) { return std::make_unique<UseLite>(path, vocabulary); }

}  // namespace calor::inspect

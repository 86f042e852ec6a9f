// The loaders' forward passes against what other programs computed: llama2.c's own greedy text, and embeddings and inner tensors of
// the Universal Sentence Encoder Lite's runtime (float32 there, double here: sums of up to 1,536 terms round to about
// 6e-8 x sqrt(1536) = 2.4e-6 of their size, layer after layer; tolerance 1e-5, and 2e-6 for entries of the embeddings).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "calor/inspect/llama2c.h"
#include "calor/inspect/rows.h"
#include "calor/inspect/use_lite.h"
#include "calor/io/output.h"

namespace calor::inspect {
namespace {

class Pretrained : public testing::Test {
 protected:
  void SetUp() override {
    const char* data = std::getenv("CALOR_DATA");
    if (!data || !std::filesystem::exists(std::string(data) + "/pretrained"))
      GTEST_SKIP() << "SKIPPED: CALOR_DATA names no folder with pretrained/";
    folder = std::string(data) + "/pretrained/";
  }
  std::string folder;
};

TEST_F(Pretrained, StoriesTellTheTextOfLlama2c) {
  const Llama2c model(folder + "stories260K/stories260K.bin", "");
  ASSERT_TRUE(model.has_tokeniser());
  const std::string text = model.decode(model.continue_greedily({BytePairs::begin}, 200));
  const std::string expected = io::read_file(folder + "stories260K/expected_greedy_200.txt");
  EXPECT_EQ(text, expected.substr(0, expected.find_last_not_of('\n') + 1));
}

// The inspected layers are those of the forward pass: the text's own tokens, encoded again, give the same next word.
TEST_F(Pretrained, StoriesTokensRoundTrip) {
  const Llama2c model(folder + "stories260K/stories260K.bin", "");
  const std::string text = "Once upon a time, there was a little girl named Lily.";
  TokenIds ids = model.tokeniser().encode(text);
  EXPECT_EQ(ids.front(), BytePairs::begin);
  EXPECT_EQ(model.decode({ids.begin() + 1, ids.end()}), text);
  Eigen::Index next = 0;
  model.logits(ids).maxCoeff(&next);
  EXPECT_EQ(model.tokeniser().piece(next).substr(0, 4), " She");
}

// Features with rotary positions: scores of equal tokens depend on the difference of positions alone, as its cosine.
TEST(Rotary, TurnsPairsByPosition) {
  Head head;
  head.query = head.key = head.value = {Matrix::Identity(2, 2), {}};
  head.rotary_base = 10000;
  Matrix tokens(9, 2);
  tokens.rowwise() = Eigen::RowVector2d(1, 0);
  const Features features = features_of(head, tokens);
  for (Eigen::Index i = 0; i < 9; ++i)
    for (Eigen::Index j = 0; j < 9; ++j) EXPECT_NEAR(features.query.row(i).dot(features.key.row(j)), std::cos(static_cast<double>(i - j)), 1e-12);
}

// The inspected heads of the first layer, put together with the weights that the test reads from the file itself, give the state
// before the second: what is inspected (normalisation's gain, rotary positions, shared key heads, mask) is what the model computes.
TEST_F(Pretrained, StoriesHeadsMakeTheNextState) {
  const std::string path = folder + "stories260K/stories260K.bin", bytes = io::read_file(path);
  const Llama2c model(path, "");
  Tokens text;
  text.is_text = true;
  text.text = "Once upon a time, there was a little girl named Lily.";
  const Activations found = model.run(text, Context());
  constexpr Eigen::Index dim = 64, hidden = 172, layers = 5, key_dim = 32, vocabulary = 512;
  const auto numbers = [&](Eigen::Index at, Eigen::Index rows, Eigen::Index columns) {
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> values(rows, columns);
    std::memcpy(values.data(), bytes.data() + 28 + 4 * at, static_cast<std::size_t>(values.size()) * 4);
    return Matrix(values.cast<double>());
  };
  const Eigen::Index output = vocabulary * dim + layers * (dim + dim * dim + 2 * key_dim * dim), feed = output + layers * dim * dim;
  const Matrix gain = numbers(feed, 1, dim), gate = numbers(feed + layers * dim, hidden, dim);
  const Matrix down = numbers(feed + layers * (dim + hidden * dim), dim, hidden), up = numbers(feed + layers * (dim + 2 * hidden * dim), hidden, dim);
  const Layer& first = found.layers[0];
  Matrix received(first.tokens.rows(), dim);
  for (std::size_t h = 0; h < first.heads.size(); ++h) {
    const Features features = features_of(first.heads[h], first.tokens);
    received.middleCols(static_cast<Eigen::Index>(h) * 8, 8) = AttentionRows(first.heads[h], features, true, Context()).apply(features.value);
  }
  Matrix state = first.stream + received * numbers(output, dim, dim).transpose();
  for (Eigen::Index i = 0; i < state.rows(); ++i) {
    const Eigen::VectorXd y = state.row(i).cwiseProduct(gain.row(0)) / std::sqrt(state.row(i).squaredNorm() / dim + 1e-5), g = gate * y;
    state.row(i) += down * (g.array() / (1 + (-g.array()).exp()) * (up * y).array()).matrix();
  }
  EXPECT_LT((state - found.layers[1].stream).cwiseAbs().maxCoeff(), 1e-12);
}

TEST_F(Pretrained, SentencesGetTheStoredEmbeddings) {
  const UseLite model(folder + "use_lite/use_lite.safetensors", "");
  const auto reference = nlohmann::json::parse(io::read_file(folder + "use_lite/reference.json"));
  for (std::size_t s = 0; s < reference["sentences"].size(); ++s) {
    const TokenIds ids = model.vocabulary().encode(reference["sentences"][s].get<std::string>());
    EXPECT_EQ(ids, reference["ids"][s].get<TokenIds>()) << s;
    const Vector answer = model.sentence(reference["ids"][s].get<TokenIds>());
    const auto& stored = reference["embeddings_single"][s];
    for (Eigen::Index c = 0; c < answer.size(); ++c) ASSERT_NEAR(answer[c], stored[static_cast<std::size_t>(c)].get<double>(), 2e-6) << s << " " << c;
  }
}

TEST_F(Pretrained, SentencesPassThroughTheStoredLayers) {
  const UseLite model(folder + "use_lite/use_lite.safetensors", "");
  const auto reference = nlohmann::json::parse(io::read_file(folder + "use_lite/reference.json"));
  const Activations found = model.run(model.embeddings(reference["ids"][3].get<TokenIds>()));
  const auto& stored = reference["intermediate_for_sentence_3"];
  const std::string stack = "module_apply_default/Encoder_en/KonaTransformer/Encode/TransformerStack/";
  const auto compare = [&](const Matrix& values, const std::string& name) {
    const auto& data = stored[stack + name]["data"];
    ASSERT_EQ(static_cast<std::size_t>(values.size()), data.size());
    const auto numbers = data.get<std::vector<double>>();
    const Vector difference = Eigen::Map<const Vector>(values.data(), values.size()) - Eigen::Map<const Vector>(numbers.data(), values.size());
    EXPECT_LT(difference.norm(), 1e-5 * values.norm()) << name;
  };
  compare(found.layers[0].stream, "Layer_0/add");
  compare(found.layers[1].stream, "Layer_0/TransformerLayer/FFN/layer_postprocess/add");
  compare(found.last, "Layer_1/TransformerLayer/FFN/layer_postprocess/add");
}

}  // namespace
}  // namespace calor::inspect

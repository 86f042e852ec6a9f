// The loaders' forward passes against what other programs computed: llama2.c's own greedy text, and embeddings and inner tensors of
// the Universal Sentence Encoder Lite's runtime (float32 there, double here; its sums of up to 1,536 terms
// round to about 40 units of 6e-8 each, and a sentence passes through some twenty of them).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "calor/inspect/llama2c.h"
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
    for (Eigen::Index i = 0; i < values.size(); ++i) {
      const double stored_value = data[static_cast<std::size_t>(i)].get<double>();
      ASSERT_NEAR(values.data()[i], stored_value, 1e-5 * (1 + std::abs(stored_value))) << name << " " << i;
    }
  };
  compare(found.layers[0].stream, "Layer_0/add");
  compare(found.layers[1].stream, "Layer_0/TransformerLayer/FFN/layer_postprocess/add");
  compare(found.last, "Layer_1/TransformerLayer/FFN/layer_postprocess/add");
}

}  // namespace
}  // namespace calor::inspect

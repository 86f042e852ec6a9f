// Translators: gradients of the whole model against central differences in double, causality, padding, decoding with and without kept keys, beam search
// against greedy, training that goes on to the same bits, a task that is learned, and files that come back.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/io/file_kind.h"
#include "calor/io/safetensors.h"
#include "calor/learn/translation/decode.h"
#include "calor/learn/translation/linear.h"
#include "calor/learn/translation/model.h"
#include "calor/learn/translation/run.h"

namespace calor::learn {
namespace {

constexpr std::int64_t pieces = 11;

TranslatorShape tiny(const std::string& score) { return {pieces, 4, 2, 2, 6, score, 0}; }

// Biases start at 0: shaken, so that a test sees them.
void shake(const Translator& translator, double by = 0.3) {
  const at::NoGradGuard no_gradient;
  Random random(9, Purpose::test);
  at::Tensor values = translator.weights().values();
  for (std::int64_t i = 0; i < values.numel(); ++i) values[i] += by * random.normal();
}

std::vector<Pair> few_pairs() { return {{{4, 5, 6}, {7, 8}}, {{9}, {10, 4, 5, 6}}, {{6, 6, 10, 7, 4}, {5}}}; }

PairBatch all_of(const std::vector<Pair>& pairs) {
  std::vector<std::int64_t> rows;
  for (std::size_t r = 0; r < pairs.size(); ++r) rows.push_back(static_cast<std::int64_t>(r));
  return pair_batch(pairs, rows);
}

// Features [B, T, width] of all target pieces at once.
at::Tensor features_of(const Translator& translator, const PairBatch& batch) {
  const at::NoGradGuard no_gradient;
  DecoderCache cache = translator.encode(batch.source, {});
  return translator.decode(cache, batch.input, {});
}

at::Tensor normals(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  const at::Tensor x = at::empty({rows, columns}, at::kFloat);
  for (std::int64_t i = 0; i < rows * columns; ++i) x.mutable_data_ptr<float>()[i] = static_cast<float>(random.normal());
  return x;
}

// The definition in double of operands rounded to 8 bits.  Sums in float err by up to terms x 2^-24 of the sum of magnitudes; results in bf16 by 2^-9 of themselves.
TEST(LinearMaps, MultiplyWhatTheirPrecisionSays) {
  for (const std::int64_t rows : {1, 37, 300}) {
    const at::Tensor x = normals(rows, 96, 1), w = normals(70, 96, 2);
    for (const Products products : {Products::whole, Products::rounded, products_of("bf16")}) {
      const FasterProducts faster;
      const at::Tensor found = linear_maps(x, {w}, products)[0].to(at::kDouble);
      const at::Tensor a = products == Products::whole ? x : x.to(at::kBFloat16), b = products == Products::whole ? w : w.to(at::kBFloat16);
      const at::Tensor wanted = at::mm(a.to(at::kDouble), b.t().to(at::kDouble)), magnitude = at::mm(a.abs().to(at::kDouble), b.abs().t().to(at::kDouble));
      at::Tensor bound = magnitude * (96 * std::ldexp(1.0, -24));
      if (products == Products::bf16) bound = bound + wanted.abs() * std::ldexp(1.0, -8);
      EXPECT_TRUE(((found - wanted).abs() <= bound).all().item<bool>()) << "rows " << rows << ", products " << static_cast<int>(products);
    }
  }
}

// Rounding errs by 2^-9; a hidden unit near 0 that it moves to the other side errs by all of its share.
TEST(LinearMaps, GradientsInBf16AreThoseOfFloatsButForRounding) {
  const at::Tensor x = normals(50, 32, 1), d = normals(50, 32, 6);
  const TwoMaps maps{normals(48, 32, 2) / 6, normals(1, 48, 3)[0], normals(32, 48, 4) / 7, normals(1, 32, 5)[0]};
  const auto gradients = [&](const auto& map, Products products) {
    std::vector<at::Tensor> inputs{x.clone(), maps.expand.clone(), maps.expand_offset.clone(), maps.contract.clone(), maps.contract_offset.clone()};
    for (at::Tensor& input : inputs) input.requires_grad_();
    map(inputs[0], {inputs[1], inputs[2], inputs[3], inputs[4]}, products).backward(d);
    for (at::Tensor& input : inputs) input = input.grad();
    return inputs;
  };
  for (const auto& map : {feed_forward, static_cast<at::Tensor (*)(const at::Tensor&, const TwoMaps&, Products)>(learned_map)}) {
    const auto wanted = gradients(map, Products::whole);
    for (const Products products : {Products::rounded, products_of("bf16")}) {
      const auto found = gradients(map, products);
      for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_LE((found[i] - wanted[i]).norm().item<float>(), 0.1F * wanted[i].norm().item<float>()) << "input " << i << ", products " << static_cast<int>(products);
    }
  }
}

class EveryScore : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Translators, EveryScore, testing::Values("self", "l2", "metric", "uniform"));

// Of keys that may be seen, whatever they are: the values' mean through the output's map.
TEST(Translators, UniformAttentionIsThePlainMean) {
  std::vector<WeightSpec> specs;
  const TranslatorAttention attention(tiny("uniform"), Products::whole, "a", specs);
  ASSERT_EQ(specs.size(), 2u) << "nothing is compared, so nothing is learned of it";
  const Weights weights(specs, 3, at::kDouble);
  const at::NoGradGuard no_gradient;
  const at::Tensor x = normals(6, 4, 1).to(at::kDouble).reshape({2, 3, 4});
  const at::Tensor valid = at::ones({2, 3}, at::kBool);
  valid[1][1] = false;
  const TranslatorAttention::Rows rows = attention.rows(weights, x);
  const at::Tensor found = attention.attend(weights, rows.queries, rows.keys, rows.values, valid, false);
  const at::Tensor flowing = x.matmul(weights[0].t());
  const at::Tensor means = at::stack({flowing[0].mean(0), (flowing[1][0] + flowing[1][2]) / 2}).matmul(weights[1].t());
  for (std::int64_t r = 0; r < 3; ++r) EXPECT_LE((found.select(1, r) - means).abs().max().item<double>(), 1e-14);
}

// Central differences err by h^2 times the third derivative, and by the last digits over h: about 1e-9 with h = 1e-5.
TEST_P(EveryScore, GradientsAreDifferences) {
  const Translator translator(tiny(GetParam()), 1, at::kDouble);
  shake(translator);
  const PairBatch batch = all_of(few_pairs());
  loss_sum(translator, batch, 0.1, {}).backward();
  const at::Tensor found = translator.weights().gradients().clone(), values = translator.weights().values();
  const at::NoGradGuard no_gradient;
  const double h = 1e-5, scale = found.abs().max().item<double>();
  auto* weight = values.data_ptr<double>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    const double before = weight[i];
    weight[i] = before + h;
    const double above = loss_sum(translator, batch, 0.1, {}).item<double>();
    weight[i] = before - h;
    const double below = loss_sum(translator, batch, 0.1, {}).item<double>();
    weight[i] = before;
    ASSERT_NEAR(found[i].item<double>(), (above - below) / (2 * h), 1e-7 * (1 + scale)) << "weight " << i;
  }
  ASSERT_GT(scale, 0.1);
}

TEST_P(EveryScore, ALaterPieceChangesNothingEarlier) {
  const Translator translator(tiny(GetParam()), 1, at::kDouble);
  shake(translator);
  PairBatch batch = all_of({{{4, 5, 6}, {7, 8, 9, 10, 4}}});
  const at::Tensor before = features_of(translator, batch);
  batch.input[0][3] = 5;
  const at::Tensor change = (features_of(translator, batch) - before).abs().amax(2)[0];
  EXPECT_LE(change.narrow(0, 0, 3).max().item<double>(), 1e-12);
  EXPECT_GE(change.narrow(0, 3, 3).min().item<double>(), 1e-6);
}

TEST_P(EveryScore, PaddingChangesNothing) {
  const Translator translator(tiny(GetParam()), 1, at::kDouble);
  shake(translator);
  const std::vector<Pair> pairs = few_pairs();
  const at::Tensor together = features_of(translator, all_of(pairs));
  for (std::size_t r = 0; r < pairs.size(); ++r) {
    const at::Tensor alone = features_of(translator, all_of({pairs[r]}))[0];
    EXPECT_LE((together[static_cast<std::int64_t>(r)].narrow(0, 0, alone.size(0)) - alone).abs().max().item<double>(), 1e-12);
  }
  PairBatch other = all_of(pairs);
  other.source.pieces[0][5] = 9;  // a padded place
  EXPECT_LE((features_of(translator, other) - together).abs().max().item<double>(), 1e-12);
}

TEST_P(EveryScore, KeptKeysGiveTheSameFeatures) {
  const at::NoGradGuard no_gradient;
  const Translator translator(tiny(GetParam()), 1, at::kDouble);
  shake(translator);
  const PairBatch batch = all_of(few_pairs());
  const at::Tensor whole = features_of(translator, batch);
  DecoderCache cache = translator.encode(batch.source, {});
  for (std::int64_t t = 0; t < batch.input.size(1); ++t) {
    const at::Tensor step = translator.decode(cache, batch.input.narrow(1, t, 1), {});
    EXPECT_LE((step.select(1, 0) - whole.select(1, t)).abs().max().item<double>(), 1e-12) << "piece " << t;
  }
}

std::vector<Pieces> some_sources(std::int64_t count) {
  Random random(4, Purpose::test);
  std::vector<Pieces> sources;
  for (std::int64_t s = 0; s < count; ++s) {
    Pieces source(1 + random.below(9));
    for (std::int64_t& piece : source) piece = Vocabulary::reserved + static_cast<std::int64_t>(random.below(pieces - Vocabulary::reserved));
    sources.push_back(source);
  }
  return sources;
}

// Without a cache: everything anew for each piece.
Pieces plain_greedy(const Translator& translator, const Pieces& source) {
  const at::NoGradGuard no_gradient;
  const SourceBatch batch = source_batch({&source});
  Pieces found, input{Vocabulary::begin};
  while (found.size() < 2 * source.size() + 10) {
    DecoderCache cache = translator.encode(batch, {});
    const at::Tensor features = translator.decode(cache, at::tensor(input, at::kLong).unsqueeze(0), {});
    const at::Tensor logits = translator.logits(features[0].narrow(0, features.size(1) - 1, 1))[0];
    logits.narrow(0, 0, 3).fill_(-INFINITY);
    const auto piece = logits.argmax().item<std::int64_t>();
    if (piece == Vocabulary::end) break;
    found.push_back(piece);
    input.push_back(piece);
  }
  return found;
}

// The log-likelihood of a translation that ends, or reaches `most` pieces.
double likelihood(const Translator& translator, const Pieces& source, const Pieces& target, std::size_t most) {
  const at::NoGradGuard no_gradient;
  const PairBatch batch = all_of({{source, target}});
  const at::Tensor logits = translator.logits(features_of(translator, batch)[0]).clone();
  logits.narrow(1, 0, 3).fill_(-INFINITY);
  const at::Tensor logs = at::log_softmax(logits, 1);
  double sum = 0;
  for (std::size_t t = 0; t <= target.size(); ++t)
    if (t < target.size() || target.size() < most) sum += logs[static_cast<std::int64_t>(t)][t < target.size() ? target[t] : Vocabulary::end].item<double>();
  return sum;
}

TEST_P(EveryScore, DecodingIsItsDefinition) {
  TranslatorShape shape = tiny(GetParam());
  shape.width = 8;
  const Translator translator(shape, 3);
  shake(translator, 0.5);
  const std::vector<Pieces> sources = some_sources(12);
  std::vector<const Pieces*> together;
  for (const Pieces& source : sources) together.push_back(&source);
  const std::vector<Pieces> greedy = greedy_search(translator, source_batch(together)), beam1 = beam_search(translator, source_batch(together), 1, 0.6);
  EXPECT_EQ(greedy, beam1);
  const std::vector<Pieces> beam4 = translate(translator, sources, {4, 0, 4000}, {}), few = translate(translator, sources, {4, 0, 40}, {});
  EXPECT_EQ(beam4, few);  // whatever is translated beside it
  double better = 0;
  std::size_t different = 0;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const std::size_t most = 2 * sources[s].size() + 10;
    EXPECT_EQ(greedy[s], plain_greedy(translator, sources[s])) << "sentence " << s;
    better += likelihood(translator, sources[s], beam4[s], most) - likelihood(translator, sources[s], greedy[s], most);
    different += beam4[s] != greedy[s];
  }
  EXPECT_GT(different, 0U);
  EXPECT_GT(better, 0);
}

TEST(TranslationSearch, ABeamOfEverythingFindsTheLikeliest) {
  // Two pieces and the end: of all translations up to four pieces the likeliest, found by trying them.
  const Translator translator({Vocabulary::reserved + 2, 8, 1, 2, 8, "metric", 0}, 5);
  shake(translator, 0.5);
  const Pieces source{4, 5, 4};
  std::vector<Pieces> all{{}};
  for (std::size_t first = 0, length = 1; length <= 4; ++length) {
    const std::size_t last = all.size();
    for (; first < last; ++first)
      for (const std::int64_t piece : {4, 5}) {
        Pieces longer = all[first];
        longer.push_back(piece);
        all.push_back(longer);
      }
  }
  Pieces best;
  double best_value = -INFINITY;
  for (const Pieces& one : all)
    if (const double value = likelihood(translator, source, one, 100); value > best_value) best = one, best_value = value;
  const Pieces found = beam_search(translator, source_batch({&source}), 100, 0)[0];
  EXPECT_GE(likelihood(translator, source, found, 16), best_value - 1e-5);
}

// Sequences of digits and their reversal, or themselves.
std::vector<Pair> reversals(std::int64_t count, std::uint64_t seed, bool reversed = true) {
  Random random(seed, Purpose::test);
  std::vector<Pair> pairs;
  for (std::int64_t k = 0; k < count; ++k) {
    Pieces digits(3 + random.below(3));
    for (std::int64_t& digit : digits) digit = Vocabulary::reserved + static_cast<std::int64_t>(random.below(6));
    pairs.push_back({digits, reversed ? Pieces(digits.rbegin(), digits.rend()) : digits});
  }
  return pairs;
}

TEST_P(EveryScore, ReversalIsLearned) {
  const std::vector<Pair> training = reversals(3000, 1), validation = reversals(200, 2);
  TranslationProtocol protocol;
  protocol.epochs = 10;
  protocol.batch = 300;
  protocol.learning_rate = 5e-3;
  protocol.warm_up = 100;
  TranslationRun run({Vocabulary::reserved + 6, 32, 1, 2, 64, GetParam(), 0}, protocol, 0, training, validation);
  while (run.step()) {
  }
  std::vector<Pieces> sources;
  for (const Pair& pair : validation) sources.push_back(pair.source);
  const std::vector<Pieces> found = translate(run.translator(), sources, {1, 0, 4000}, {});
  int right = 0;
  for (std::size_t s = 0; s < sources.size(); ++s) right += found[s] == validation[s].target;
  // Without a score nothing tells a word from the others of its sentence but what is made of all of them together: the control learns less.
  EXPECT_GT(right, GetParam() == "uniform" ? 100 : 190) << "validation loss " << run.record().back().validation_loss;
  EXPECT_EQ(run.epoch(), 10);
}

TranslationProtocol short_protocol() {
  TranslationProtocol protocol;
  protocol.epochs = 3;
  protocol.batch = 60;
  protocol.accumulate = 2;
  protocol.warm_up = 10;
  return protocol;
}

class EveryPrecision : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Translators, EveryPrecision, testing::ValuesIn(precisions()));

TEST_P(EveryPrecision, GoesOnToTheSameBits) {
  TranslationProtocol protocol = short_protocol();
  protocol.precision = GetParam();
  const std::vector<Pair> training = reversals(100, 1), validation = reversals(20, 2);
  const TranslatorShape shape{Vocabulary::reserved + 6, 8, 1, 2, 16, "metric", 0.2};
  TranslationRun whole(shape, protocol, 7, training, validation);
  while (whole.step()) {
  }
  for (const int stop : {1, 4, 7}) {  // within epochs
    TranslationRun first(shape, protocol, 7, training, validation);
    for (int s = 0; s < stop; ++s) first.step();
    TranslationRun second(shape, protocol, 7, training, validation);
    second.step();
    second.restore(first.checkpoint());
    while (second.step()) {
    }
    EXPECT_EQ(whole.checkpoint().numbers, second.checkpoint().numbers);
    const auto &a = whole.record(), &b = second.record();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t e = 0; e < a.size(); ++e) {
      EXPECT_EQ(a[e].training_loss, b[e].training_loss);
      EXPECT_EQ(a[e].validation_loss, b[e].validation_loss);
      EXPECT_EQ(a[e].pieces, b[e].pieces);
    }
  }
}

TEST(TranslationRuns, MoreEpochsGoOnFromFewer) {
  const std::vector<Pair> training = reversals(100, 1), validation = reversals(20, 2);
  const TranslatorShape shape{Vocabulary::reserved + 6, 8, 1, 2, 16, "metric", 0.2};
  TranslationProtocol few = short_protocol();
  few.epochs = 2;
  TranslationRun whole(shape, short_protocol(), 7, training, validation), first(shape, few, 7, training, validation), second(shape, short_protocol(), 7, training, validation);
  while (whole.step()) {
  }
  while (first.step()) {
  }
  second.restore(first.checkpoint());
  while (second.step()) {
  }
  EXPECT_EQ(whole.checkpoint().numbers, second.checkpoint().numbers);
}

// Beside float, bf16 has 16 bits less: its losses stay within 1 % while both learn.
TEST(TranslationRuns, Bf16LearnsAlike) {
  const std::vector<Pair> training = reversals(1000, 1), validation = reversals(100, 2);
  TranslationProtocol protocol = short_protocol();
  protocol.batch = 300, protocol.accumulate = 1, protocol.learning_rate = 5e-3;
  const auto losses = [&](const char* precision) {
    protocol.precision = precision;
    TranslationRun run({Vocabulary::reserved + 6, 32, 1, 2, 64, "metric", 0.1}, protocol, 0, training, validation);
    while (run.step()) {
    }
    return std::pair(run.record().front().validation_loss, run.record().back().validation_loss);
  };
  const auto [first, last] = losses("float");
  const auto [first_bf16, last_bf16] = losses("bf16");
  EXPECT_NE(last, last_bf16);
  EXPECT_LT(last, 0.9 * first);
  EXPECT_NEAR(first_bf16, first, 0.01 * first);
  EXPECT_NEAR(last_bf16, last, 0.01 * last);
}

TEST(TranslationRuns, AccumulatedBatchesAreOneLargeBatch) {
  std::vector<Pair> pairs = reversals(16, 1);
  for (Pair& pair : pairs) pair.source.resize(3), pair.target.resize(3);  // no padding
  TranslationProtocol large = short_protocol(), parts = short_protocol();
  large.batch = 16 * 4, large.accumulate = 1;
  parts.batch = 4 * 4, parts.accumulate = 4;
  const TranslatorShape shape{Vocabulary::reserved + 6, 8, 1, 2, 16, "l2", 0};
  TranslationRun a(shape, large, 7, pairs, pairs), b(shape, parts, 7, pairs, pairs);
  a.step(), b.step();
  const at::Tensor ga = a.translator().weights().gradients(), gb = b.translator().weights().gradients();
  EXPECT_LE((ga - gb).abs().max().item<float>(), 1e-5 * ga.abs().max().item<float>());  // sums of floats in another order
  EXPECT_EQ(a.progress(), b.progress());  // to three digits
}

TEST(TranslationRuns, DropoutIsDrawnByItsSeed) {
  const TranslatorShape shape{pieces, 8, 1, 2, 16, "metric", 0.3};
  const Translator translator(shape, 1);
  const PairBatch batch = all_of(few_pairs());
  const at::NoGradGuard no_gradient;
  const auto loss = [&](Draws pass) { return loss_sum(translator, batch, 0, pass).item<float>(); };
  EXPECT_EQ(loss({true, 1, 2}), loss({true, 1, 2}));
  EXPECT_NE(loss({true, 1, 2}), loss({true, 1, 3}));
  EXPECT_NE(loss({true, 1, 2}), loss({true, 2, 2}));
  EXPECT_EQ(loss({false, 1, 2}), loss({}));
}

TEST(TranslationRuns, TheRateGrowsThenFalls) {
  TranslationProtocol protocol;
  protocol.learning_rate = 0.5, protocol.warm_up = 100;
  EXPECT_DOUBLE_EQ(rate_of(protocol, 50, {}), 0.25);
  EXPECT_DOUBLE_EQ(rate_of(protocol, 100, {}), 0.5);
  EXPECT_DOUBLE_EQ(rate_of(protocol, 400, {}), 0.25);
  protocol.schedule = "plateau";
  const auto after = [](const std::vector<double>& losses) {
    std::vector<TranslationEpoch> record(losses.size());
    for (std::size_t e = 0; e < losses.size(); ++e) record[e].validation_loss = losses[e];
    return record;
  };
  EXPECT_DOUBLE_EQ(rate_of(protocol, 50, {}), 0.25);
  EXPECT_DOUBLE_EQ(rate_of(protocol, 400, after({3, 2})), 0.5);
  EXPECT_DOUBLE_EQ(rate_of(protocol, 400, after({3, 2, 2})), 0.25);
  EXPECT_DOUBLE_EQ(rate_of(protocol, 400, after({3, 2, 2.5, 1, 1.5})), 0.125);
}

TEST(TranslationRuns, WhatCannotBeIsRefused) {
  EXPECT_THROW(validate(TranslatorShape{pieces, 6, 1, 4, 8, "metric", 0}), Error);
  EXPECT_THROW(validate(TranslatorShape{pieces, 8, 1, 2, 8, "cosine", 0}), Error);
  EXPECT_THROW(validate(TranslatorShape{pieces, 8, 1, 2, 8, "metric", 1}), Error);
  EXPECT_THROW(validate(DecodeOptions{0, 0.6, 10}), Error);
  TranslationProtocol protocol;
  protocol.learning_rate = 0;
  EXPECT_THROW(validate(protocol), Error);
  protocol = {};
  protocol.precision = "bf32";
  EXPECT_THROW(validate(protocol), Error);
  protocol = {};
  protocol.schedule = "step";
  EXPECT_THROW(validate(protocol), Error);
}

class TranslationFile : public testing::Test {
 protected:
  TranslationFile() : model_{{0, 8, 1, 2, 16, "metric", 0.1}, {}, 3, "1", "hash", Vocabulary::learned({"one two three", "two one"}, {"eins zwei drei", "zwei eins"}, 60), {}} {
    model_.shape.vocabulary = model_.vocabulary.size();
    const Translator translator(model_.shape, 3);
    const at::Tensor values = translator.weights().values();
    model_.weights.assign(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
    save_translation(path_, model_);
  }
  ~TranslationFile() override { std::filesystem::remove(path_); }

  TranslationModel model_;
  std::string path_ = testing::TempDir() + "translation.safetensors";
};

TEST_F(TranslationFile, ComesBack) {
  EXPECT_EQ(io::file_kind(path_).kind, io::FileKind::translation);
  const TranslationModel back = load_translation(path_);
  EXPECT_EQ(back.weights, model_.weights);
  EXPECT_EQ(back.shape.score, "metric");
  EXPECT_EQ(back.vocabulary.encode("one two"), model_.vocabulary.encode("one two"));
}

TEST_F(TranslationFile, DamageIsNamed) {
  const io::Safetensors whole = io::read_safetensors(path_);
  const auto refused = [&](const char* what, auto&& damage) {
    io::Safetensors content = whole;
    damage(content);
    io::write_safetensors(path_, content);
    try {
      load_translation(path_);
      ADD_FAILURE() << what;
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::input) << what;
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  };
  refused("network.embedding", [](io::Safetensors& c) { c.tensors.erase("network.embedding"); });
  refused("vocabulary", [](io::Safetensors& c) { c.tensors["vocabulary"].bytes.assign(c.tensors["vocabulary"].bytes.size(), 7); });
  refused("weights", [](io::Safetensors& c) { c.tensors["network.more"] = c.tensors["network.encoder.after.gain"]; });
  refused("shape", [](io::Safetensors& c) { c.metadata.erase("shape"); });
  refused("finite", [](io::Safetensors& c) { c.tensors["network.embedding"].bytes[3] = 0x7f, c.tensors["network.embedding"].bytes[2] = 0xc0; });
  refused("calor predict", [](io::Safetensors& c) { c.metadata["kind"] = io::network_mark; });
}

}  // namespace
}  // namespace calor::learn

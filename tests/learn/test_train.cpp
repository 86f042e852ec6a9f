// Training as a whole: resumed runs have the bits of uninterrupted ones, saved models predict what training measured, and
// bad checkpoints, files and data are refused by name.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "calor/core/error.h"
#include "calor/io/output.h"
#include "calor/io/safetensors.h"
#include "calor/learn/data/preprocess.h"
#include "calor/learn/rows/predict.h"
#include "calor/learn/rows/train.h"
#include "small_data.h"

namespace calor::learn {
namespace {

Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(Fault::internal, "no error");
}
bool holds(const Error& error, const std::string& part) { return std::string(error.what()).find(part) != std::string::npos; }

// A folder of its own, gone at the end.
class Train : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "calor-learn-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string path(const std::string& name) const { return (folder / name).string(); }

  TrainOptions options(const std::string& attention, std::int64_t epochs) const {
    TrainOptions o;
    o.learner = attention_learner(attention);
    o.seed = 3;
    o.protocol.epochs = epochs;
    o.protocol.batch = 30;  // several batches an epoch, so that the shuffle counts
    o.protocol.width = 6;
    o.protocol.learning_rate = 0.01;
    return o;
  }
  // Asks to stop once so many epochs are done, as Ctrl-C would.
  static Context stopping_at(double epochs, StopFlag& flag) {
    Context context;
    context.stop = &flag;
    context.progress = [epochs, &flag](double done, double, std::string_view) {
      if (done >= epochs) flag.request();
    };
    return context;
  }
  std::filesystem::path folder;
};

void expect_same_bits(const TrainResult& a, const TrainResult& b) {
  ASSERT_EQ(a.model.weights.size(), b.model.weights.size());
  for (const auto& [name, weight] : a.model.weights) EXPECT_EQ(weight.values, b.model.weights.at(name).values) << name;
  EXPECT_EQ(a.record.epoch, b.record.epoch);
  EXPECT_EQ(a.record.loss, b.record.loss);
  EXPECT_EQ(a.record.test_accuracy, b.record.test_accuracy);
  EXPECT_EQ(a.record.share, b.record.share);
  EXPECT_EQ(a.record.temperature, b.record.temperature);
}

TEST_F(Train, LearnsWhatCanBeLearned) {
  for (const char* attention : {"self", "l2", "metric", "score(uniform) | exp | row | apply"}) {
    const TrainResult result = train(clouds(150, 4, 3), std::nullopt, options(attention, 30), Context());
    EXPECT_EQ(result.record.epoch.front(), 0);
    EXPECT_EQ(result.record.epoch.back(), 30);
    EXPECT_GT(result.record.test_accuracy.back(), 0.85) << attention;
    EXPECT_LT(result.record.loss.back(), result.record.loss.front()) << attention;
    EXPECT_EQ(result.train_rows + result.test_rows, 150);
  }
}

TEST_F(Train, ANetworkWithDropoutGoesOnToTheSameBits) {
  const io::Dataset data = clouds(150, 4, 3);
  TrainOptions o = options("metric", 6);
  o.learner = network_learner("linear(6) | elu | dropout(0.3) | score(l2) | exp(learned) | row | apply | linear(classes) | bias");
  const TrainResult whole = train(data, std::nullopt, o, Context());
  o.save = path("model.safetensors");
  StopFlag flag;
  EXPECT_EQ(error_of([&] { train(data, std::nullopt, o, stopping_at(2.5, flag)); }).fault(), Fault::interrupted);
  expect_same_bits(whole, train(data, std::nullopt, o, Context()));
  // Of the same shape, but another network: its checkpoint is not taken for this one's.
  StopFlag again;
  EXPECT_EQ(error_of([&] { train(data, std::nullopt, o, stopping_at(2.5, again)); }).fault(), Fault::interrupted);
  o.learner = network_learner("linear(6) | relu | dropout(0.3) | score(l2) | exp(learned) | row | apply | linear(classes) | bias");
  EXPECT_TRUE(holds(error_of([&] { train(data, std::nullopt, o, Context()); }), "--restart"));
}

TEST_F(Train, ResumedRunsHaveTheBitsOfUninterruptedOnes) {
  const io::Dataset data = clouds(150, 4, 3);
  const std::vector<std::pair<const char*, Temperature>> cases{
      {"metric", Temperature::fixed},
      {"metric", Temperature::data},
      {"metric", Temperature::learn},
      {"score(metric) | exp(auto) | two_side(1) | row | apply", Temperature::fixed},
      {"score(additive) | exp(learned) | sinkhorn(4) | apply", Temperature::fixed}};
  for (const auto& [attention, temperature] : cases) {
    TrainOptions o = options(attention, 12);
    o.protocol.temperature = temperature;
    const TrainResult whole = train(data, std::nullopt, o, Context());
    o.save = path("model.safetensors");
    for (const double stop : {1.75, 6.5}) {  // epochs, of 4 batches each
      StopFlag flag;
      const Error error = error_of([&] { train(data, std::nullopt, o, stopping_at(stop, flag)); });
      EXPECT_EQ(error.fault(), Fault::interrupted) << error.what();
      EXPECT_TRUE(std::filesystem::exists(o.save + ".checkpoint"));
      EXPECT_FALSE(std::filesystem::exists(o.save));
    }
    const TrainResult resumed = train(data, std::nullopt, o, Context());
    EXPECT_EQ(resumed.resumed_epoch, 6);
    expect_same_bits(whole, resumed);
    EXPECT_FALSE(std::filesystem::exists(o.save + ".checkpoint"));
    std::filesystem::remove(o.save);
  }
}

TEST_F(Train, RefusesCheckpointsOfOtherCommandsAndDamagedOnes) {
  const io::Dataset data = clouds(150, 4, 3);
  TrainOptions o = options("l2", 12);
  o.save = path("model.safetensors");
  StopFlag flag;
  error_of([&] { train(data, std::nullopt, o, stopping_at(5, flag)); });
  TrainOptions other = o;
  other.protocol.epochs = 13;
  const Error foreign = error_of([&] { train(data, std::nullopt, other, Context()); });
  EXPECT_EQ(foreign.fault(), Fault::input);
  EXPECT_TRUE(holds(foreign, "epochs (13, was 12)") && holds(foreign, "--restart")) << foreign.what();

  std::string bytes = io::read_file(o.save + ".checkpoint");
  bytes[bytes.size() - 9] ^= 1;
  io::write_file(o.save + ".checkpoint", bytes);
  const Error damaged = error_of([&] { train(data, std::nullopt, o, Context()); });
  EXPECT_TRUE(holds(damaged, "digest") && holds(damaged, "--restart")) << damaged.what();
  io::write_file(o.save + ".checkpoint", bytes.substr(0, bytes.size() / 2));
  EXPECT_TRUE(holds(error_of([&] { train(data, std::nullopt, o, Context()); }), "--restart"));
  io::write_file(o.save + ".checkpoint", "");
  EXPECT_TRUE(holds(error_of([&] { train(data, std::nullopt, o, Context()); }), "--restart"));

  o.restart = true;
  const TrainResult anew = train(data, std::nullopt, o, Context());
  o.save.clear();
  o.restart = false;
  expect_same_bits(anew, train(data, std::nullopt, o, Context()));
}

TEST_F(Train, SavedModelsPredictWhatTrainingMeasured) {
  const io::Dataset data = clouds(150, 4, 3);
  for (const auto attend : {Attend::train, Attend::joint, Attend::batch}) {
    TrainOptions o = options("metric", 8);
    o.protocol.attend = attend;
    o.protocol.temperature = Temperature::learn;
    o.save = path("model.safetensors");
    const TrainResult result = train(data, std::nullopt, o, Context());
    const Model model = load_model(o.save);
    EXPECT_EQ(model.protocol.attend, attend);
    EXPECT_EQ(model.input_hash, data.hash);
    // The test rows of the run's split, as a file of their own, columns in another order.
    const Split split = stratified_split(data.labels, 3, o.protocol.test_share, o.seed);
    io::Dataset test = data;
    test.rows = static_cast<std::int64_t>(split.test.size());
    test.values.clear();
    test.labels.clear();
    test.features = {"feature 2", "feature 0", "feature 3", "feature 1"};
    for (const std::int64_t row : split.test) {
      for (const int column : {2, 0, 3, 1}) test.values.push_back(data.row(row)[column]);
      test.labels.push_back(data.labels[static_cast<std::size_t>(row)]);
    }
    const Predictions predictions = predict(model, test, Context());
    EXPECT_EQ(predictions.rows, test.rows);
    EXPECT_DOUBLE_EQ(predictions.accuracy, result.record.test_accuracy.back());
    for (std::int64_t i = 0; i < predictions.rows; ++i) {
      float sum = 0;
      for (std::int64_t c = 0; c < 3; ++c) sum += predictions.probability[static_cast<std::size_t>(3 * i + c)];
      EXPECT_NEAR(sum, 1, 1e-6);
    }
    Context two_threads;
    two_threads.threads = 2;
    EXPECT_EQ(predict(model, test, two_threads).probability, predictions.probability);
    test.labels.clear();
    EXPECT_TRUE(std::isnan(predict(model, test, Context()).accuracy));
  }
}

TEST_F(Train, PredictRefusesOtherColumns) {
  TrainOptions o = options("self", 2);
  const Model model = train(clouds(60, 4, 3), std::nullopt, o, Context()).model;
  io::Dataset renamed = clouds(10, 4, 3);
  renamed.features[2] = "another";
  const Error error = error_of([&] { predict(model, renamed, Context()); });
  EXPECT_EQ(error.fault(), Fault::input);
  EXPECT_TRUE(holds(error, "without feature 2")) << error.what();
  io::Dataset headless = clouds(10, 3, 3);
  headless.features = {"x1", "x2", "x3"};
  EXPECT_TRUE(holds(error_of([&] { predict(model, headless, Context()); }), "expected 4 feature columns, found 3"));
}

// Files of the first form say what the attention is, not the whole network.
TEST_F(Train, AModelWithoutTheTextOfItsNetworkIsReadAgain) {
  TrainOptions o = options("metric", 3);
  o.learner = attention_learner("score(metric) | exp(auto) | two_side(1) | row | apply");
  o.save = path("model.safetensors");
  const io::Dataset data = clouds(60, 4, 3);
  train(data, std::nullopt, o, Context());
  const Predictions now = predict(load_model(o.save), data, Context());
  io::Safetensors content = io::read_safetensors(o.save);
  ASSERT_EQ(content.metadata.erase("network"), 1U);
  io::write_safetensors(o.save, content);
  EXPECT_EQ(predict(load_model(o.save), data, Context()).probability, now.probability);
}

TEST_F(Train, LoadRefusesWhatIsNoModel) {
  TrainOptions o = options("metric", 2);
  o.save = path("model.safetensors");
  train(clouds(60, 4, 3), std::nullopt, o, Context());
  const io::Safetensors good = io::read_safetensors(o.save);
  const auto refused = [&](const std::function<void(io::Safetensors&)>& change) {
    io::Safetensors content = good;
    change(content);
    io::write_safetensors(path("bad.safetensors"), content);
    const Error error = error_of([&] { load_model(path("bad.safetensors")); });
    EXPECT_EQ(error.fault(), Fault::input);
    EXPECT_TRUE(holds(error, "bad.safetensors")) << error.what();
    return error;
  };
  EXPECT_TRUE(holds(refused([](auto& c) { c.metadata.clear(); }), "another program"));
  EXPECT_TRUE(holds(refused([](auto& c) { c.metadata["schema"] = "99"; }), "schema"));
  EXPECT_TRUE(holds(refused([](auto& c) { c.metadata["protocol"] = "{"; }), "metadata"));
  EXPECT_TRUE(holds(refused([](auto& c) { c.metadata["network"] = "linear(3) | flatten"; }), "flatten"));
  EXPECT_TRUE(holds(refused([](auto& c) { c.metadata["network"] = "linear(classes) | bias"; }), "decode.weight"));
  EXPECT_TRUE(holds(refused([](auto& c) { c.metadata["network"] = "linear(16777216) | linear(16777216) | linear(classes)"; }), "encode.weight"));
  EXPECT_TRUE(holds(refused([](auto& c) { c.tensors.erase("network.decode.bias"); }), "decode.bias"));
  EXPECT_TRUE(holds(refused([](auto& c) { c.tensors.erase("tokens.values"); }), "tokens.values"));
  EXPECT_TRUE(holds(refused([](auto& c) { c.tensors["network.decode.bias"].shape = {1, 3}; }), "decode.bias"));
  EXPECT_TRUE(holds(refused([](auto& c) {
                      auto& bytes = c.tensors["network.decode.bias"].bytes;
                      bytes[2] = 0xC0, bytes[3] = 0x7F;  // a NaN
                    }),
                    "finite"));
  EXPECT_EQ(error_of([&] { load_model(path("nowhere")); }).fault(), Fault::input);
}

TEST_F(Train, ALossThatIsNotFiniteEndsTheRunAndWritesNoModel) {
  TrainOptions o = options("metric", 200);
  o.protocol.learning_rate = 1e38;
  o.save = path("model.safetensors");
  const TrainResult result = train(clouds(60, 4, 3), std::nullopt, o, Context());
  ASSERT_TRUE(result.failure.has_value());
  EXPECT_NE(result.failure->find("non-finite in epoch"), std::string::npos);
  EXPECT_EQ(result.record.test_accuracy.back(), 0);
  EXPECT_TRUE(std::isnan(result.record.loss.back()));
  EXPECT_FALSE(std::filesystem::exists(o.save));
}

// The weights of the last step are judged as well.
TEST_F(Train, ALossThatIsNotFiniteAfterTheLastEpochIsAFailure) {
  TrainOptions o = options("metric", 1);
  o.protocol.batch = 0;
  o.protocol.learning_rate = 1e38;
  o.save = path("model.safetensors");
  const TrainResult result = train(clouds(60, 4, 3), std::nullopt, o, Context());
  ASSERT_TRUE(result.failure.has_value());
  EXPECT_NE(result.failure->find("non-finite"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(o.save));
}

TEST_F(Train, RefusesBadDataAndOptionsBeforeItTrains) {
  TrainOptions o = options("metric", 2);
  io::Dataset unlabelled = clouds(20, 2, 2);
  unlabelled.labels.clear();
  EXPECT_TRUE(holds(error_of([&] { train(unlabelled, std::nullopt, o, Context()); }), "--label"));
  EXPECT_TRUE(holds(error_of([&] { train(clouds(20, 2, 1), std::nullopt, o, Context()); }), "at least 2 classes"));
  o.save = path("no/such/folder/model.safetensors");
  EXPECT_EQ(error_of([&] { train(clouds(20, 2, 2), std::nullopt, o, Context()); }).fault(), Fault::input);
  o.save.clear();
  Context small;
  small.memory = MemoryLimit(1000);
  EXPECT_EQ(error_of([&] { train(clouds(20, 2, 2), std::nullopt, o, small); }).fault(), Fault::memory);
}

}  // namespace
}  // namespace calor::learn

// The trained propagator on awkward data: values of any scale, unbalanced and lonely classes, duplicates that contradict each other, up to
// a thousand classes, all rows as keys; and runs that are interrupted and go on to the same bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/learn/propagator/propagator_run.h"
#include "calor/learn/propagator/train_propagator.h"

namespace calor::learn {
namespace {

using engine::Matrix;
using engine::Vector;

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}

// Class of a row by `label`, around one corner a class; every fourth row is a test row.
PropagatorData clouds(std::int64_t rows, std::int64_t columns, std::int64_t classes, double deviation, const std::function<std::int64_t(std::int64_t)>& label) {
  Random random(11, Purpose::test);
  Matrix centres(classes, columns);
  for (double& value : centres.reshaped<Eigen::RowMajor>()) value = 3 * random.normal();
  PropagatorData data;
  for (std::int64_t c = 0; c < classes; ++c) data.classes.push_back("class " + std::to_string(c));
  PropagatorRows all{Matrix(rows, columns), {}, {}, {}};
  std::vector<std::int64_t> train, test;
  for (std::int64_t i = 0; i < rows; ++i) {
    all.labels.push_back(label(i));
    for (std::int64_t c = 0; c < columns; ++c) all.points(i, c) = centres(label(i), c) + deviation * random.normal();
    all.rows.push_back(i);
    (i % 4 == 3 ? test : train).push_back(i);
  }
  data.train = all.those(train);
  data.test = all.those(test);
  for (std::int64_t c = 0; c < columns; ++c) data.features.push_back("x" + std::to_string(c + 1));
  data.name = data.hash = "clouds";
  return data;
}

// sin of a direction hidden among noise features.
PropagatorData curve(std::int64_t rows, double gain = 1, double offset = 0) {
  Random random(12, Purpose::test);
  PropagatorRows all{Matrix(rows, 6), {}, Vector(rows), {}};
  std::vector<std::int64_t> train, test;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (int c = 0; c < 6; ++c) all.points(i, c) = random.uniform(-1, 1);
    all.targets[i] = gain * (std::sin(3 * all.points(i, 2)) + 0.05 * random.normal()) + offset;
    all.rows.push_back(i);
    (i % 4 == 3 ? test : train).push_back(i);
  }
  PropagatorData data;
  data.train = all.those(train);
  data.test = all.those(test);
  data.features = {"x1", "x2", "x3", "x4", "x5", "x6"};
  data.label = "height";
  data.name = data.hash = "curve";
  return data;
}

PropagatorOptions quick(std::int64_t epochs, double noise = 0) {
  PropagatorOptions options;
  options.epochs = epochs;
  options.noise = noise;
  return options;
}

TEST(PropagatorValues, LearnWhichFeatureMatters) {
  PropagatorOptions options;
  options.epochs = 120;
  options.learning_rate = 1e-2;
  const TrainedPropagator trained = train_propagator(curve(800), options, Context());
  ASSERT_TRUE(trained.noise);
  EXPECT_EQ(trained.trials.size(), 5u);
  EXPECT_LT(trained.test.values.root_mean_square_error, 0.6 * trained.untrained_test.values.root_mean_square_error);
  EXPECT_GT(trained.test.values.r2, 0.95);  // the noise leaves 0.995
  const Propagated found = propagate(trained.model, curve(800).test.points, 600, Context());
  for (Eigen::Index i = 0; i < found.values.size(); ++i) {  // the explanation is the computation
    double value = 0, weight = 0;
    for (const engine::Evidence& one : found.evidence[static_cast<std::size_t>(i)]) {
      const auto key = std::lower_bound(trained.model.rows.begin(), trained.model.rows.end(), one.row) - trained.model.rows.begin();
      value += one.weight * trained.model.targets[key];
      weight += one.weight;
    }
    EXPECT_NEAR(weight, 1, 1e-12);
    EXPECT_NEAR(value, found.values[i], 1e-12);
  }
}

// The unit of the values changes nothing: training sees them relative to their deviation.  Powers of two: to the bit.
TEST(PropagatorValues, OfAnyScaleAreTheSameModel) {
  const TrainedPropagator one = train_propagator(curve(200), quick(5), Context());
  for (const double gain : {std::exp2(-40), std::exp2(40), -1.0}) {
    const TrainedPropagator other = train_propagator(curve(200, gain), quick(5), Context());
    EXPECT_EQ(other.model.keys, one.model.keys) << gain;
    EXPECT_DOUBLE_EQ(other.test.values.r2, one.test.values.r2) << gain;
  }
  for (const auto& [gain, offset] : {std::pair{1e-12, 0.0}, {1e12, 0.0}, {1e-3, 1e6}, {1e-30, 0.0}}) {
    const TrainedPropagator other = train_propagator(curve(200, gain, offset), quick(5), Context());
    EXPECT_NEAR(other.test.values.r2, one.test.values.r2, 1e-3) << gain;
  }
}

TEST(PropagatorValues, ThatAreEqualAreRefused) {
  EXPECT_NE(message([] { train_propagator(curve(40, 0, 5), quick(2), Context()); }).find("values that differ in the column \"height\""), std::string::npos);
}

TEST(PropagatorValues, ComeBackFromAFile) {
  PropagatorOptions options = quick(3);
  options.save = ::testing::TempDir() + "calor_values.safetensors";
  const PropagatorData data = curve(200);
  const TrainedPropagator trained = train_propagator(data, options, Context());
  const Propagator loaded = load_propagator(options.save);
  EXPECT_TRUE(loaded.measured());
  EXPECT_EQ(propagate(loaded, data.test.points, 0, Context()).values, propagate(trained.model, data.test.points, 0, Context()).values);
  EXPECT_FALSE(std::filesystem::exists(options.save + ".checkpoint"));
}

TEST(PropagatorClasses, UnbalancedAndALonelyRow) {
  // 1 row of class 2, 6 of class 1, the rest class 0; rows 3, 7, ... are tested
  const PropagatorData data = clouds(400, 5, 3, 0.5, [](std::int64_t i) { return i == 101 ? 2 : i % 50 == 1 ? 1 : 0; });
  for (const std::optional<double>& noise : {std::optional<double>(), std::optional<double>(0.2)}) {
    PropagatorOptions options = quick(10);
    options.noise = noise;
    const TrainedPropagator trained = train_propagator(data, options, Context());
    EXPECT_FALSE(trained.failure);
    EXPECT_GT(trained.test.classes.accuracy, 0.97);
    for (const double loss : trained.loss) EXPECT_TRUE(std::isfinite(loss));
    const auto lonely = std::find(data.train.labels.begin(), data.train.labels.end(), 2) - data.train.labels.begin();
    const Propagated found = propagate(trained.model, data.train.points.row(lonely), 0, Context());
    EXPECT_GT(found.probability(0, 2), 0.5) << "a key like any other";
  }
}

TEST(PropagatorClasses, ContradictingDuplicatesShareTheProbability) {
  PropagatorData data = clouds(200, 4, 2, 0.4, [](std::int64_t i) { return i % 2; });
  for (int copy = 0; copy < 20; ++copy) {  // one place, ten times each class
    data.train.points.row(copy) = Matrix::Constant(1, 4, 40);
    data.train.labels[static_cast<std::size_t>(copy)] = copy % 2;
  }
  const TrainedPropagator trained = train_propagator(data, quick(20), Context());
  EXPECT_FALSE(trained.failure);
  const Propagated found = propagate(trained.model, Matrix::Constant(1, 4, 40), 0, Context());
  EXPECT_NEAR(found.probability(0, 0), 0.5, 1e-6);
  EXPECT_GT(trained.test.classes.accuracy, 0.95);
}

TEST(PropagatorClasses, FromTwoToAThousand) {
  for (const std::int64_t classes : {2, 30, 1000}) {
    const PropagatorData data = clouds(classes * 4, 8, classes, 0.1, [&](std::int64_t i) { return i / 4; });
    const TrainedPropagator trained = train_propagator(data, quick(2), Context());
    EXPECT_FALSE(trained.failure);
    EXPECT_GT(trained.test.classes.accuracy, 0.99) << classes;
    EXPECT_TRUE(std::isfinite(trained.loss.back()));
  }
}

TEST(PropagatorClasses, ABatchMayHoldNoPairOfAClass) {
  PropagatorOptions options = quick(3);
  options.batch = 2;
  const TrainedPropagator trained = train_propagator(clouds(60, 3, 10, 0.3, [](std::int64_t i) { return i % 10; }), options, Context());
  EXPECT_FALSE(trained.failure);
  EXPECT_EQ(trained.loss.size(), 3u);
}

TEST(PropagatorClasses, NoClassOfTwoRowsIsRefused) {
  EXPECT_NE(message([] { train_propagator(clouds(20, 3, 20, 1, [](std::int64_t i) { return i; }), quick(2), Context()); }).find("at least two labelled rows"),
            std::string::npos);
}

// Stops after so many steps in all (each asks once), then goes on; to the same bits as a run that was never interrupted.  No step of the training
// is taken twice; a trial that was stopped begins anew, and finished ones do not: they have one step an epoch here.
void expect_resumed_to_the_same_bits(const PropagatorData& data, PropagatorOptions options, const std::vector<double>& stop_after) {
  double steps = 0, seen = 0, done_again = 0;
  Context watched;
  watched.progress = [&](double, double, std::string_view what) { steps += what.starts_with("epoch"); };
  const TrainedPropagator whole = train_propagator(data, options, watched);
  options.save = ::testing::TempDir() + "calor_resumed_propagator.safetensors";
  options.checkpoint_seconds = 1e9;  // written where it stops
  std::filesystem::remove(options.save + ".checkpoint");
  for (const double last : stop_after) {
    StopFlag stop;
    Context context;
    context.stop = &stop;
    const double before = seen;
    context.progress = [&](double, double, std::string_view what) {
      if (what.starts_with("epoch") && ++seen - before >= last) stop.request();
    };
    if (!options.noise) done_again += std::fmod(last, static_cast<double>(options.epochs));
    EXPECT_NE(message([&] { train_propagator(data, options, context); }).find("goes on from"), std::string::npos);
    ASSERT_TRUE(std::filesystem::exists(options.save + ".checkpoint"));
  }
  PropagatorOptions other = options;
  other.hidden = 7;
  EXPECT_NE(message([&] { train_propagator(data, other, Context()); }).find("width (7, was 512)"), std::string::npos);
  watched.progress = [&](double, double, std::string_view what) { seen += what.starts_with("epoch"); };
  const TrainedPropagator resumed = train_propagator(data, options, watched);
  EXPECT_EQ(seen, steps + done_again);
  EXPECT_EQ(resumed.model.keys, whole.model.keys);
  EXPECT_EQ(resumed.loss, whole.loss);
  EXPECT_EQ(resumed.noise, whole.noise);
  EXPECT_EQ(load_propagator(options.save).keys, whole.model.keys);
  EXPECT_FALSE(std::filesystem::exists(options.save + ".checkpoint"));
}

TEST(PropagatorCheckpoint, GoesOnToTheSameBits) {
  PropagatorOptions options = quick(12, 0.2);
  options.batch = 50;
  expect_resumed_to_the_same_bits(clouds(300, 3, 3, 1.5, [](std::int64_t i) { return i % 3; }), options, {3, 4});
}

TEST(PropagatorCheckpoint, KeepsFinishedTrials) {
  PropagatorOptions options = quick(6);
  options.noise.reset();
  expect_resumed_to_the_same_bits(curve(200), options, {4, 10, 40});
}

TEST(PropagatorCheckpoint, IsDiscardedOnRequest) {
  PropagatorOptions options = quick(3);
  options.save = ::testing::TempDir() + "calor_restarted_propagator.safetensors";
  options.restart = true;
  StopFlag stop;
  Context context;
  context.stop = &stop;
  context.progress = [&](double, double, std::string_view what) {
    if (what.starts_with("epoch")) stop.request();
  };
  EXPECT_NE(message([&] { train_propagator(curve(200), options, context); }).find("goes on from"), std::string::npos);
  options.epochs = 2;  // another command, which could not go on from it
  EXPECT_EQ(train_propagator(curve(200), options, Context()).resumed_epoch, std::nullopt);
}

// One that holds the state of an epoch's end and not of a step's, as they were before.
TEST(PropagatorCheckpoint, OfAnEarlierCalorIsRefusedWithTheRemedy) {
  PropagatorOptions options = quick(3, 0.2);
  PropagatorNetwork network(2, 4, 1, 0, 5);
  PropagatorRun run(network, {Matrix::Identity(2, 2), {0, 0}, {}, {0, 1}}, options, 0);
  run.step();
  Checkpoint earlier = run.checkpoint();
  earlier.state.erase("batch");
  const std::string path = ::testing::TempDir() + "calor_earlier.checkpoint";
  write_checkpoint(path, {{"model", "propagator"}}, earlier);
  const std::string said = message([&] { read_checkpoint(path, {{"model", "propagator"}}, [&](const Checkpoint& content) { run.restore(content); }); });
  EXPECT_NE(said.find("of an earlier Calor"), std::string::npos) << said;
  EXPECT_NE(said.find("start anew with --restart"), std::string::npos) << said;
  std::filesystem::remove(path);
}

// Noise whose squares floats cannot hold.
TEST(PropagatorFailure, LeavesTheUntrainedModelAndNoFile) {
  PropagatorOptions options = quick(3, 0.3);
  options.learning_rate = 1e5;
  options.save = ::testing::TempDir() + "calor_failed_propagator.safetensors";
  std::filesystem::remove(options.save);
  const TrainedPropagator failed = train_propagator(curve(200), options, Context());
  EXPECT_TRUE(failed.failure);
  EXPECT_EQ(failed.model.keys, failed.untrained.keys);
  EXPECT_FALSE(std::filesystem::exists(options.save));
  options.noise.reset();  // trials that fail are worse than no training
  const TrainedPropagator chosen = train_propagator(curve(200), options, Context());
  EXPECT_FALSE(chosen.failure);
  EXPECT_FALSE(chosen.noise);
  EXPECT_EQ(chosen.model.keys, chosen.untrained.keys);
  std::filesystem::remove(options.save);
}

// A column is known by its value: that of row i in column c is 10 i + c.
io::Dataset numbered(std::int64_t rows, const std::vector<std::string>& names, const std::vector<int>& columns) {
  io::Dataset data;
  data.rows = rows;
  data.columns = static_cast<std::int64_t>(names.size());
  data.features = names;
  for (std::int64_t i = 0; i < rows; ++i)
    for (const int c : columns) data.values.push_back(static_cast<float>(10 * i + c));
  return data;
}

void expect_numbered(const PropagatorRows& found, bool measured) {
  for (std::int64_t r = 0; r < found.count(); ++r) {
    const auto first = static_cast<double>(10 * found.rows[static_cast<std::size_t>(r)]);
    EXPECT_EQ(found.points(r, 0), first);
    EXPECT_EQ(found.points(r, 1), first + 2);
    if (measured) {
      EXPECT_EQ(found.targets[r], first + 1);
    }
    else EXPECT_EQ(found.labels[static_cast<std::size_t>(r)], found.rows[static_cast<std::size_t>(r)] % 2);
  }
}

void expect_split(const PropagatorData& data, std::int64_t train, std::int64_t test) {
  EXPECT_EQ(data.train.count(), train);
  EXPECT_EQ(data.test.count(), test);
  std::vector<std::int64_t> all = data.train.rows;
  all.insert(all.end(), data.test.rows.begin(), data.test.rows.end());
  std::sort(all.begin(), all.end());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<std::int64_t>(i)) << "each row once";
}

TEST(PropagatorData, ValuesKeepTheirRowsAndColumns) {
  PropagatorOptions options;
  options.test_share = 0.2;
  // Measured labels: each value is a class of its own, named by the number.
  const auto with_values = [](io::Dataset data) {
    data.label = "height";
    for (std::int64_t i = 0; i < data.rows; ++i) {
      data.labels.push_back(i);
      data.classes.push_back(std::to_string(10 * i + 1));
    }
    return data;
  };
  const io::Dataset whole = with_values(numbered(40, {"a", "b"}, {0, 2}));
  const PropagatorData split = propagator_values(whole, std::nullopt, options);
  expect_split(split, 32, 8);
  expect_numbered(split.train, true);
  expect_numbered(split.test, true);
  expect_numbered(split.train.those({5, 3}), true);
  const PropagatorData given = propagator_values(whole, with_values(numbered(7, {"b", "a"}, {2, 0})), options);
  EXPECT_EQ(given.train.count(), 40);
  EXPECT_EQ(given.test.count(), 7);
  expect_numbered(given.test, true);
}

TEST(PropagatorData, ClassesKeepTheirRows) {
  PropagatorOptions options;
  options.test_share = 0.2;
  io::Dataset whole = numbered(40, {"a", "b"}, {0, 2});
  for (std::int64_t i = 0; i < 40; ++i) whole.labels.push_back(i % 2);
  whole.classes = {"even", "odd"};
  const PropagatorData split = propagator_classes(whole, std::nullopt, options);
  expect_split(split, 32, 8);
  expect_numbered(split.train, false);
  expect_numbered(split.test, false);
}

}  // namespace
}  // namespace calor::learn

// The metric propagator: its loss against the definition written pair by pair, its gradients by central differences in double, a start
// that is the untrained pipeline, the same bits for any threads and through a file, and what it learns.
#include <gtest/gtest.h>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <cmath>
#include <functional>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/io/file_kind.h"
#include "calor/learn/data/tokens.h"
#include "calor/learn/propagator/propagator_network.h"
#include "calor/learn/propagator/propagator_start.h"
#include "calor/learn/propagator/propagator_run.h"
#include "calor/learn/propagator/train_propagator.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/run.h"
#include "calor/recipes/recipes.h"

namespace calor::learn {
namespace {

using engine::Matrix;
using engine::Vector;

Matrix random_matrix(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Matrix matrix(rows, columns);
  for (double& value : matrix.reshaped<Eigen::RowMajor>()) value = random.normal();
  return matrix;
}

Matrix matrix_of(const std::vector<double>& values, Eigen::Index columns) {
  return Eigen::Map<const Matrix>(values.data(), static_cast<Eigen::Index>(values.size()) / columns, columns);
}

// Two rings about a common centre, which no linear map tells apart, and a third class in the middle.
Prepared rings(std::int64_t rows, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Prepared prepared;
  std::vector<double> train, test;
  prepared.columns = 3;
  prepared.classes = 3;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double angle = random.uniform(0, 6.2831853), radius = static_cast<double>(i % 3) + 0.15 * random.normal();
    auto& values = i % 4 ? train : test;
    for (const double value : {100 + 50 * radius * std::cos(angle), 50 * radius * std::sin(angle), 50 * random.normal()}) values.push_back(value);
    (i % 4 ? prepared.train_labels : prepared.test_labels).push_back(i % 3);
    (i % 4 ? prepared.train_rows : prepared.test_rows).push_back(i);
  }
  prepared.train = matrix_of(train, 3);
  prepared.test = matrix_of(test, 3);
  return prepared;
}

// A network whose second layer is not 0, so that every part has a gradient.
PropagatorNetwork random_network(double alpha) {
  PropagatorNetwork network(3, 4, 0.7, alpha, 5, at::kDouble);
  const at::NoGradGuard no_gradient;
  Random random(6, Purpose::test);
  double* values = network.values().data_ptr<double>();
  for (std::int64_t i = 0; i < network.decayed(); ++i) values[i] += 0.3 * random.normal();
  return network;
}

double loss_by_definition(const PropagatorNetwork& network, const Matrix& points, const std::vector<std::int64_t>& labels) {
  Propagator model;
  network.write(model);
  model.offset = Matrix::Zero(1, points.cols());
  model.projection = Matrix::Identity(points.cols(), points.cols());
  const Matrix z = model.embed(points);
  const auto n = z.rows();
  const auto kernel = [&](Eigen::Index i, Eigen::Index j) { return std::exp(-model.temperature * (z.row(i) - z.row(j)).squaredNorm()); };
  double total = 0;
  int judged = 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    double all = 0, own = 0;
    for (Eigen::Index j = 0; j < n; ++j) {
      if (j == i) continue;
      double density = 0;
      for (Eigen::Index k = 0; k < n; ++k)
        if (k != j) density += kernel(j, k);
      const double weight = kernel(i, j) * std::pow(density, -model.alpha);
      all += weight;
      own += labels[i] == labels[j] ? weight : 0;
    }
    if (own == 0) continue;
    total -= std::log(own / all);
    ++judged;
  }
  return total / judged;
}

TEST(PropagatorNetwork, LossIsItsDefinitionAndLonelyPointsAreNotJudged) {
  const Matrix points = random_matrix(20, 3, 7);
  std::vector<std::int64_t> labels{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 0};  // 3: alone
  for (const double alpha : {0.0, 0.6, 1.0}) {
    const PropagatorNetwork network = random_network(alpha);
    EXPECT_NEAR(network.loss(tensor_of(points), index_tensor(labels)).item<double>(), loss_by_definition(network, points, labels), 1e-12);
  }
  EXPECT_FALSE(random_network(0).loss(tensor_of(points.topRows(3)), index_tensor({0, 1, 2})).defined());
}

// Step 1e-5: truncation about 1e-10 of the third derivative, rounding 1e-16 / 1e-5.
TEST(PropagatorNetwork, GradientsOfMetricTemperatureAndAlphaByDifferences) {
  const at::Tensor points = tensor_of(random_matrix(14, 3, 8));
  const at::Tensor labels = index_tensor({0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 3, 0});
  PropagatorNetwork network = random_network(0.6);
  network.loss(points, labels).backward();
  const at::Tensor gradient = network.values().grad().clone();
  const at::NoGradGuard no_gradient;
  double* values = network.values().data_ptr<double>();
  for (std::int64_t p = 0; p < network.values().numel(); ++p) {
    const double at = values[p], step = 1e-5;
    values[p] = at + step;
    const double above = network.loss(points, labels).item<double>();
    values[p] = at - step;
    const double below = network.loss(points, labels).item<double>();
    values[p] = at;
    EXPECT_NEAR(gradient.data_ptr<double>()[p], (above - below) / (2 * step), 1e-8) << "parameter " << p;
  }
  EXPECT_GT(gradient.abs().min().item<double>(), 0) << "every part takes part";
}

double squared_error_by_definition(const PropagatorNetwork& network, const Matrix& points, const Vector& targets) {
  Propagator model;
  network.write(model);
  model.offset = Matrix::Zero(1, points.cols());
  model.projection = Matrix::Identity(points.cols(), points.cols());
  const Matrix z = model.embed(points);
  const auto kernel = [&](Eigen::Index i, Eigen::Index j) { return i == j ? 0 : std::exp(-model.temperature * (z.row(i) - z.row(j)).squaredNorm()); };
  double total = 0;
  for (Eigen::Index i = 0; i < z.rows(); ++i) {
    double all = 0, value = 0;
    for (Eigen::Index j = 0; j < z.rows(); ++j) {
      double density = 0;
      for (Eigen::Index k = 0; k < z.rows(); ++k) density += kernel(j, k);
      const double weight = kernel(i, j) * std::pow(density, -model.alpha);
      all += weight;
      value += weight * targets[j];
    }
    total += std::pow(value / all - targets[i], 2);
  }
  return total / static_cast<double>(z.rows());
}

TEST(PropagatorNetwork, SquaredErrorIsItsDefinitionAndHasItsGradients) {
  const Matrix points = random_matrix(14, 3, 8), values = random_matrix(14, 1, 9);
  PropagatorNetwork network = random_network(0.6);
  const at::Tensor inputs = tensor_of(points), targets = tensor_of(values).squeeze(1);
  EXPECT_NEAR(network.squared_error(inputs, targets).item<double>(), squared_error_by_definition(network, points, values.col(0)), 1e-12);
  EXPECT_FALSE(network.squared_error(inputs.narrow(0, 0, 1), targets.narrow(0, 0, 1)).defined());
  network.squared_error(inputs, targets).backward();
  const at::Tensor gradient = network.values().grad().clone();
  const at::NoGradGuard no_gradient;
  double* numbers = network.values().data_ptr<double>();
  for (std::int64_t p = 0; p < network.values().numel(); ++p) {
    const double at = numbers[p], step = 1e-5;
    numbers[p] = at + step;
    const double above = network.squared_error(inputs, targets).item<double>();
    numbers[p] = at - step;
    const double below = network.squared_error(inputs, targets).item<double>();
    numbers[p] = at;
    EXPECT_NEAR(gradient.data_ptr<double>()[p], (above - below) / (2 * step), 1e-8) << "parameter " << p;
  }
  EXPECT_GT(gradient.abs().min().item<double>(), 0) << "every part takes part";
}

// Rows with the same distance from each other, sqrt(2), which is their median whatever pairs it is taken from.
PropagatorRows corners(std::int64_t count) {
  PropagatorRows rows{Matrix::Identity(count, count), {}, {}, {}};
  for (std::int64_t i = 0; i < count; ++i) {
    rows.labels.push_back(i % 2);
    rows.rows.push_back(i);
  }
  return rows;
}

// Every epoch has an order of rows and noise of its own.  The rate is too small to move anything.
TEST(PropagatorRun, NoiseIsOfTheMedianDistanceSpreadOverTheCoordinates) {
  const PropagatorRows rows = corners(12);
  PropagatorOptions options;
  options.epochs = 3;
  options.batch = 6;
  options.learning_rate = 1e-30;
  options.seed = 4;
  PropagatorNetwork network(12, 4, 0.7, 0.6, 5);
  PropagatorRun run(network, rows, options, 0.8);
  while (run.step()) continue;
  ASSERT_FALSE(run.failure());
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
    Random shuffle(4, Purpose::shuffle, epoch), noise(4, Purpose::noise, epoch);
    const auto order = permutation(12, shuffle);
    double expected = 0;
    for (int half = 0; half < 2; ++half) {
      const PropagatorRows batch = rows.those({order.begin() + 6 * half, order.begin() + 6 * (half + 1)});
      Matrix points = batch.points;
      for (double& value : points.reshaped<Eigen::RowMajor>()) value += 0.8 * std::sqrt(2.0 / 12) * noise.normal();
      expected += network.loss(tensor_of(points).to(at::kFloat), index_tensor(batch.labels)).item<double>() / 2;
    }
    EXPECT_NEAR(run.loss()[epoch], expected, 1e-5) << epoch;
  }
}

TEST(PropagatorRun, TheRateFallsAlongAHalfCosine) {
  const auto second_step = [](std::int64_t epochs) {  // of log temperature: the same but for the rate, however many follow
    PropagatorOptions options;
    options.epochs = epochs;
    PropagatorNetwork network(12, 4, 0.7, 0.6, 5);
    PropagatorRun run(network, corners(12), options, 0);
    const auto log_temperature = [&] { return static_cast<double>(network.values().data_ptr<float>()[network.decayed()]); };
    run.step();
    const double after_one = log_temperature();
    run.step();
    const double moved = log_temperature() - after_one;
    while (run.step()) continue;
    EXPECT_EQ(run.optimiser_steps(), epochs);
    return moved;
  };
  const auto rate = [](double progress) { return 1 + std::cos(3.14159265358979 * progress); };
  EXPECT_NEAR(second_step(3) / second_step(12), rate(1.0 / 3) / rate(1.0 / 12), 1e-3);
}

TEST(PropagatorRun, TakesAboutThreeHundredStepsButTwentyEpochs) {
  const auto epochs = [](std::int64_t rows, std::int64_t batch) {
    PropagatorOptions options;
    options.batch = batch;
    PropagatorNetwork network(rows, 4, 1, 0, 5);
    return PropagatorRun(network, corners(rows), options, 0).epochs();
  };
  EXPECT_EQ(epochs(12, 12), 300);
  EXPECT_EQ(epochs(12, 6), 150);
  EXPECT_EQ(epochs(60, 2), 20);
}

// Whether to standardise is seen on rows from the whole of the data: the first ones are of one class, which tell nothing.
TEST(PropagatorStart, StandardisationIsChosenOnRowsFromBeginToEnd) {
  PropagatorRows rows{random_matrix(90, 2, 13), {}, {}, {}};
  for (std::int64_t i = 0; i < 90; ++i) {
    rows.points(i, 0) += 4 * static_cast<double>(i / 30);
    rows.points(i, 1) *= 1e4;  // noise in a large unit
    rows.labels.push_back(i / 30);
    rows.rows.push_back(i);
  }
  PropagatorOptions options;
  options.trial_rows = 30;
  EXPECT_TRUE(starting_point(rows, 3, options, Context()).chosen.standardised);
}

TEST(PropagatorStart, CoordinatesHaveRootMeanSquareOne) {
  PropagatorRows rows{random_matrix(60, 2, 14) * 7, {}, {}, std::vector<std::int64_t>(60)};
  rows.targets = rows.points.col(0);
  rows.points.col(1) *= 0.01;  // which standardising would blow up
  const StartingPoint start = starting_point(rows, 0, {}, Context());
  EXPECT_FALSE(start.chosen.standardised);
  EXPECT_NEAR(((rows.points.rowwise() - start.offset.row(0)) * start.projection).squaredNorm() / 120, 1, 1e-12);
}

// A class is a direction hidden among noise features: the untrained metric drowns in them.
Prepared hidden_direction(std::int64_t rows, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Prepared prepared;
  std::vector<double> train, test;
  prepared.columns = 12;
  prepared.classes = 2;
  for (std::int64_t i = 0; i < rows; ++i) {
    auto& values = i % 4 ? train : test;
    for (int c = 0; c < 12; ++c) values.push_back(random.normal() + (c == 5 ? 4 * static_cast<double>(i / 4 % 2) : 0));
    (i % 4 ? prepared.train_labels : prepared.test_labels).push_back(i / 4 % 2);
    (i % 4 ? prepared.train_rows : prepared.test_rows).push_back(i);
  }
  prepared.train = matrix_of(train, 12);
  prepared.test = matrix_of(test, 12);
  return prepared;
}

// The log-loss of a way of training (no noise: none) on the rows that are left out: of few rows every quarter in turn, of many one; of at most trial_rows.
double error_of(const PropagatorData& data, const TrainedPropagator& trained, const PropagatorOptions& options, std::optional<double> noise, int turns) {
  Random random(options.seed, Purpose::split, 3);
  auto order = permutation(data.train.count(), random);
  order.resize(std::min(order.size(), static_cast<std::size_t>(options.trial_rows)));
  double error = 0;
  for (int turn = 0; turn < turns; ++turn) {
    std::vector<std::int64_t> kept, left_out;
    for (std::size_t i = 0; i < order.size(); ++i) (static_cast<int>(i % 4) == turn ? left_out : kept).push_back(order[i]);
    std::sort(kept.begin(), kept.end());
    const PropagatorRows keys = data.train.those(kept), judged = data.train.those(left_out);
    Propagator model = trained.untrained;
    if (noise) {
      PropagatorNetwork network(model.projection.cols(), options.hidden, trained.start.temperature, trained.start.alpha, options.seed);
      PropagatorRows projected = keys;
      projected.points = Matrix((keys.points.rowwise() - model.offset.row(0)) * model.projection);
      PropagatorRun run(network, projected, options, *noise);
      while (run.step()) continue;
      network.write(model);
    }
    model.keys = model.embed(keys.points);
    model.log_density = log_key_density(model.keys, model.temperature, Context());
    model.labels = keys.labels;
    model.rows = keys.rows;
    const Matrix probability = propagate(model, judged.points, 0, Context()).probability;
    const auto share = 1 / static_cast<double>(turns * judged.count());
    for (Eigen::Index i = 0; i < judged.count(); ++i)
      error -= share * std::log(std::max(probability(i, judged.labels[static_cast<std::size_t>(i)]), 0x1p-52));
  }
  return error;
}

// Ways that cannot win any more are given up: they are worse than the one that is chosen, whose error and those of other finished ones are what they are said to be.
TEST(Propagator, TrialsAreJudgedOnTheRowsLeftOut) {
  const double infinity = std::numeric_limits<double>::infinity();
  int finished = 0, given_up = 0;
  for (const auto& [prepared, most, turns] : {std::tuple{rings(200, 2), 4000, 4}, {rings(400, 2), 60, 4}, {rings(1400, 2), 4000, 1}, {hidden_direction(400, 2), 4000, 4}}) {
    PropagatorOptions options;
    options.epochs = 60;
    options.trial_rows = most;
    options.seed = 3;
    const PropagatorData data = propagator_classes(prepared);
    const TrainedPropagator trained = train_propagator(data, options, Context());
    ASSERT_EQ(trained.trials.size(), 5u);
    double least = infinity;
    std::vector<double> errors;
    for (const PropagatorTrial& trial : trained.trials) {
      errors.push_back(error_of(data, trained, options, trial.noise, turns));
      least = std::min(least, errors.back());
    }
    for (std::size_t t = 0; t < errors.size(); ++t) {
      const PropagatorTrial& trial = trained.trials[t];
      if (trial.error == infinity) {
        EXPECT_EQ(turns, 4) << "one turn is not cut short";
        EXPECT_GT(errors[t], least);
        ++given_up;
      } else {
        EXPECT_NEAR(trial.error, errors[t], 1e-9) << data.train.count();
        ++finished;
      }
      if (trial.noise == trained.noise) {
        EXPECT_NEAR(trial.error, least, 1e-9);
      }
    }
  }
  EXPECT_GT(finished, 5);
  EXPECT_GT(given_up, 0);
}

TEST(Propagator, BeforeTrainingItIsTheUntrainedPipeline) {
  const Prepared prepared = rings(240, 1);
  PropagatorOptions options;
  options.noise = 0;
  options.epochs = 1;
  const TrainedPropagator trained = train_propagator(propagator_classes(prepared), options, Context());
  auto data = std::make_shared<pipeline::Data>();
  data->features = std::make_shared<const Matrix>(prepared.train);
  data->labels = prepared.train_labels;
  data->classes = {"0", "1", "2"};
  const pipeline::Fit fit = pipeline::fit(pipeline::bind_stages(recipes::resolve("propagator", {}), recipes::all_stages()), data, 0, Context());
  const auto test = std::make_shared<const Matrix>(prepared.test);
  const Matrix expected = pipeline::place(fit, test, Context()).scores;
  const Matrix found = propagate(trained.untrained, *test, 0, Context()).probability;
  EXPECT_EQ(trained.start.standardised, fit.result.figures.at("standardised") != 0);
  EXPECT_EQ(trained.start.alpha, fit.result.figures.at("alpha"));
  // W2 is 0 and R = 1; the temperature passed through float and a logarithm: 1e-6 of exponents up to some tens.
  EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), 1e-4);
}

TEST(Propagator, LearnsADirectionThatTheUntrainedMetricDrowns) {
  PropagatorOptions options;
  options.epochs = 40;
  const TrainedPropagator trained = train_propagator(propagator_classes(hidden_direction(800, 2)), options, Context());
  ASSERT_TRUE(trained.noise) << "training was chosen";
  EXPECT_EQ(trained.trials.size(), 5u);
  EXPECT_FALSE(trained.failure);
  EXPECT_LT(trained.loss.back(), trained.loss.front());
  EXPECT_LT(trained.test.classes.log_loss, 0.9 * trained.untrained_test.classes.log_loss);
  EXPECT_GT(trained.test.classes.accuracy, 0.95);  // the best rule, at the middle, has 0.977
}

// Thin rings, which the noise of 0.6 would blur: what leaving rows out chooses is not worse than not training.
TEST(Propagator, NoiseIsChosenOnTheDataAtHand) {
  PropagatorOptions options;
  options.epochs = 50;
  const Prepared prepared = rings(800, 2);
  const TrainedPropagator chosen = train_propagator(propagator_classes(prepared), options, Context());
  EXPECT_LT(chosen.test.classes.log_loss, chosen.untrained_test.classes.log_loss + 0.02);
  EXPECT_NE(chosen.noise, std::optional<double>(0.6));
  options.noise = 0.6;
  const TrainedPropagator blurred = train_propagator(propagator_classes(prepared), options, Context());
  EXPECT_TRUE(blurred.trials.empty());
  EXPECT_GT(blurred.test.classes.log_loss, chosen.test.classes.log_loss);
}

TEST(Propagator, SameBitsForAnyThreadsAndThroughAFile) {
  Context one, two;
  one.threads = 1;
  two.threads = 2;
  PropagatorOptions options;
  options.epochs = 3;
  options.batch = 100;
  options.noise = 0.2;
  const Prepared prepared = rings(400, 3);
  TrainedPropagator trained = train_propagator(propagator_classes(prepared), options, one);
  const TrainedPropagator again = train_propagator(propagator_classes(prepared), options, two);
  EXPECT_EQ(trained.model.keys, again.model.keys);
  EXPECT_EQ(trained.model.log_density, again.model.log_density);
  trained.model.features = {"a", "b", "c"};
  const std::string path = ::testing::TempDir() + "calor_trained_propagator.safetensors";
  save_propagator(path, trained.model);
  EXPECT_EQ(io::file_kind(path).kind, io::FileKind::propagator);
  const Propagator loaded = load_propagator(path);
  const Matrix points = random_matrix(20, 3, 9) * 50;
  const Propagated before = propagate(trained.model, points, 5, one), after = propagate(loaded, points, 5, two);
  EXPECT_EQ(before.probability, after.probability);
  for (int i = 0; i < 20; ++i) {
    EXPECT_NEAR(before.probability.row(i).sum(), 1, 1e-12);
    ASSERT_LE(after.evidence[i].size(), 5u);
    for (std::size_t k = 0; k < after.evidence[i].size(); ++k) {
      EXPECT_EQ(before.evidence[i][k].row, after.evidence[i][k].row);
      EXPECT_NE(after.evidence[i][k].row % 4, 0) << "a training row";
    }
  }
}

TEST(Propagator, ManyClassesAndWideDataTrain) {
  Prepared prepared;
  prepared.columns = 200;
  prepared.classes = 60;
  Random random(4, Purpose::test);
  const Matrix centres = random_matrix(60, 200, 5);
  prepared.train.resize(514, 200);
  prepared.test.resize(86, 200);
  for (std::int64_t i = 0; i < 600; ++i) {
    Matrix& points = i % 7 ? prepared.train : prepared.test;
    const auto row = static_cast<Eigen::Index>((i % 7 ? prepared.train_labels : prepared.test_labels).size());
    for (int c = 0; c < 200; ++c) points(row, c) = centres(i % 60, c) + 0.5 * random.normal();
    (i % 7 ? prepared.train_labels : prepared.test_labels).push_back(i % 60);
    (i % 7 ? prepared.train_rows : prepared.test_rows).push_back(i);
  }
  PropagatorOptions options;
  options.epochs = 2;
  options.noise = 0.6;
  const TrainedPropagator trained = train_propagator(propagator_classes(prepared), options, Context());
  EXPECT_EQ(trained.model.keys.cols(), 64);
  EXPECT_EQ(trained.loss.size(), 2u);
  EXPECT_GT(trained.test.classes.accuracy, 0.95);
  EXPECT_FALSE(trained.failure);
}

TEST(Propagator, RefusesWhatItCannotTrainOn) {
  const auto message = [](const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing");
  };
  Prepared prepared = rings(40, 4);
  prepared.train.setOnes();
  const std::string said = message([&] { train_propagator(propagator_classes(prepared), {}, Context()); });
  EXPECT_NE(said.find("features that differ"), std::string::npos) << said;
  PropagatorOptions options;
  options.batch = 1;
  EXPECT_NE(message([&] { train_propagator(propagator_classes(rings(40, 4)), options, Context()); }).find("--batch from 2"), std::string::npos);
}

}  // namespace
}  // namespace calor::learn

#include "calor/learn/train_propagator.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/version.h"
#include "calor/learn/adam.h"
#include "calor/learn/evaluate.h"
#include "calor/learn/propagator_network.h"
#include "calor/learn/run.h"
#include "calor/learn/tokens.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/run.h"
#include "calor/recipes/recipes.h"

namespace calor::learn {
namespace {

using pipeline::Matrix;
using pipeline::Vector;

constexpr std::int64_t usual_steps = 300, least_epochs = 20;

void check(const PropagatorOptions& options) {
  require(options.hidden >= 1 && options.batch >= 2 && options.epochs >= 0 && options.noise.value_or(0) >= 0 && options.learning_rate > 0 &&
              options.weight_decay >= 0 && options.components >= 1 && options.components <= options.most_columns && options.start_rows >= 2,
          Fault::usage, "[train] expected at least 1 hidden unit, 2 points a batch and a learning rate above 0, found {}, {} and {}", options.hidden,
          options.batch, options.learning_rate);
}

Matrix points_of_floats(const std::vector<float>& values, std::int64_t columns) {
  return Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
             values.data(), static_cast<Eigen::Index>(values.size()) / columns, columns)
      .cast<double>();
}

std::shared_ptr<pipeline::Data> data_of(Matrix points, std::vector<std::int64_t> labels, std::int64_t classes) {
  auto data = std::make_shared<pipeline::Data>();
  data->features = std::make_shared<const Matrix>(std::move(points));
  data->labels = std::move(labels);
  for (std::int64_t c = 0; c < classes; ++c) data->classes.push_back(std::to_string(c));
  return data;
}

pipeline::Fit run(const char* text, std::shared_ptr<pipeline::Data> data, const Context& context) {
  return pipeline::fit(pipeline::bind_stages(pipeline::parse(text), recipes::all_stages()), std::move(data), 0, context);
}

// The map z = (x - offset) projection, and what leave-one-out chooses, on at most start_rows rows.
class Start {
 public:
  Start(const Matrix& train, const std::vector<std::int64_t>& labels, std::int64_t classes, const PropagatorOptions& options,
        const Context& context)
      : train_(train), labels_(labels), classes_(classes) {
    const auto rows = static_cast<std::int64_t>(labels.size()), count = std::min(rows, options.start_rows);
    for (std::int64_t i = 0; i < count; ++i) sample_.push_back(i * rows / count);
    choose_standardisation(context);
    if (train.cols() > options.most_columns) project(options.components);
    const Matrix z = (train - offset.replicate(train.rows(), 1)) * projection;
    const double spread = std::sqrt(z.squaredNorm() / static_cast<double>(z.size()));
    require(spread > 0, Fault::input, "[train] expected training rows that differ, found all at one place");
    projection /= spread;
    const pipeline::Fit chosen = run("distance(2, to=train) | exp(loo) | two_side(loo, of=keys)", sampled(z / spread), context);
    const auto& figures = chosen.result.figures;
    result.temperature = 1 / figures.at("bandwidth");
    result.alpha = figures.at("alpha");
    result.likelihood = figures.at("leave_one_out");
  }

  Matrix offset, projection;
  PropagatorStart result;

 private:
  std::shared_ptr<pipeline::Data> sampled(const Matrix& points) const {
    Matrix some(static_cast<Eigen::Index>(sample_.size()), points.cols());
    std::vector<std::int64_t> labels;
    for (std::size_t r = 0; r < sample_.size(); ++r) {
      some.row(static_cast<Eigen::Index>(r)) = points.row(sample_[r]);
      labels.push_back(labels_[static_cast<std::size_t>(sample_[r])]);
    }
    return data_of(std::move(some), std::move(labels), classes_);
  }

  void choose_standardisation(const Context& context) {
    result.standardised = run("standardise(loo)", sampled(train_), context).result.figures.at("standardised") != 0;
    const pipeline::Fit all = run("standardise", data_of(train_, labels_, classes_), context);
    const Matrix& by = all.kept.front().array("by");
    offset = by.row(0);
    projection = result.standardised ? Matrix(by.row(1).asDiagonal()) : Matrix(Matrix::Identity(train_.cols(), train_.cols()));
  }

  // Onto the leading principal axes, the greatest entry of each positive.
  void project(std::int64_t components) {
    const Matrix z = (train_ - offset.replicate(train_.rows(), 1)) * projection;
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(Eigen::MatrixXd(z.transpose() * z));
    Eigen::MatrixXd axes = solver.eigenvectors().rightCols(components).rowwise().reverse();
    for (Eigen::Index c = 0; c < axes.cols(); ++c) {
      Eigen::Index at = 0;
      axes.col(c).cwiseAbs().maxCoeff(&at);
      if (axes(at, c) < 0) axes.col(c) = -axes.col(c);
    }
    projection = projection * axes;
  }

  const Matrix& train_;
  const std::vector<std::int64_t>& labels_;
  std::int64_t classes_;
  std::vector<std::int64_t> sample_;
};

// Of pairs of rows that follow each other in a random order.
double median_distance(const Matrix& points, std::uint64_t seed) {
  Random random(seed, Purpose::noise, ~std::uint64_t{0});
  const auto order = permutation(points.rows(), random);
  std::vector<double> squares;
  for (std::size_t i = 1; i < order.size(); ++i) squares.push_back((points.row(order[i]) - points.row(order[i - 1])).squaredNorm());
  if (squares.empty()) return 0;
  const auto middle = squares.begin() + static_cast<std::ptrdiff_t>(squares.size() / 2);
  std::nth_element(squares.begin(), middle, squares.end());
  return std::sqrt(*middle);
}

std::span<float> floats(const at::Tensor& tensor) { return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())}; }

// The optimiser's loop.
class Training {
 public:
  Training(PropagatorNetwork& network, const Matrix& points, const std::vector<std::int64_t>& labels, const PropagatorOptions& options, double noise)
      : network_(network),
        options_(options),
        batches_(near_equal_batches(points.rows(), options.batch)),
        epochs_(options.epochs ? options.epochs
                               : std::max(least_epochs, (usual_steps + batch_count() - 1) / batch_count())),
        deviation_(noise * median_distance(points, options.seed) / std::sqrt(static_cast<double>(points.cols()))),
        moments_(adam(0).state()) {
    const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> values = points.cast<float>();
    points_ = points_of({values.data(), values.data() + values.size()}, labels, points.cols());
  }

  // The mean loss of each epoch; ends early, with a reason, where it is not finite.
  struct Course {
    std::vector<double> loss;
    std::optional<std::string> failure;
  };
  Course run(const Context& context) {
    Course result;
    for (std::int64_t epoch = 0; epoch < epochs_; ++epoch) {
      Random random(options_.seed, Purpose::shuffle, static_cast<std::uint64_t>(epoch));
      const auto order = permutation(points_.count(), random);
      Random noise(options_.seed, Purpose::noise, static_cast<std::uint64_t>(epoch));
      double total = 0;
      std::int64_t begin = 0, judged = 0;
      for (const std::int64_t size : batches_) {
        context.check_stop("train");
        const auto loss = step({order.begin() + begin, order.begin() + begin + size}, noise);
        begin += size;
        ++steps_;
        if (!loss) continue;
        if (!std::isfinite(*loss)) {
          result.failure = fmt::format("the loss is not finite in epoch {}", epoch + 1);
          return result;
        }
        total += *loss;
        ++judged;
      }
      result.loss.push_back(judged ? total / static_cast<double>(judged) : std::nan(""));
      context.advance(static_cast<double>(epoch + 1), static_cast<double>(epochs_),
                      fmt::format("epoch {} of {}, loss {:.3g}", epoch + 1, epochs_, result.loss.back()));
    }
    return result;
  }

 private:
  // The optimiser at a share of the way: its rate falls along a half cosine.
  Adam adam(double progress) const {
    const double rate = options_.learning_rate * (1 + std::cos(std::numbers::pi * progress)) / 2;
    return {Optimizer::adamw, rate, options_.weight_decay, network_.values().numel(), network_.decayed()};
  }

  std::int64_t batch_count() const { return static_cast<std::int64_t>(batches_.size()); }

  // Nothing for a batch in which no two points share a class.
  std::optional<double> step(const std::vector<std::int64_t>& rows, Random& noise) {
    Points batch = pick_points(points_, rows);
    for (float& value : floats(batch.values)) value += static_cast<float>(deviation_ * noise.normal());
    const at::Tensor loss = network_.loss(batch.values, batch.labels);
    if (!loss.defined()) return std::nullopt;
    const double found = loss.item<double>();
    if (!std::isfinite(found)) return found;
    network_.values().mutable_grad() = at::Tensor();
    loss.backward();
    Adam optimiser = adam(static_cast<double>(steps_) / static_cast<double>(epochs_ * batch_count()));
    optimiser.restore(std::move(moments_));
    optimiser.step(floats(network_.values()), floats(network_.values().grad()));
    moments_ = optimiser.state();
    return found;
  }

  PropagatorNetwork& network_;
  const PropagatorOptions& options_;
  std::vector<std::int64_t> batches_;
  std::int64_t epochs_, steps_ = 0;
  double deviation_;
  Adam::State moments_;
  Points points_;
};

// Rows with their classes, in the data's columns.
struct Rows {
  Matrix points;
  std::vector<std::int64_t> labels, rows;

  Rows those(const std::vector<std::int64_t>& which) const {
    Rows result{Matrix(static_cast<Eigen::Index>(which.size()), points.cols()), {}, {}};
    for (std::size_t r = 0; r < which.size(); ++r) {
      result.points.row(static_cast<Eigen::Index>(r)) = points.row(which[r]);
      result.labels.push_back(labels[static_cast<std::size_t>(which[r])]);
      result.rows.push_back(rows[static_cast<std::size_t>(which[r])]);
    }
    return result;
  }
};

// `metric` (offset, projection, classes) with the network's numbers and the rows as keys.
Propagator with_keys(Propagator metric, const PropagatorNetwork& network, const Rows& keys, const Context& context) {
  network.write(metric);
  metric.keys = metric.embed(keys.points);
  metric.log_density = log_key_density(metric.keys, metric.temperature, context);
  metric.labels = keys.labels;
  metric.rows = keys.rows;
  return metric;
}

PropagatorNetwork new_network(const Propagator& metric, const PropagatorStart& start, const PropagatorOptions& options) {
  return {metric.projection.cols(), options.hidden, start.temperature, start.alpha, options.seed};
}

analyse::ClassQuality quality(const Propagator& model, const Rows& judged, const Context& context) {
  const Matrix probability = propagate(model, judged.points, 0, context).probability;
  return analyse::class_quality({probability.data(), static_cast<std::size_t>(probability.size())}, probability.cols(), judged.labels);
}

Matrix projected(const Propagator& metric, const Matrix& points) { return (points.rowwise() - metric.offset.row(0)) * metric.projection; }

// Each way of training on three quarters of at most start_rows rows, judged on the rest; of few rows every quarter is the rest once.
std::vector<PropagatorTrial> trials(const Propagator& metric, const PropagatorStart& start, const Rows& train, const PropagatorOptions& options,
                                    const Context& context) {
  constexpr std::int64_t parts = 4, few = 1000;
  Random random(options.seed, Purpose::split, 3);
  auto order = permutation(static_cast<std::int64_t>(train.labels.size()), random);
  order.resize(static_cast<std::size_t>(std::min(options.start_rows, static_cast<std::int64_t>(order.size()))));
  const std::int64_t turns = static_cast<std::int64_t>(order.size()) <= few ? parts : 1;
  std::vector<PropagatorTrial> result{{std::nullopt, 0}, {0.0, 0}, {0.2, 0}, {0.6, 0}};
  for (std::int64_t turn = 0; turn < turns; ++turn) {
    std::vector<std::int64_t> kept, left_out;
    for (std::size_t i = 0; i < order.size(); ++i) (static_cast<std::int64_t>(i) % parts == turn ? left_out : kept).push_back(order[i]);
    std::sort(kept.begin(), kept.end());
    const Rows keys = train.those(kept), judged = train.those(left_out);
    for (PropagatorTrial& trial : result) {
      PropagatorNetwork network = new_network(metric, start, options);
      bool finite = true;
      if (trial.noise) finite = !Training(network, projected(metric, keys.points), keys.labels, options, *trial.noise).run(context).failure;
      trial.log_loss += finite ? quality(with_keys(metric, network, keys, context), judged, context).log_loss / static_cast<double>(turns)
                               : std::numeric_limits<double>::infinity();
    }
  }
  return result;
}

}  // namespace

TrainedPropagator train_propagator(const Prepared& prepared, const PropagatorOptions& options, const Context& context) {
  check(options);
  const OneThread one_thread;
  const Rows train{points_of_floats(prepared.train, prepared.columns), prepared.train_labels, prepared.train_rows};
  const Rows test{points_of_floats(prepared.test, prepared.columns), prepared.test_labels, prepared.test_rows};
  const Start start(train.points, train.labels, prepared.classes, options, context);
  Propagator metric;
  metric.seed = options.seed;
  metric.version = version;
  for (std::int64_t c = 0; c < prepared.classes; ++c) metric.classes.push_back(std::to_string(c));
  metric.offset = start.offset;
  metric.projection = start.projection;

  TrainedPropagator result;
  result.start = start.result;
  result.train_rows = prepared.train_count();
  result.test_rows = prepared.test_count();
  const auto begin = std::chrono::steady_clock::now();
  result.noise = options.noise;
  if (!options.noise) {
    result.trials = trials(metric, result.start, train, options, context);
    result.noise = std::min_element(result.trials.begin(), result.trials.end(), [](const auto& a, const auto& b) { return a.log_loss < b.log_loss; })->noise;
  }
  PropagatorNetwork network = new_network(metric, result.start, options);
  result.parameters = network.values().numel();
  result.untrained = with_keys(metric, network, train, context);
  if (result.noise) {
    const auto course = Training(network, projected(metric, train.points), train.labels, options, *result.noise).run(context);
    result.loss = course.loss;
    result.failure = course.failure;
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  result.model = result.noise && !result.failure ? with_keys(metric, network, train, context) : result.untrained;
  result.test = quality(result.model, test, context);
  result.untrained_test = quality(result.untrained, test, context);
  return result;
}

TrainedPropagator train_propagator(const io::Dataset& data, const std::optional<io::Dataset>& test, const PropagatorOptions& options,
                                   const Context& context) {
  const Prepared prepared = prepare(data, test, {options.test_share, /*standardise=*/false, /*kept_tokens=*/2, options.seed});
  TrainedPropagator result = train_propagator(prepared, options, context);
  for (Propagator* model : {&result.model, &result.untrained}) {
    model->input_hash = data.hash;
    model->data_name = data.name;
    model->label = data.label;
    model->features = data.features;
    model->classes = data.classes;
  }
  return result;
}

}  // namespace calor::learn

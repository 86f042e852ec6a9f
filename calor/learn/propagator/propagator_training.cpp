#include "calor/learn/propagator/propagator_training.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "calor/core/error.h"
#include "calor/core/median.h"
#include "calor/core/random.h"
#include "calor/kernels/normals.h"
#include "calor/learn/data/tokens.h"
#include "calor/learn/network/weights.h"
#include "calor/learn/rows/evaluate.h"

namespace calor::learn {
namespace {

using engine::Matrix;

constexpr std::int64_t usual_steps = 300, least_epochs = 20;

// Of pairs of rows that follow each other in a random order.
double median_distance(const Matrix& points, std::uint64_t seed) {
  Random random(seed, Purpose::noise, ~std::uint64_t{0});
  const auto order = permutation(points.rows(), random);
  std::vector<double> squares;
  for (std::size_t i = 1; i < order.size(); ++i) squares.push_back((points.row(order[i]) - points.row(order[i - 1])).squaredNorm());
  if (squares.empty()) return 0;
  return std::sqrt(upper_median(std::move(squares)));
}

template <class Values>
at::Tensor tensor_of(const Values& values, at::IntArrayRef sizes) {
  const at::Tensor tensor = at::empty(sizes, at::kFloat);
  std::copy(values.data(), values.data() + values.size(), tensor.data_ptr<float>());
  return tensor;
}

// Relative to their mean, in deviations; equal ones as 0.
engine::Vector relative(const engine::Vector& targets) {
  const engine::Vector centred = targets.array() - targets.mean();
  const double largest = centred.cwiseAbs().maxCoeff();
  if (largest == 0) return centred;
  const engine::Vector scaled = centred / largest;  // first: squares of 1e-200 are 0
  return scaled / std::sqrt(scaled.squaredNorm() / static_cast<double>(scaled.size()));
}

}  // namespace

PropagatorTraining::PropagatorTraining(PropagatorNetwork& network, const PropagatorRows& train, const PropagatorOptions& options, double noise)
    : network_(network),
      options_(options),
      batches_(near_equal_batches(train.count(), options.batch)),
      epochs_(options.epochs ? options.epochs : std::max(least_epochs, (usual_steps + batch_count() - 1) / batch_count())),
      deviation_(noise * median_distance(train.points, options.seed) / std::sqrt(static_cast<double>(train.points.cols()))),
      points_(tensor_of(train.points, {train.points.rows(), train.points.cols()})),
      known_(train.labels.empty() ? tensor_of(relative(train.targets), {train.count()}) : index_tensor(train.labels)) {
  gradient_.resize(static_cast<std::size_t>(network.values().numel()));
  state_.values = network.state();
  state_.adam.first.resize(gradient_.size());
  state_.adam.second.resize(gradient_.size());
}

// At a share of the way: it falls along a half cosine.
double PropagatorTraining::rate(double progress) const { return options_.learning_rate * (1 + std::cos(std::numbers::pi * progress)) / 2; }

void PropagatorTraining::restore(PropagatorState state) {
  network_.restore(state.values);
  state_ = std::move(state);
}

// Nothing for a batch in which no two points share a class.
std::optional<double> PropagatorTraining::step(const std::vector<std::int64_t>& order, std::int64_t begin, std::int64_t size, Adam& optimiser) {
  const at::Tensor chosen = index_tensor({order.begin() + begin, order.begin() + begin + size});
  const at::Tensor points = points_.index_select(0, chosen), known = known_.index_select(0, chosen);
  if (deviation_ > 0) {
    const auto values = floats(points);
    std::vector<double> normal(values.size());
    kernels::normals({options_.seed, Purpose::noise, static_cast<std::uint64_t>(state_.epoch)}, static_cast<std::uint64_t>(begin * points.size(1)), normal);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += static_cast<float>(deviation_ * normal[i]);
  }
  if (!network_.finite()) return std::nan("");  // the last step went too far
  const std::optional<double> loss = known.is_floating_point() ? network_.squared_error(points, known, gradient_) : network_.loss(points, known, gradient_);
  if (loss && std::isfinite(*loss)) optimiser.step(floats(network_.values()), gradient_);
  return loss;
}

std::optional<std::string> PropagatorTraining::run(const Context& context, const std::function<void(const PropagatorState&)>& before_step) {
  Adam optimiser(Optimizer::adamw, 0, options_.weight_decay, network_.values().numel(), network_.decayed());
  optimiser.restore(state_.adam);
  while (state_.epoch < epochs_) {
    const auto epoch = static_cast<std::uint64_t>(state_.epoch);
    Random random(options_.seed, Purpose::shuffle, epoch);
    const auto order = permutation(points_.size(0), random);
    double total = 0;
    std::int64_t begin = 0, judged = 0, done = state_.epoch * batch_count();
    for (const std::int64_t size : batches_) {
      before_step(state_);
      optimiser.set_rate(rate(static_cast<double>(done++) / static_cast<double>(epochs_ * batch_count())));
      const auto loss = step(order, begin, size, optimiser);
      begin += size;
      if (!loss) continue;
      if (!std::isfinite(*loss)) return fmt::format("the loss became non-finite in epoch {}", state_.epoch + 1);
      total += *loss;
      ++judged;
    }
    ++state_.epoch;
    state_.values = network_.state();
    state_.adam = optimiser.state();
    state_.loss.push_back(judged ? total / static_cast<double>(judged) : std::nan(""));
    context.advance(static_cast<double>(state_.epoch), static_cast<double>(epochs_),
                    fmt::format("epoch {} of {}, loss {:.3g}", state_.epoch, epochs_, state_.loss.back()));
  }
  if (!network_.finite()) return fmt::format("the metric became non-finite in epoch {}", state_.epoch);
  return std::nullopt;
}

}  // namespace calor::learn

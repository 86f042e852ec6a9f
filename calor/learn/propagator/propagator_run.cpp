#include "calor/learn/propagator/propagator_run.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
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

PropagatorRun::PropagatorRun(PropagatorNetwork& network, const PropagatorRows& train, const PropagatorOptions& options, double noise, std::vector<double> trials)
    : network_(network),
      options_(options),
      batches_(near_equal_batches(train.count(), options.batch)),
      epochs_(options.epochs ? options.epochs : std::max(least_epochs, (usual_steps + steps_an_epoch() - 1) / steps_an_epoch())),
      deviation_(noise * median_distance(train.points, options.seed) / std::sqrt(static_cast<double>(train.points.cols()))),
      points_(tensor_of(train.points, {train.points.rows(), train.points.cols()})),
      known_(train.labels.empty() ? tensor_of(relative(train.targets), {train.count()}) : index_tensor(train.labels)),
      gradient_(at::zeros({network.values().numel()}, at::kFloat)),
      trainer_(network.values(), gradient_, Adam(Optimizer::adamw, 0, options.weight_decay, network.values().numel(), network.decayed())),
      trials_(std::move(trials)) {}

// Nothing for a batch in which no two points share a class.
std::optional<double> PropagatorRun::objective() {
  const auto place = batches_.begin() + batch_;
  const std::int64_t begin = std::accumulate(batches_.begin(), place, std::int64_t{0});
  const at::Tensor chosen = index_tensor({order_.begin() + begin, order_.begin() + begin + *place});
  const at::Tensor points = points_.index_select(0, chosen), known = known_.index_select(0, chosen);
  if (deviation_ > 0) {
    const auto values = floats(points);
    std::vector<double> normal(values.size());
    kernels::normals({options_.seed, Purpose::noise, static_cast<std::uint64_t>(epoch_)}, static_cast<std::uint64_t>(begin * points.size(1)), normal);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += static_cast<float>(deviation_ * normal[i]);
  }
  if (!network_.finite()) return std::numeric_limits<double>::quiet_NaN();  // the last step went too far
  return known.is_floating_point() ? network_.squared_error(points, known, floats(gradient_)) : network_.loss(points, known, floats(gradient_));
}

bool PropagatorRun::step() {
  if (failure_ || epoch_ == epochs_) return false;
  if (order_.empty()) {
    Random random(options_.seed, Purpose::shuffle, static_cast<std::uint64_t>(epoch_));
    order_ = permutation(points_.size(0), random);
  }
  const double part = static_cast<double>(epoch_ * steps_an_epoch() + batch_) / static_cast<double>(epochs_ * steps_an_epoch());
  trainer_.set_rate(options_.learning_rate * (1 + std::cos(std::numbers::pi * part)) / 2);
  std::optional<double> loss;
  if (!trainer_.step([&] { return loss = objective(); })) {
    failure_ = fmt::format("the loss became non-finite in epoch {}", epoch_ + 1);
    return true;
  }
  if (loss) {
    total_ += *loss;
    ++judged_;
  }
  if (++batch_ == steps_an_epoch()) end_epoch();
  return true;
}

void PropagatorRun::end_epoch() {
  loss_.push_back(judged_ ? total_ / static_cast<double>(judged_) : std::numeric_limits<double>::quiet_NaN());
  ++epoch_;
  batch_ = judged_ = 0;
  total_ = 0;
  order_.clear();
  if (epoch_ == epochs_ && !network_.finite()) failure_ = fmt::format("the metric became non-finite in epoch {}", epoch_);
}

std::string PropagatorRun::progress() const { return fmt::format("loss {:.3g}", trainer_.loss()); }

Checkpoint PropagatorRun::checkpoint() const {
  Checkpoint content{{{"trials", trials_}, {"epoch", epoch_}, {"batch", batch_}, {"judged", judged_}, {"total", total_}, {"loss", loss_}}, {}};
  trainer_.store(content);
  return content;
}

void PropagatorRun::restore(const Checkpoint& content) {
  const auto& fields = content.state;
  if (!fields.contains("epoch")) return;
  require(fields.contains("batch"), Fault::input, "[train] expected the state after a step, found one of an earlier Calor, which kept that of the last epoch's end");
  const auto epoch = fields.at("epoch").get<std::int64_t>(), batch = fields.at("batch").get<std::int64_t>();
  require(epoch >= 0 && epoch <= epochs_ && batch >= 0 && batch < steps_an_epoch(), Fault::input, "[train] expected the state of epoch 0 to {} with {} batches, found epoch {} and batch {}", epochs_,
          steps_an_epoch(), epoch, batch);
  std::vector<double> losses;
  for (const auto& loss : fields.at("loss")) losses.push_back(loss.is_null() ? std::numeric_limits<double>::quiet_NaN() : loss.get<double>());
  const auto judged = fields.at("judged").get<std::int64_t>();
  const auto total = fields.at("total").get<double>();
  trainer_.restore(content);
  epoch_ = epoch, batch_ = batch, judged_ = judged;
  total_ = total;
  loss_ = std::move(losses);
  order_.clear();
}

}  // namespace calor::learn

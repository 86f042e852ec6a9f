#include "calor/engine/solve/student_descent.h"

#include <algorithm>
#include <cmath>

#include "calor/engine/solve/observe.h"

namespace calor::engine {

namespace {

constexpr double gain_more = 0.2, gain_less = 0.8, least_gain = 0.01, longest_step = 5;
constexpr std::int64_t steps_between_losses = 50;

// One step of the share's points, and the others' places after theirs; coordinates are [dims][stride].
class Momentum {
 public:
  Momentum(std::int64_t n, std::int64_t dims, std::int64_t stride, std::int64_t own, const MapShare& share)
      : n_(n), dims_(dims), stride_(stride), first_(share.first), end_(share.first + own), share_(share), step_(static_cast<std::size_t>(dims * stride), 0.0), gain_(step_.size(), 1.0) {}

  void move(const std::vector<double>& gradient, double rate, double momentum, std::vector<double>& points) {
    for (std::int64_t c = 0; c < dims_; ++c)
      for (std::int64_t e = c * stride_ + first_; e < c * stride_ + end_; ++e) {
        const bool same = (step_[e] > 0) == (gradient[e] > 0) && (step_[e] < 0) == (gradient[e] < 0);
        gain_[e] = same ? gain_less * gain_[e] + least_gain : gain_[e] + gain_more;
        step_[e] = momentum * step_[e] - rate * gain_[e] * gradient[e];
      }
    for (std::int64_t i = first_; i < end_; ++i) {
      double square = 0;
      for (std::int64_t c = 0; c < dims_; ++c) square += step_[c * stride_ + i] * step_[c * stride_ + i];
      if (square <= longest_step * longest_step) continue;
      for (std::int64_t c = 0; c < dims_; ++c) step_[c * stride_ + i] *= longest_step / std::sqrt(square);
    }
    for (std::int64_t c = 0; c < dims_; ++c) {
      for (std::int64_t i = first_; i < end_; ++i) points[c * stride_ + i] += step_[c * stride_ + i];
    }
    if (share_.gather) gather(points);
    for (std::int64_t c = 0; c < dims_; ++c) {
      double mean = 0;
      for (std::int64_t i = 0; i < n_; ++i) mean += points[c * stride_ + i];
      mean /= static_cast<double>(n_);
      for (std::int64_t i = 0; i < n_; ++i) points[c * stride_ + i] -= mean;
    }
  }

 private:
  void gather(std::vector<double>& points) {
    rows_.resize(static_cast<std::size_t>(n_ * dims_));
    for (std::int64_t i = first_; i < end_; ++i)
      for (std::int64_t c = 0; c < dims_; ++c) rows_[i * dims_ + c] = points[c * stride_ + i];
    share_.gather(dims_, rows_.data());
    for (std::int64_t i = 0; i < n_; ++i)
      for (std::int64_t c = 0; c < dims_; ++c) points[c * stride_ + i] = rows_[i * dims_ + c];
  }

  std::int64_t n_, dims_, stride_, first_, end_;
  const MapShare& share_;
  std::vector<double> step_, gain_, rows_;
};

}  // namespace

DescentResult student_descent(const Csr& p, const Matrix& start, const StudentOptions& options, const Context& context, const MapShare& share) {
  const std::int64_t n = start.rows(), dims = start.cols();
  StudentLoss loss(p, dims, options.freedom, options.sums, share);
  const std::int64_t stride = loss.stride();
  std::vector<double> points(static_cast<std::size_t>(dims * stride), 0.0), gradient(points.size(), 0.0);
  for (std::int64_t c = 0; c < dims; ++c)
    for (std::int64_t i = 0; i < n; ++i) points[c * stride + i] = start(i, c);
  Momentum momentum(n, dims, stride, p.rows, share);
  const auto matrix = [&] {
    Matrix rows(n, dims);
    for (std::int64_t c = 0; c < dims; ++c)
      for (std::int64_t i = 0; i < n; ++i) rows(i, c) = points[c * stride + i];
    return rows;
  };
  DescentState state{.most_steps = options.steps, .loss_name = "kl"};
  DescentResult result;
  for (std::int64_t step = 0; step < options.steps; ++step) {
    if (context.stopping()) break;  // the map as it is
    const double exaggeration = step < options.early_steps ? options.exaggeration : 1;
    const double rate = options.rate > 0 ? options.rate : static_cast<double>(n) / exaggeration;
    const bool with_loss = step % steps_between_losses == 0;
    const double now = loss(points.data(), exaggeration, with_loss, gradient.data(), context);
    if (with_loss) {
      result.losses.push_back(now);
      state.loss = now;
      state.loss_step = step;
    }
    momentum.move(gradient, rate, options.momentum, points);
    context.advance(static_cast<double>(step + 1), static_cast<double>(options.steps), "descent");
    state.step = step + 1;
    show_step(context, state, matrix);
  }
  result.loss = loss(points.data(), 1, true, gradient.data(), context);
  result.losses.push_back(result.loss);
  result.points = matrix();
  state.loss = result.loss;
  state.loss_step = state.step;
  show_result(context, state, result.points);
  return result;
}

}  // namespace calor::engine

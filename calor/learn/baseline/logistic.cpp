#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <optional>

#include "calor/learn/baseline/baselines.h"
#include "calor/learn/data/tokens.h"

namespace calor::learn {
namespace {

constexpr int most_iterations = 300, history = 10;
constexpr double gradient_tolerance = 1e-5;

double dot(const at::Tensor& a, const at::Tensor& b) { return (a * b).sum().item<double>(); }

// The objective and its gradient; points carry a last column of ones for the bias.
class Objective {
 public:
  Objective(const at::Tensor& points, const at::Tensor& target, double c) : points_(points), target_(target), c_(c) {}

  struct Value {
    double objective;
    at::Tensor gradient;
  };
  Value at(const at::Tensor& solution) const {
    const at::Tensor log_probability = at::log_softmax(at::mm(points_, solution), 1);
    const at::Tensor penalised = solution.narrow(0, 0, solution.size(0) - 1);
    at::Tensor gradient = at::mm(points_.t(), log_probability.exp() - target_) * c_;
    gradient.narrow(0, 0, penalised.size(0)).add_(penalised);
    return {-c_ * dot(log_probability, target_) + 0.5 * dot(penalised, penalised), gradient};
  }

 private:
  const at::Tensor& points_;
  const at::Tensor& target_;
  double c_;
};

// The last steps and changes of the gradient: an implicit inverse Hessian.
class History {
 public:
  void add(const at::Tensor& step, const at::Tensor& change) {
    const double curvature = dot(step, change);
    if (curvature <= 0) return;
    if (pairs_.size() == history) pairs_.pop_front();
    pairs_.push_back({step, change, 1.0 / curvature});
  }
  // Nocedal's two loops: the direction of descent.
  at::Tensor direction(const at::Tensor& gradient) const {
    at::Tensor q = gradient.neg();
    std::vector<double> alpha(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      alpha[i] = pairs_[i].rho * dot(pairs_[i].step, q);
      q = q - pairs_[i].change * alpha[i];
    }
    if (!pairs_.empty()) q = q / (pairs_.back().rho * dot(pairs_.back().change, pairs_.back().change));
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      q = q + pairs_[i].step * (alpha[i] - pairs_[i].rho * dot(pairs_[i].change, q));
    }
    return q;
  }
  bool empty() const { return pairs_.empty(); }

 private:
  struct Pair {
    at::Tensor step, change;
    double rho;
  };
  std::deque<Pair> pairs_;
};

}  // namespace

LogisticRegression::LogisticRegression(const LabelledRows& train, std::int64_t classes, double c, const Context& context)
    : points_(at::cat({tensor_of(train.points), at::ones({train.count(), 1}, at::kDouble)}, 1)),
      target_(at::one_hot(index_tensor(train.labels), classes).to(at::kDouble)),
      solution_(at::zeros({points_.size(1), classes}, at::kDouble)),
      context_(context) {
  refit(c);
}

void LogisticRegression::refit(double c) {
  const at::NoGradGuard no_gradient;
  const Objective objective(points_, target_, c);
  auto now = objective.at(solution_);
  History past;
  const double tolerance = gradient_tolerance * c * static_cast<double>(points_.size(0));
  for (int i = 0; i < most_iterations && now.gradient.abs().max().item<double>() > tolerance; ++i) {
    context_.check_stop("logistic regression");
    const at::Tensor direction = past.direction(now.gradient);
    const double slope = dot(direction, now.gradient);
    // Backtracking to a sufficient decrease; the objective is convex, so the curvature condition holds nearly always, and
    // History leaves out the pairs for which it does not.
    double length = past.empty() ? std::min(1.0, 1.0 / std::sqrt(-slope)) : 1.0;
    auto next = objective.at(solution_ + direction * length);
    while (next.objective > now.objective + 1e-4 * length * slope && length > 1e-12) {
      length /= 2;
      next = objective.at(solution_ + direction * length);
    }
    if (next.objective >= now.objective) break;  // rounding: no further descent
    past.add(direction * length, next.gradient - now.gradient);
    solution_ = solution_ + direction * length;
    now = std::move(next);
  }
}

at::Tensor LogisticRegression::logits(const at::Tensor& points) const {
  const at::NoGradGuard no_gradient;
  const std::int64_t columns = solution_.size(0) - 1;
  return at::mm(points, solution_.narrow(0, 0, columns)).add(solution_.narrow(0, columns, 1));
}

Contender logistic_regression(std::int64_t columns, std::int64_t classes, const Context& context) {
  Contender contender;
  contender.name = "logistic regression";
  contender.trained = (columns + 1) * classes;
  contender.preprocessings = {every_preprocessing.begin(), every_preprocessing.end()};
  contender.parameters = {{"C", {1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4}, {2, 4, 6}}};
  contender.predict = [classes, &context](const LabelledRows& train, const engine::Matrix& queries, const std::vector<Setting>& settings) {
    std::vector<std::size_t> order(settings.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return settings[a] < settings[b]; });
    const at::Tensor points = tensor_of(queries);
    std::vector<std::vector<std::int64_t>> result(settings.size());
    std::optional<LogisticRegression> model;
    for (const std::size_t at : order) {
      const double c = settings[at].front();
      if (model) model->refit(c);
      else model.emplace(train, classes, c, context);
      const at::Tensor winner = at::argmax(model->logits(points), 1).contiguous();
      result[at].assign(winner.data_ptr<std::int64_t>(), winner.data_ptr<std::int64_t>() + winner.numel());
    }
    return result;
  };
  return contender;
}

}  // namespace calor::learn

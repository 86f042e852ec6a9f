#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <deque>

#include "calor/learn/baselines.h"

namespace calor::learn {
namespace {

constexpr double inverse_penalty = 1.0;  // C
constexpr int most_iterations = 300, history = 10;
constexpr double gradient_tolerance = 1e-5;

double dot(const at::Tensor& a, const at::Tensor& b) { return (a * b).sum().item<double>(); }

// The objective and its gradient; points carry a last column of ones for the bias.
class Objective {
 public:
  Objective(const Points& train, std::int64_t classes)
      : points_(at::cat({train.values.to(at::kDouble), at::ones({train.count(), 1}, at::kDouble)}, 1)),
        target_(at::one_hot(train.labels, classes).to(at::kDouble)) {}

  struct Value {
    double objective;
    at::Tensor gradient;
  };
  Value at(const at::Tensor& solution) const {
    const at::Tensor log_probability = at::log_softmax(at::mm(points_, solution), 1);
    const at::Tensor penalised = solution.narrow(0, 0, solution.size(0) - 1);
    at::Tensor gradient = at::mm(points_.t(), log_probability.exp() - target_) * inverse_penalty;
    gradient.narrow(0, 0, penalised.size(0)).add_(penalised);
    return {-inverse_penalty * dot(log_probability, target_) + 0.5 * dot(penalised, penalised), gradient};
  }
  at::Tensor start() const { return at::zeros({points_.size(1), target_.size(1)}, at::kDouble); }
  std::int64_t rows() const { return points_.size(0); }

 private:
  at::Tensor points_, target_;
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

LogisticRegression::LogisticRegression(const Points& train, std::int64_t classes, const Context& context) {
  const at::NoGradGuard no_gradient;
  const Objective objective(train, classes);
  solution_ = objective.start();
  auto now = objective.at(solution_);
  History past;
  const double tolerance = gradient_tolerance * static_cast<double>(objective.rows());
  for (int i = 0; i < most_iterations && now.gradient.abs().max().item<double>() > tolerance; ++i) {
    context.check_stop("logistic regression");
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
  objective_ = now.objective;
}

at::Tensor LogisticRegression::logits(const at::Tensor& points) const {
  const at::NoGradGuard no_gradient;
  const std::int64_t columns = solution_.size(0) - 1;
  return at::mm(points.to(at::kDouble), solution_.narrow(0, 0, columns))
      .add(solution_.narrow(0, columns, 1))
      .to(at::kFloat);
}

}  // namespace calor::learn

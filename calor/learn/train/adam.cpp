#include "calor/learn/train/adam.h"

#include <cmath>

#include "calor/core/error.h"

namespace calor::learn {
namespace {

constexpr double beta1 = 0.9;

}  // namespace

Adam::Adam(Optimizer kind, double learning_rate, double weight_decay, std::int64_t size, std::int64_t decayed, AdamConstants constants)
    : kind_(kind), learning_rate_(learning_rate), weight_decay_(weight_decay), decayed_(decayed), constants_(constants) {
  state_.first.assign(static_cast<std::size_t>(size), 0.0F);
  state_.second.assign(static_cast<std::size_t>(size), 0.0F);
}

void Adam::restore(State state) {
  require(state.first.size() == state_.first.size() && state.second.size() == state_.second.size(), Fault::internal,
          "[adam] expected moments of {} numbers, found {} and {}", state_.first.size(), state.first.size(),
          state.second.size());
  state_ = std::move(state);
}

void Adam::step(std::span<float> values, std::span<const float> gradients) {
  ++state_.steps;
  const auto [beta2, epsilon] = constants_;
  const auto t = static_cast<double>(state_.steps);
  const auto step_size = static_cast<float>(learning_rate_ / (1.0 - std::pow(beta1, t)));
  const auto root_correction = static_cast<float>(std::sqrt(1.0 - std::pow(beta2, t)));
  const auto coupled = static_cast<float>(kind_ == Optimizer::adam ? weight_decay_ : 0.0);
  const auto kept = static_cast<float>(kind_ == Optimizer::adamw ? 1.0 - learning_rate_ * weight_decay_ : 1.0);
  const auto b1 = static_cast<float>(1.0 - beta1), b2 = static_cast<float>(beta2),
             one_less_b2 = static_cast<float>(1.0 - beta2), tiny = static_cast<float>(epsilon);
  const auto update = [&](std::size_t begin, std::size_t end, float decay, float keep) {
    for (std::size_t i = begin; i < end; ++i) {
      const float gradient = gradients[i] + decay * values[i];
      float& first = state_.first[i];
      float& second = state_.second[i];
      first += b1 * (gradient - first);
      second = b2 * second + one_less_b2 * gradient * gradient;
      values[i] = keep * values[i] - step_size * first / (std::sqrt(second) / root_correction + tiny);
    }
  };
  const auto decayed = static_cast<std::size_t>(decayed_);
  update(0, decayed, coupled, kept);
  update(decayed, values.size(), 0.0F, 1.0F);
}

}  // namespace calor::learn

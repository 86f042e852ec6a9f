// A network's gradients against differences of its loss.
#pragma once

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "calor/learn/network/network.h"

namespace calor::learn {

// In double, dropout included: its numbers are the same for the same step.  Some sixty weights; within `tolerance`, of the gradient where that is above `least`.
inline void expect_gradients_are_differences(const NodeNetwork& net, std::int64_t rows, std::int64_t classes, double tolerance, double least = INFINITY) {
  const at::Tensor labels = at::arange(rows, at::kLong).remainder(classes);
  const auto loss = [&] { return at::cross_entropy_loss(net.logits(true, 4), labels); };
  net.weights().gradients().zero_();
  loss().backward();
  const at::NoGradGuard no_gradient;
  at::Tensor values = net.weights().values();
  const std::int64_t stride = std::max<std::int64_t>(1, values.numel() / 60);
  for (std::int64_t i = 0; i < values.numel(); i += stride) {
    double& value = values.data_ptr<double>()[i];
    const double before = value, step = 1e-6;
    value = before + step;
    const double above = loss().item<double>();
    value = before - step;
    const double below = loss().item<double>();
    value = before;
    const double truth = (above - below) / (2 * step);
    ASSERT_NEAR(net.weights().gradients().data_ptr<double>()[i], truth, std::abs(truth) > least ? tolerance * std::abs(truth) : tolerance) << i;
  }
}

}  // namespace calor::learn

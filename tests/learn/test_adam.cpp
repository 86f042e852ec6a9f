// Our flat Adam against torch.optim.Adam (coupled decay) and AdamW (decoupled), 50 steps on a quadratic with noise.
// Tolerance: both are float; each step rounds a handful of times, and steps are at most the learning rate, so 50 steps may
// drift by 50 x 4 ulp of a number near 1.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>

#include <vector>

#include "calor/core/random.h"
#include "calor/learn/train/adam.h"

namespace calor::learn {
namespace {

constexpr std::int64_t size = 37;
constexpr double learning_rate = 0.01, weight_decay = 0.1;

std::vector<float> start() {
  Random random(1, Purpose::test);
  std::vector<float> values(size);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

// The gradient of step t at x.
std::vector<float> gradient(const std::vector<float>& x, std::uint64_t t) {
  Random random(2, Purpose::test, t);
  std::vector<float> g(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) g[i] = x[i] - 0.5F + static_cast<float>(0.3 * random.normal());
  return g;
}

std::vector<float> ours(Optimizer kind, std::int64_t decayed) {
  Adam adam(kind, learning_rate, weight_decay, size, decayed);
  std::vector<float> x = start();
  for (std::uint64_t t = 0; t < 50; ++t) adam.step(x, gradient(x, t));
  return x;
}

template <class Torch, class Options>
std::vector<float> torchs(double decay) {
  std::vector<float> x = start();
  at::Tensor parameter = at::from_blob(x.data(), {size}).clone().requires_grad_();
  Torch optimizer(std::vector<at::Tensor>{parameter}, Options(learning_rate).weight_decay(decay));
  for (std::uint64_t t = 0; t < 50; ++t) {
    const std::vector<float> now(parameter.data_ptr<float>(), parameter.data_ptr<float>() + size);
    std::vector<float> g = gradient(now, t);
    parameter.mutable_grad() = at::from_blob(g.data(), {size}).clone();
    optimizer.step();
  }
  return {parameter.data_ptr<float>(), parameter.data_ptr<float>() + size};
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 50 * 4 * 6e-8) << i;
}

TEST(Adam, CoupledDecayIsTorchsAdam) {
  expect_near(ours(Optimizer::adam, size), torchs<torch::optim::Adam, torch::optim::AdamOptions>(weight_decay));
}

TEST(Adam, DecoupledDecayIsTorchsAdamW) {
  expect_near(ours(Optimizer::adamw, size), torchs<torch::optim::AdamW, torch::optim::AdamWOptions>(weight_decay));
}

TEST(Adam, NumbersPastTheDecayedOnesDoNotDecay) {
  expect_near(ours(Optimizer::adamw, 0), torchs<torch::optim::AdamW, torch::optim::AdamWOptions>(0.0));
  expect_near(ours(Optimizer::adam, 0), torchs<torch::optim::Adam, torch::optim::AdamOptions>(0.0));
}

TEST(Adam, GoesOnFromItsStateInTheSameBits) {
  Adam first(Optimizer::adamw, learning_rate, weight_decay, size, size);
  std::vector<float> x = start();
  for (std::uint64_t t = 0; t < 20; ++t) first.step(x, gradient(x, t));
  Adam second(Optimizer::adamw, learning_rate, weight_decay, size, size);
  second.restore(first.state());
  for (std::uint64_t t = 20; t < 50; ++t) second.step(x, gradient(x, t));
  EXPECT_EQ(x, ours(Optimizer::adamw, size));
}

}  // namespace
}  // namespace calor::learn

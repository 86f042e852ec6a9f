#include "calor/learn/train/trainer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "calor/core/error.h"
#include "calor/learn/network/weights.h"

namespace calor::learn {

// A measurement costs about as much as an epoch of digits: 50 of them leave most of the time to training.
static constexpr std::int64_t most_records = 50;

OneThread::OneThread() : before_(at::get_num_threads()) { at::set_num_threads(1); }
OneThread::~OneThread() { at::set_num_threads(before_); }

double differentiated(const at::Tensor& loss) {
  const double value = loss.item<double>();
  if (std::isfinite(value)) loss.backward();
  return value;
}

std::span<float> Trainer::values() const { return floats(values_); }

bool Trainer::step(const std::function<std::optional<double>()>& objective) {
  const OneThread one_thread;
  const auto begin = std::chrono::steady_clock::now();
  gradients_.zero_();
  const std::optional<double> found = objective();
  loss_ = found.value_or(loss_);
  const bool finite = !found || std::isfinite(*found);
  if (found && finite) adam_.step(floats(values_), floats(gradients_));
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return finite;
}

void Trainer::store(Checkpoint& content) const {
  content.state["seconds"] = seconds_;
  content.state["steps"] = steps();
  const auto numbers = values();
  content.numbers["values"] = {numbers.begin(), numbers.end()};
  content.numbers["first_moment"] = adam_.state().first;
  content.numbers["second_moment"] = adam_.state().second;
}

void Trainer::restore(const Checkpoint& content) {
  const auto into = values();
  const std::vector<float>& stored = content.numbers.at("values");
  require(stored.size() == into.size(), Fault::input, "[train] expected the state of a network of {} numbers, found {}", into.size(), stored.size());
  adam_.restore({content.state.at("steps").get<std::int64_t>(), content.numbers.at("first_moment"), content.numbers.at("second_moment")});
  std::ranges::copy(stored, into.begin());
  seconds_ = content.state.at("seconds").get<double>();
}

std::vector<std::int64_t> recorded_epochs(std::int64_t epochs) {
  std::int64_t stride = 1;
  for (std::int64_t decade = 1; epochs > stride * most_records; decade *= 10) {
    for (const std::int64_t nice : {1, 2, 5}) {
      stride = nice * decade;
      if (epochs <= stride * most_records) break;
    }
  }
  std::vector<std::int64_t> recorded;
  for (std::int64_t epoch = 0; epoch < epochs; epoch += stride) recorded.push_back(epoch);
  recorded.push_back(epochs);
  return recorded;
}

void report(const TrainingRun& run, const Context& context) {
  context.advance(run.epochs_done(), static_cast<double>(run.epochs()), fmt::format("epoch {} of {}, {}", std::min(run.epoch() + 1, run.epochs()), run.epochs(), run.progress()));
}

std::optional<std::int64_t> train_to_end(TrainingRun& run, Checkpoints& checkpoints, const char* op, const Context& context, const std::function<void()>& after_epoch) {
  std::optional<std::int64_t> resumed;
  if (checkpoints.resume([&](const Checkpoint& content) { run.restore(content); })) resumed = run.epoch();
  for (std::int64_t epoch = run.epoch(); run.step(); epoch = run.epoch()) {
    report(run, context);
    if (after_epoch && run.epoch() > epoch) after_epoch();
    if (run.epoch() == run.epochs()) break;  // what is left is to save it
    checkpoints.keep(context, op, fmt::format(" in epoch {} of {}", run.epoch() + 1, run.epochs()), run.failure() ? std::function<Checkpoint()>() : [&] { return run.checkpoint(); });
  }
  return resumed;
}

}  // namespace calor::learn

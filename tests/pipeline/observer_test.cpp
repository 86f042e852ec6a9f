// What a descent shows its observer: every step that is due in its turn, at last the result, with the losses that the run reports, and the same bits
// as without one.
#include <gtest/gtest.h>

#include <vector>

#include "calor/core/descent_observer.h"
#include "support.h"

namespace calor::pipeline {
namespace {

struct Shown {
  DescentState state;
  Matrix points;
};

class Recorder : public DescentObserver {
 public:
  explicit Recorder(std::int64_t every) : every_(every) {}
  bool due() override { return every_ > 0 && ++asked % every_ == 0; }
  void show(const DescentState& state) override {
    const auto rows = static_cast<Eigen::Index>(state.points.size()) / state.dims;
    shown.push_back({state, Eigen::Map<const Matrix>(state.points.data(), rows, state.dims)});
    if (stop && state.step == stop_after) stop->request();
  }
  std::vector<Shown> shown;
  std::int64_t asked = 0, stop_after = 0;
  StopFlag* stop = nullptr;

 private:
  std::int64_t every_;  // 0: never due
};

struct Descent {
  std::string pipeline, loss;
  std::int64_t steps_a_loss;  // in the series
};

const Descent descents[] = {
    {"distance(1) | match(distance, stress, max_iterations=9)", "stress", 1},
    {"knn(9) | distance(2) | exp(perplexity=3) | row | mean | global | match(student, kl, max_iterations=120, early=30)", "kl", 50},
    {"distance(2) | exp(perplexity=5) | row | match(gaussian, kl, max_iterations=9, dims=3)", "kl", 1},
    {"knn(9) | distance(1, from=nearest) | exp(cardinality=3.3) | union | match(rational, cross_entropy, max_iterations=9)", "", 1}};

std::shared_ptr<const Data> cloud() { return data_of_points(random_points(120, 4, 1)); }

State run_watched(const std::string& text, DescentObserver* observer, const StopFlag* stop = nullptr, int threads = 2) {
  Context context;
  context.threads = threads;
  context.observer = observer;
  context.stop = stop;
  return fit(bind_stages(parse(text), recipes::all_stages()), cloud(), 0, context).result;
}

TEST(DescentObserver, SeesEveryStepAndTheResult) {
  for (const Descent& descent : descents) {
    Recorder recorder(1);
    const State found = run_watched(descent.pipeline, &recorder);
    const auto steps = static_cast<std::int64_t>(recorder.shown.size()) - 1;
    ASSERT_GE(steps, 9) << descent.pipeline;
    for (std::int64_t s = 0; s < steps; ++s) {
      const Shown& shown = recorder.shown[static_cast<std::size_t>(s)];
      EXPECT_EQ(shown.state.step, s + 1) << descent.pipeline;
      EXPECT_EQ(shown.points.rows(), 120);
      EXPECT_EQ(shown.points.cols(), found.points->cols());
      EXPECT_TRUE(shown.points.allFinite());
      if (s > 0) { EXPECT_NE(shown.points, recorder.shown[static_cast<std::size_t>(s - 1)].points); }
    }
    EXPECT_EQ(recorder.shown.back().points, *found.points) << descent.pipeline;
    EXPECT_EQ(recorder.shown.back().state.step, steps);
    EXPECT_EQ(recorder.shown.back().state.most_steps, steps);
  }
}

TEST(DescentObserver, SeesTheLossesThatTheRunReports) {
  for (const Descent& descent : descents) {
    Recorder recorder(1);
    const State found = run_watched(descent.pipeline, &recorder);
    for (const Shown& shown : recorder.shown) EXPECT_EQ(shown.state.loss_name, descent.loss);
    if (descent.loss.empty()) continue;
    for (std::size_t s = 0; s + 1 < recorder.shown.size(); ++s) {
      const DescentState& state = recorder.shown[s].state;
      EXPECT_LE(state.loss_step, state.step);
      EXPECT_LE(state.step - state.loss_step, descent.steps_a_loss);
      EXPECT_EQ(state.loss, found.series.at(descent.loss).at(static_cast<std::size_t>(state.loss_step / descent.steps_a_loss))) << descent.pipeline << ", step " << state.step;
    }
    EXPECT_EQ(recorder.shown.back().state.loss, found.figures.at(descent.loss));
    EXPECT_EQ(recorder.shown.back().state.loss_step, recorder.shown.back().state.step);
  }
}

TEST(DescentObserver, ChangesNoBit) {
  for (const Descent& descent : descents) {
    const State alone = run_watched(descent.pipeline, nullptr, nullptr, 1);
    for (const std::int64_t every : {0, 1, 3}) {
      Recorder recorder(every);
      const State watched = run_watched(descent.pipeline, &recorder, nullptr, 3);
      EXPECT_EQ(*watched.points, *alone.points) << descent.pipeline;
      EXPECT_EQ(watched.figures, alone.figures) << descent.pipeline;
      EXPECT_EQ(watched.series, alone.series) << descent.pipeline;
    }
  }
}

TEST(DescentObserver, SeesOnlyTheResultWhereNoStepIsDue) {
  for (const Descent& descent : descents) {
    Recorder never(0), third(3);
    const State found = run_watched(descent.pipeline, &never);
    ASSERT_EQ(never.shown.size(), 1) << descent.pipeline;
    EXPECT_EQ(never.shown.front().points, *found.points);
    run_watched(descent.pipeline, &third);
    ASSERT_EQ(third.shown.size(), third.asked / 3 + 1) << descent.pipeline;
    EXPECT_EQ(third.shown.front().state.step, 3);
  }
}

TEST(DescentObserver, SeesTheMapThatAnInterruptionKeeps) {
  for (const Descent& descent : descents) {
    StopFlag stop;
    Recorder recorder(1);
    recorder.stop = &stop;
    recorder.stop_after = 7;
    const State kept = run_watched(descent.pipeline, &recorder, &stop);
    EXPECT_TRUE(kept.interrupted) << descent.pipeline;
    ASSERT_EQ(recorder.shown.size(), 8) << descent.pipeline;
    EXPECT_EQ(recorder.shown.back().state.step, 7);
    EXPECT_EQ(recorder.shown.back().points, *kept.points);
  }
}

TEST(DescentObserver, SeesNothingOfWhatDoesNotDescend) {
  for (const char* text : {"distance(1) | double_center | eigen(2, time=0.5)", "centres(3) | assign"}) {
    Recorder recorder(1);
    run_watched(text, &recorder);
    EXPECT_TRUE(recorder.shown.empty()) << text;
  }
  Context context;
  const Fit placed = fit(bind_stages(parse(descents[0].pipeline), recipes::all_stages()), cloud(), 0, context);
  Recorder recorder(1);
  context.observer = &recorder;
  place(placed, std::make_shared<const Matrix>(random_points(5, 4, 2)), context);
  EXPECT_TRUE(recorder.shown.empty());
}

}  // namespace
}  // namespace calor::pipeline

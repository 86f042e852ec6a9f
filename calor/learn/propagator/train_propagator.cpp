#include "calor/learn/propagator/train_propagator.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/version.h"
#include "calor/kernels/mutual.h"
#include "calor/learn/propagator/propagator_network.h"
#include "calor/learn/propagator/propagator_start.h"
#include "calor/learn/propagator/propagator_run.h"
#include "calor/learn/train/checkpoint.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {
namespace {

using nlohmann::json;
using engine::Matrix;

void check_option(const char* name, double value, double least, double most) {
  require(value >= least && value <= most, Fault::usage, "[train] expected {} from {} to {}, found {}", name, least, most, value);
}

void check(const PropagatorData& data, const PropagatorOptions& options, const Context& context) {
  check_option("--width", static_cast<double>(options.hidden), 1, 1e5);
  check_option("--batch", static_cast<double>(options.batch), 2, 1e9);
  check_option("--epochs", static_cast<double>(options.epochs), 0, 1e9);
  check_option("--lr", options.learning_rate, 1e-12, 1e6);
  check_option("--weight-decay", options.weight_decay, 0, 1e3);
  check_option("--noise", options.noise.value_or(0), 0, 100);
  check_option("--checkpoint-seconds", options.checkpoint_seconds, 0, 1e9);
  require(options.components >= 1 && options.components <= options.most_columns && options.trial_rows >= 2, Fault::internal,
          "[train] expected 1 to {} components and 2 rows for trials, found {} and {}", options.most_columns, options.components, options.trial_rows);
  // Numbers of phi with their gradients and both moments, units of a batch with theirs, its affinities, and the points.
  const double columns = static_cast<double>(data.train.points.cols());
  const double width = columns > static_cast<double>(options.most_columns) ? static_cast<double>(options.components) : columns;
  const double hidden = static_cast<double>(options.hidden), rows = static_cast<double>(data.train.count());
  const double keys = std::min(static_cast<double>(options.batch), rows), affinities = keys <= static_cast<double>(kernels::most_mutual) ? keys * keys : 0;
  const double bytes = 8 * 4 * (width * width + 2 * hidden * width) + 4 * 4 * keys * (hidden + 4 * width) + 4 * affinities +
                       8 * rows * (columns + 4 * width);
  context.memory.require(static_cast<std::uint64_t>(bytes), "train", fmt::format("a metric of {} units on {} rows", options.hidden, data.train.count()),
                         "give a smaller --width or --batch, fewer rows, or raise --max-memory");
  const engine::Matrix& points = data.train.points;
  require((points.rowwise() - points.row(0)).cwiseAbs().maxCoeff() > 0, Fault::input,
          "[train] expected features that differ between training rows, found all {} constant: check the columns, and the delimiter of the file", points.cols());
  const engine::Vector& targets = data.train.targets;
  require(!data.classes.empty() || targets.maxCoeff() > targets.minCoeff(), Fault::input,
          "[train] expected values that differ in the column \"{}\", found {} in every training row: name another with --label", data.label, targets[0]);
}

// Everything that decides the bits of a run.
json command_of(const PropagatorData& data, const PropagatorOptions& options) {
  const engine::Vector& test = data.test.targets;
  return {{"model", data.classes.empty() ? "propagator-regressor" : "propagator"},
          {"version", version},
          {"data", data.hash},
          {"label", data.label},
          {"test rows", data.test.count()},
          {"test data", data.test.points.sum() + (test.size() ? test.sum() : 0)},
          {"training rows", data.train.count()},
          {"seed", options.seed},
          {"epochs", options.epochs},
          {"batch", options.batch},
          {"width", options.hidden},
          {"lr", options.learning_rate},
          {"weight decay", options.weight_decay},
          {"noise", options.noise ? json(*options.noise) : json()},
          {"trials", "the least sum first"}};
}

PropagatorRows projected(const Propagator& metric, PropagatorRows rows) {
  rows.points = Matrix((rows.points.rowwise() - metric.offset.row(0)) * metric.projection);
  return rows;
}

// `metric` (offset, projection, classes) with the network's numbers and the rows as keys.
Propagator with_keys(Propagator metric, const PropagatorNetwork& network, const PropagatorRows& keys, const Context& context) {
  network.write(metric);
  metric.keys = metric.embed(keys.points);
  metric.log_density = log_key_density(metric.keys, metric.temperature, context);
  metric.labels = keys.labels;
  metric.targets = keys.targets;
  metric.rows = keys.rows;
  return metric;
}

PropagatorNetwork new_network(const Propagator& metric, const PropagatorStart& start, const PropagatorOptions& options) {
  return {metric.projection.cols(), options.hidden, start.temperature, start.alpha, options.seed};
}

PropagatorQuality quality(const Propagator& model, const PropagatorRows& judged, const Context& context) {
  const Propagated found = propagate(model, judged.points, 0, context);
  const auto span = [](const auto& values) { return std::span<const double>(values.data(), static_cast<std::size_t>(values.size())); };
  if (model.measured()) return {{}, analyse::value_quality(span(found.values), span(judged.targets))};
  return {analyse::class_quality(span(found.probability), found.probability.cols(), judged.labels), {}};
}

// Finished trials, without a training.
Checkpoint trials_alone(const std::vector<double>& errors) { return {{{"trials", errors}}, {}}; }

// Work that has no steps to stop between: a stop during it is kept as one at `content`; null: what was written last holds.
template <class Work>
auto keeping(Checkpoints& checkpoints, const Context& context, const std::function<Checkpoint()>& content, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.fault() == Fault::interrupted) checkpoints.keep(context, "train", "", content);
    throw;
  }
}

// Each way of training on three quarters of at most trial_rows rows, judged on the rest; of few rows every quarter is the rest once.
class Trials {
 public:
  // errors: of the trials that were finished before, in their order, to which this adds.
  Trials(const Propagator& metric, const PropagatorStart& start, const PropagatorRows& train, const PropagatorOptions& options, std::vector<double>& errors, Checkpoints& checkpoints,
         const Context& context)
      : metric_(metric), start_(start), train_(train), options_(options), errors_(errors), checkpoints_(checkpoints), context_(context) {
    constexpr std::int64_t parts = 4, few = 1000;
    Random random(options.seed, Purpose::split, 3);
    auto order = permutation(train.count(), random);
    order.resize(static_cast<std::size_t>(std::min(options.trial_rows, static_cast<std::int64_t>(order.size()))));
    const std::int64_t turns = static_cast<std::int64_t>(order.size()) <= few ? parts : 1;
    for (std::int64_t turn = 0; turn < turns; ++turn) {
      Turn& now = turns_.emplace_back();
      for (std::size_t i = 0; i < order.size(); ++i) (static_cast<std::int64_t>(i) % parts == turn ? now.left_out : now.kept).push_back(order[i]);
      std::sort(now.kept.begin(), now.kept.end());
      if (now.left_out.empty() || now.kept.size() < 2) turns_.pop_back();
    }
    share_ = 1 / static_cast<double>(turns);
  }

  // Errors are sums of what each turn adds, none below 0.  So the next turn is always taken by the way with the least sum: once that one has had all of them no other can end below
  // it, and the others' last turns are left out.  In the result their errors are infinite.
  std::vector<PropagatorTrial> run() {
    std::vector<PropagatorTrial> trials{{std::nullopt, 0}, {0.0, 0}, {0.15, 0}, {0.3, 0}, {0.6, 0}};
    std::vector<std::size_t> had(trials.size(), 0);
    const auto less = [](const PropagatorTrial& a, const PropagatorTrial& b) { return a.error < b.error; };
    for (std::size_t number = 0;; ++number) {
      const auto least = static_cast<std::size_t>(std::min_element(trials.begin(), trials.end(), less) - trials.begin());
      if (had[least] == turns_.size()) break;
      if (number == errors_.size()) {
        errors_.push_back(judged(turns_[had[least]], trials[least].noise));
        keep();
      }
      trials[least].error += errors_[number];
      ++had[least];
    }
    for (std::size_t t = 0; t < trials.size(); ++t)
      if (had[t] < turns_.size()) trials[t].error = std::numeric_limits<double>::infinity();
    return trials;
  }

 private:
  struct Turn {
    std::vector<std::int64_t> kept, left_out;
  };

  void keep() const {
    checkpoints_.keep(context_, "train", "", [&] { return trials_alone(errors_); });
  }

  double judged(const Turn& turn, std::optional<double> noise) const {
    const PropagatorRows keys = train_.those(turn.kept);
    PropagatorNetwork network = new_network(metric_, start_, options_);
    if (noise) {
      PropagatorRun run(network, projected(metric_, keys), options_, *noise);
      while (run.step()) {
        report(run, context_);
        keep();
      }
      if (run.failure()) return std::numeric_limits<double>::max() / 2 * share_;  // more than any other
    }
    const PropagatorQuality found = keeping(checkpoints_, context_, [&] { return trials_alone(errors_); }, [&] { return quality(with_keys(metric_, network, keys, context_), train_.those(turn.left_out), context_); });
    return (metric_.measured() ? found.values.root_mean_square_error : found.classes.log_loss) * share_;
  }

  const Propagator& metric_;
  const PropagatorStart& start_;
  const PropagatorRows& train_;
  const PropagatorOptions& options_;
  std::vector<double>& errors_;
  Checkpoints& checkpoints_;
  const Context& context_;
  std::vector<Turn> turns_;
  double share_ = 1;
};

}  // namespace

TrainedPropagator train_propagator(const PropagatorData& data, const PropagatorOptions& options, const Context& context) {
  check(data, options, context);
  const OneThread one_thread;
  Checkpoints checkpoints(options.save, command_of(data, options), options.restart, options.checkpoint_seconds);
  std::vector<double> errors;
  bool begun = false;  // the training that the trials chose
  checkpoints.resume([&](const Checkpoint& content) {
    errors = content.state.at("trials").get<std::vector<double>>();
    begun = content.state.contains("epoch");
  });
  const StartingPoint start = starting_point(data.train, static_cast<std::int64_t>(data.classes.size()), options, context);
  Propagator metric;
  metric.version = version;
  metric.seed = options.seed;
  metric.input_hash = data.hash;
  metric.data_name = data.name;
  metric.label = data.label;
  metric.features = data.features;
  metric.coding = data.coding;
  metric.filling = data.filling;
  metric.classes = data.classes;
  metric.offset = start.offset;
  metric.projection = start.projection;

  TrainedPropagator result;
  result.start = start.chosen;
  result.train_rows = data.train.count();
  result.test_rows = data.test.count();
  const auto begin = std::chrono::steady_clock::now();
  result.noise = options.noise;
  if (!options.noise) {
    result.trials = Trials(metric, result.start, data.train, options, errors, checkpoints, context).run();
    result.noise = std::min_element(result.trials.begin(), result.trials.end(), [](const auto& a, const auto& b) { return a.error < b.error; })->noise;
  }
  PropagatorNetwork network = new_network(metric, result.start, options);
  result.parameters = network.values().numel();
  const std::function<Checkpoint()> trials_only = [&] { return trials_alone(errors); };
  result.untrained = keeping(checkpoints, context, begun ? nullptr : trials_only, [&] { return with_keys(metric, network, data.train, context); });
  std::optional<PropagatorRun> run;
  if (result.noise) {
    run.emplace(network, projected(metric, data.train), options, *result.noise, errors);
    const std::optional<std::int64_t> resumed = train_to_end(*run, checkpoints, "train", context);
    if (begun) result.resumed_epoch = resumed;
    result.failure = run->failure();
    result.loss = run->loss();
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  keeping(checkpoints, context, !run ? trials_only : result.failure ? nullptr : std::function<Checkpoint()>([&] { return run->checkpoint(); }), [&] {
    result.model = result.noise && !result.failure ? with_keys(metric, network, data.train, context) : result.untrained;
    result.test = quality(result.model, data.test, context);
    result.untrained_test = quality(result.untrained, data.test, context);
  });
  if (!options.save.empty() && !result.failure) save_propagator(options.save, result.model);
  checkpoints.remove();
  return result;
}

}  // namespace calor::learn

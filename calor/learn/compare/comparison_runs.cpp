#include "calor/learn/compare/comparison_runs.h"

#include <ATen/ops/argmax.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/threads.h"
#include "calor/learn/baseline/baselines.h"
#include "calor/learn/baseline/support_vectors.h"
#include "calor/learn/rows/evaluate.h"
#include "calor/learn/rows/memory_estimate.h"

namespace calor::learn {
namespace {

constexpr int most_seeds = 10'000;

std::vector<Learner> checked_learners(const CompareOptions& options) {
  require(options.seeds >= 1 && options.seeds <= most_seeds, Fault::usage,
          "[compare] expected 1 to {} seeds, found {}: 10 is the default", most_seeds, options.seeds);
  require(!options.attentions.empty() || !options.networks.empty(), Fault::usage, "[compare] expected at least one attention or network, found none: known are {}",
          list_names(similarity_names()));
  std::vector<Learner> learners;
  for (const std::string& text : options.attentions) learners.push_back(attention_learner(text));
  for (const std::string& text : options.networks) learners.push_back(network_learner(text));
  for (std::size_t i = 0; i < learners.size(); ++i)
    for (std::size_t before = 0; before < i; ++before)
      require(learners[before].name != learners[i].name && learners[before].pipeline != learners[i].pipeline, Fault::usage, "[compare] expected each {} once, found '{}' twice",
              learners[i].attention ? "attention" : "network", learners[i].name);
  for (const Learner& learner : learners)
    require(learner.attention || std::ranges::find(similarity_names(), learner.name) == similarity_names().end(), Fault::usage,
            "[compare] expected another name than an attention's for a network, found \"{}\"", learner.name);
  return learners;
}

void require_memory(const io::Dataset& data, const std::optional<io::Dataset>& test, const CompareOptions& options,
                    const std::vector<Learner>& learners, const Context& context) {
  const TrainingSize size = training_size(data, test, options.protocol.test_share);
  const Protocol protocol = resolve(options.protocol, learners, std::max<std::int64_t>(1, size.train), size.columns, size.classes);
  std::uint64_t run = 0, stored = 0;
  for (const Learner& learner : learners) {
    const RowShape shape = shape_of(learner.network(protocol), size.columns, size.classes);
    run = std::max(run, run_bytes(size, protocol, shape));
    stored += static_cast<std::uint64_t>(shape.parameters * options.seeds) * sizeof(float);
  }
  const auto workers = static_cast<std::uint64_t>(context.threads > 0 ? context.threads : available_threads());
  // The first seed's points, those of each worker or of all, and what a method holds besides: its training rows, through a map, and as it wants
  // them.  The stored kernels of the support vectors with the distances they come from.
  const std::uint64_t points = points_bytes(size) * (1 + (test ? 0 : workers) + 3 * workers);
  const auto stored_rows = static_cast<std::uint64_t>(std::min(size.train, most_stored_rows));
  const std::uint64_t kernels = options.baselines ? workers * stored_rows * stored_rows * 24 : 0;
  context.memory.require(points + std::max(workers * run, kernels) + stored, "compare",
                         fmt::format("{} runs at a time on {} points", workers, size.train),
                         "choose fewer --threads, a smaller --batch, or a smaller width");
}

// The protocol, once it and the memory that it takes are known to be in order: members initialised later rely on that.
const Protocol& checked(const io::Dataset& data, const std::optional<io::Dataset>& test, const CompareOptions& options,
                        const std::vector<Learner>& learners, const Context& context) {
  require_memory(data, test, options, learners, context);
  return options.protocol;
}

// A network as a contender: a quarter of the epochs on the rows of one fold show which preprocessing suits it.
Contender network_contender(const Protocol& protocol, const Learner& learner, std::int64_t classes, std::uint64_t seed, const Context& context) {
  constexpr std::int64_t share_of_epochs = 4;
  Protocol shorter = protocol;
  shorter.epochs = (protocol.epochs + share_of_epochs - 1) / share_of_epochs;
  Contender contender;
  contender.name = learner.name;
  contender.preprocessings = {every_preprocessing.begin(), every_preprocessing.end()};
  contender.most_folds = 1;
  contender.predict = [=, &context](const LabelledRows& train, const engine::Matrix& queries, const std::vector<Setting>&) {
    std::vector<std::int64_t> none(static_cast<std::size_t>(queries.rows()), -1);
    RunData data;
    data.columns = train.points.cols();
    data.classes = classes;
    data.train = points_of(train.points, train.labels);
    data.kept = pick_points(data.train, stratified_sample(train.labels, classes, shorter.kept_tokens, seed));
    data.test = points_of(queries, none);
    Run run(shorter, learner, seed, data, Measure::never);
    while (run.step()) context.check_stop("compare");
    if (run.failure()) return std::vector<std::vector<std::int64_t>>{std::move(none)};
    const at::Tensor found = logits(run.network(), shorter.attend, shorter.batch, data.kept.values, data.test.values);
    const at::Tensor winner = at::argmax(found, 1).masked_fill(at::isfinite(found).all(1).logical_not(), -1).contiguous();
    const std::int64_t* classes_found = winner.data_ptr<std::int64_t>();
    return std::vector<std::vector<std::int64_t>>{{classes_found, classes_found + winner.numel()}};
  };
  return contender;
}

}  // namespace

ComparisonRuns::ComparisonRuns(const io::Dataset& data, const std::optional<io::Dataset>& test,
                               const CompareOptions& options, const Context& context)
    : data_(data),
      options_(options),
      context_(context),
      learners_(checked_learners(options)),
      source_(data, test, checked(data, test, options, learners_, context), options.base_seed),
      first_(source_.at(options.base_seed)),
      protocol_(resolve(options.protocol, learners_, first_->prepared.train_count(), first_->prepared.columns, first_->prepared.classes)),
      trained_(learners_.size(), std::vector<Trained>(seeds())) {
  if (!options.baselines) return;
  const std::int64_t classes = first_->prepared.classes;
  contenders_ = {logistic_regression(first_->prepared.columns, classes, context), nearest_neighbours("5-nearest neighbours", {5}, classes, context),
                 nearest_neighbours("nearest neighbours", {25, 15, 11, 7, 5, 3, 1}, classes, context), support_vectors(context)};
  for (const Contender& contender : contenders_)
    plain_.push_back({contender.name, contender.trained > 0, std::vector<Scores>(seeds())});
  network_ = {"MLP", true, std::vector<Scores>(seeds())};
  untrained_ = {"propagator, untrained", true, std::vector<Scores>(seeds()), analyse::Method::propagator};
  propagator_ = {"propagator", true, std::vector<Scores>(seeds()), analyse::Method::propagator};
  for (const Baseline* baseline : every_baseline())
    for (const Learner& learner : learners_)
      require(learner.name != baseline->name, Fault::usage, "[compare] expected another name than a baseline's, found \"{}\": choose another, or use --no-baselines", learner.name);
}

std::int64_t ComparisonRuns::keys() const {
  const Prepared& prepared = first_->prepared;
  return protocol_.attend == Attend::batch ? protocol_.batch : static_cast<std::int64_t>(prepared.kept.size());
}

std::string ComparisonRuns::preprocessing() const {
  if (!protocol_.standardise) return "untouched";
  return options_.choose_preprocessing ? "each network chooses" : "standardised";
}

std::int64_t ComparisonRuns::steps_in_all() const {
  const std::int64_t batches = (first_->prepared.train_count() + protocol_.batch - 1) / protocol_.batch;
  const auto networks = static_cast<std::int64_t>(learners_.size()) + (options_.baselines ? 1 : 0);
  return protocol_.epochs * batches * networks * options_.seeds;
}

Preprocessing ComparisonRuns::preprocessing_of(const Protocol& protocol, const Learner& learner, std::size_t i) const {
  if (!protocol.standardise) return Preprocessing::untouched;
  if (!options_.choose_preprocessing) return Preprocessing::standardised;
  const auto data = source_.at(seed(i));
  const std::int64_t classes = data->prepared.classes;
  return choose(network_contender(protocol, learner, classes, seed(i), context_), {data->prepared.train, data->prepared.train_labels}, classes,
                seed(i), context_)
      .preprocessing;
}

Trained ComparisonRuns::train_one(const Protocol& protocol, const Learner& learner, std::size_t i, const std::string& what) {
  Trained result;
  result.preprocessing = preprocessing_of(protocol, learner, i);
  const auto data = source_.at(seed(i));
  const RunData points = data->points(data->map(result.preprocessing));
  const auto total = static_cast<double>(steps_in_all());
  Run run(protocol, learner, seed(i), points, Measure::along);
  while (run.step()) {
    context_.check_stop("compare");
    context_.advance(static_cast<double>(++steps_done_), total, what);
  }
  steps_done_ += run.steps_in_all() - run.steps_done();  // what a run that failed leaves out
  result.record = run.record();
  result.record.preprocessing = name_of(result.preprocessing);
  const auto values = floats(run.network().values());
  result.values.assign(values.begin(), values.end());
  for (const double factor : run.network().factors()) result.factors.push_back(static_cast<float>(factor));
  return result;
}

// Longest first, so that the workers end together.
std::vector<ComparisonRuns::Job> ComparisonRuns::jobs() {
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < seeds(); ++i) {
    for (std::size_t s = 0; s < learners_.size(); ++s) {
      const RowShape shape = shape_of(learners_[s].network(protocol_), first_->prepared.columns, first_->prepared.classes);
      std::int64_t most_passes = 1;
      for (const Attention& attention : shape.attentions) most_passes = std::max(most_passes, passes(attention));
      const std::int64_t cost = shape.parameters * most_passes;
      jobs.push_back({cost, [this, s, i] {
                        trained_[s][i] = train_one(protocol_, learners_[s], i, fmt::format("{}, seed {}", learners_[s].name, seed(i)));
                      }});
    }
    if (!options_.baselines) continue;
    constexpr std::int64_t before_all_networks = std::int64_t{1} << 40;
    jobs.push_back({before_all_networks, [this, i] { fit_propagator(i); }});
    jobs.push_back({1, [this, i] { fit_network(i); }});
    if (i > 0 && source_.same_for_all()) continue;  // nothing that a seed changes
    for (std::size_t c = 0; c < contenders_.size(); ++c) jobs.push_back({1, [this, c, i] { fit_plain(c, i); }});
  }
  std::stable_sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.cost > b.cost; });
  return jobs;
}

void ComparisonRuns::train_all() {
  const std::vector<Job> work = jobs();
  parallel_for(static_cast<std::int64_t>(work.size()), context_.threads, [&](std::int64_t job) {
    const OneThread one_thread;
    context_.check_stop("compare");
    work[static_cast<std::size_t>(job)].work();
  });
  if (!source_.same_for_all()) return;
  for (Baseline& baseline : plain_) std::fill(baseline.seeds.begin(), baseline.seeds.end(), Scores(baseline.seeds.front()));
}

}  // namespace calor::learn

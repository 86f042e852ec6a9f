#include "calor/learn/comparison_runs.h"

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/threads.h"
#include "calor/core/random.h"
#include "calor/learn/baselines.h"
#include "calor/learn/evaluate.h"
#include "calor/learn/memory_estimate.h"
#include "calor/learn/support_vectors.h"
#include "calor/learn/train_propagator.h"

namespace calor::learn {
namespace {

constexpr int most_seeds = 10'000;
constexpr std::int64_t neighbours = 5;

// Of 1, 3, 5, 7, 11, 15, 25 neighbours, those that five folds drawn by the seed predict best; the fewer of equal ones.  On at most
// 3,000 points.
std::int64_t cross_validated_neighbours(const Points& train, std::int64_t classes, std::uint64_t seed, const Context& context) {
  constexpr std::int64_t folds = 5, most_judged = 3000;
  Random random(seed, Purpose::split, 2);
  auto order = permutation(train.count(), random);
  order.resize(static_cast<std::size_t>(std::min(most_judged, train.count())));
  std::int64_t best = 1;
  double most = -1;
  for (const std::int64_t k : {1, 3, 5, 7, 11, 15, 25}) {
    double right = 0;
    for (std::int64_t fold = 0; fold < folds; ++fold) {
      std::vector<std::int64_t> kept, left_out;
      for (std::size_t i = 0; i < order.size(); ++i) (static_cast<std::int64_t>(i) % folds == fold ? left_out : kept).push_back(order[i]);
      if (left_out.empty() || static_cast<std::int64_t>(kept.size()) < k) continue;
      const Points judged = pick_points(train, left_out);
      right += accuracy(neighbour_votes(pick_points(train, kept), classes, judged.values, k, context), judged.labels) *
               static_cast<double>(left_out.size());
    }
    if (right > most) {
      most = right;
      best = k;
    }
  }
  return best;
}

// The points before they were standardised; a column that was constant has its value again.
std::vector<float> as_given(const std::vector<float>& values, const Standardisation& standardisation) {
  const std::size_t columns = standardisation.mean.size();
  std::vector<float> result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    result[i] = static_cast<float>(values[i] * standardisation.deviation[i % columns] + standardisation.mean[i % columns]);
  return result;
}

std::vector<float> floats_of(const Points& points) {
  const float* begin = points.values.data_ptr<float>();
  return {begin, begin + points.values.numel()};
}

double share_of_equal(const std::vector<std::int64_t>& found, const std::int64_t* labels) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < found.size(); ++i) right += found[i] == labels[i];
  return static_cast<double>(right) / static_cast<double>(found.size());
}

std::vector<Similarity> checked_similarities(const CompareOptions& options) {
  require(options.seeds >= 1 && options.seeds <= most_seeds, Fault::usage,
          "[compare] expected 1 to {} seeds, found {}: 10 is the default", most_seeds, options.seeds);
  require(!options.attentions.empty(), Fault::usage, "[compare] expected at least one attention, found none: known are {}",
          list_names(similarity_names()));
  std::vector<Similarity> similarities;
  for (const std::string& text : options.attentions) {
    similarities.push_back(parse_similarity(text));
    for (std::size_t i = 0; i + 1 < similarities.size(); ++i) {
      require(similarities[i].name != similarities.back().name, Fault::usage,
              "[compare] expected each attention once, found '{}' twice", similarities.back().name);
    }
  }
  return similarities;
}

void require_memory(const io::Dataset& data, const std::optional<io::Dataset>& test, const CompareOptions& options,
                    const std::vector<Similarity>& similarities, const Context& context) {
  const TrainingSize size = training_size(data, test, options.protocol.test_share);
  const Protocol protocol = resolve(options.protocol, std::max<std::int64_t>(1, size.train), size.columns);
  std::uint64_t run = 0, stored = 0;
  for (const Similarity& similarity : similarities) {
    const IpnShape shape = ipn_shape(protocol, similarity, size.columns, size.classes);
    run = std::max(run, run_bytes(size, protocol, shape));
    stored += static_cast<std::uint64_t>(parameter_count(shape) * options.seeds) * sizeof(float);
  }
  const auto workers = static_cast<std::uint64_t>(context.threads > 0 ? context.threads : available_threads());
  // Logistic regression holds the training points once more, in double.
  const std::uint64_t points = points_bytes(size) * (test ? 3 : 1 + 3 * workers);
  context.memory.require(points + workers * run + stored, "compare",
                         fmt::format("{} runs at a time on {} points", workers, size.train),
                         "choose fewer --threads, or a smaller --batch or --width");
}

// The protocol, once it and the memory that it takes are known to be in order: members initialised later rely on that.
const Protocol& checked(const io::Dataset& data, const std::optional<io::Dataset>& test, const CompareOptions& options,
                        const std::vector<Similarity>& similarities, const Context& context) {
  require_memory(data, test, options, similarities, context);
  return options.protocol;
}

}  // namespace

ComparisonRuns::ComparisonRuns(const io::Dataset& data, const std::optional<io::Dataset>& test,
                               const CompareOptions& options, const Context& context)
    : data_(data),
      options_(options),
      context_(context),
      similarities_(checked_similarities(options)),
      source_(data, test, checked(data, test, options, similarities_, context), options.base_seed),
      first_(source_.at(options.base_seed)),
      protocol_(resolve(options.protocol, first_->prepared.train_count(), first_->prepared.columns)),
      trained_(similarities_.size(), std::vector<Trained>(seeds())),
      plain_(seeds()),
      logistic_(seeds()),
      neighbour_(seeds()),
      tuned_neighbour_(seeds()),
      support_vectors_(seeds()),
      untrained_(seeds()),
      propagator_(seeds()) {}

IpnShape ComparisonRuns::shape_of(const Similarity& similarity) const {
  return ipn_shape(protocol_, similarity, first_->prepared.columns, first_->prepared.classes);
}

std::int64_t ComparisonRuns::keys() const {
  return protocol_.attend == Attend::batch ? protocol_.batch : first_->points.kept.count();
}

// A network of as many parameters as the largest that is compared.
Protocol ComparisonRuns::plain_protocol() const {
  std::int64_t most = 0;
  for (const Similarity& similarity : similarities_) most = std::max(most, parameter_count(shape_of(similarity)));
  return without_propagation(protocol_, most, first_->prepared.columns, first_->prepared.classes);
}

std::int64_t ComparisonRuns::steps_in_all() const {
  const std::int64_t batches = (first_->prepared.train_count() + protocol_.batch - 1) / protocol_.batch;
  const auto networks = static_cast<std::int64_t>(similarities_.size()) + (options_.baselines ? 1 : 0);
  return protocol_.epochs * batches * networks * options_.seeds;
}

Run::State ComparisonRuns::train_one(const Protocol& protocol, const Similarity& similarity, std::size_t i,
                                     const std::string& what) {
  const auto data = source_.at(seed(i));
  const auto total = static_cast<double>(steps_in_all());
  Run run(protocol, similarity, seed(i), data->points);
  while (run.step()) {
    context_.check_stop("compare");
    context_.advance(static_cast<double>(++steps_done_), total, what);
  }
  steps_done_ += run.steps_in_all() - run.steps_done();  // what a run that failed leaves out
  return run.state();
}

void ComparisonRuns::fit_plain(std::size_t i) {
  const auto state = train_one(plain_protocol(), parse_similarity("uniform"), i, fmt::format("MLP, seed {}", seed(i)));
  const analyse::RunRecord& record = state.record;
  plain_[i] = {record.test_accuracy.back(), std::nullopt, record.parameters};
  if (!record.extra_accuracy.empty()) plain_[i].extra = record.extra_accuracy.back();
}

void ComparisonRuns::fit_classical(std::size_t i) {
  const auto data = source_.at(seed(i));
  const RunData& points = data->points;
  const auto measure = [&](Scores& scores, const std::function<at::Tensor(const at::Tensor&)>& logits_of) {
    scores.test = accuracy(logits_of(points.test.values), points.test.labels);
    if (points.extra.count() > 0) scores.extra = accuracy(logits_of(points.extra.values), points.extra.labels);
  };
  const LogisticRegression logistic(points.train, points.classes, context_);
  logistic_[i].parameters = logistic.parameters();
  measure(logistic_[i], [&](const at::Tensor& queries) { return logistic.logits(queries); });
  measure(neighbour_[i], [&](const at::Tensor& queries) {
    return neighbour_votes(points.train, points.classes, queries, neighbours, context_);
  });
}

void ComparisonRuns::fit_tuned(std::size_t i) {
  const auto data = source_.at(seed(i));
  const RunData& points = data->points;
  const std::int64_t chosen = cross_validated_neighbours(points.train, points.classes, seed(i), context_);
  const auto by_neighbours = [&](const Points& queries) {
    return accuracy(neighbour_votes(points.train, points.classes, queries.values, chosen, context_), queries.labels);
  };
  tuned_neighbour_[i].test = by_neighbours(points.test);
  if (points.extra.count() > 0) tuned_neighbour_[i].extra = by_neighbours(points.extra);
  support_vectors_[i].test = -1;
  if (points.train.count() > SupportVectors::most_rows) return;
  const SupportVectors machine(data->prepared.train, data->prepared.train_labels, points.columns, seed(i), context_);
  const auto by_machine = [&](const Points& queries) {
    return share_of_equal(machine.predict(floats_of(queries)), queries.labels.data_ptr<std::int64_t>());
  };
  support_vectors_[i].test = by_machine(points.test);
  if (points.extra.count() > 0) support_vectors_[i].extra = by_machine(points.extra);
}

// On the points as given: it chooses itself whether to standardise.
void ComparisonRuns::fit_propagator(std::size_t i) {
  const auto data = source_.at(seed(i));
  Prepared given = data->prepared;
  given.train = as_given(given.train, given.standardisation);
  given.test = as_given(given.test, given.standardisation);
  PropagatorOptions options;
  options.seed = seed(i);
  options.epochs = options_.protocol.epochs;
  TrainedPropagator trained;
  try {
    trained = train_propagator(propagator_classes(given), options, context_);
  } catch (const Error& error) {
    if (error.fault() != Fault::input) throw;  // no class of two rows, or all points at one place: the others still have a result
    propagator_[i].test = untrained_[i].test = -1;
    return;
  }
  propagator_[i] = {trained.test.classes.accuracy, std::nullopt, trained.parameters};
  untrained_[i] = {trained.untrained_test.classes.accuracy, std::nullopt, 2};  // bandwidth and alpha
  const Points& extra = data->points.extra;
  if (extra.count() == 0) return;
  const std::vector<float> values = as_given(floats_of(extra), given.standardisation);
  pipeline::Matrix queries(extra.count(), given.columns);
  std::copy(values.begin(), values.end(), queries.data());
  const auto on_extra = [&](const Propagator& model) {
    const pipeline::Matrix probability = propagate(model, queries, 0, context_).probability;
    std::vector<std::int64_t> found;
    for (Eigen::Index row = 0; row < probability.rows(); ++row) {
      Eigen::Index best = 0;
      probability.row(row).maxCoeff(&best);
      found.push_back(best);
    }
    return share_of_equal(found, extra.labels.data_ptr<std::int64_t>());
  };
  propagator_[i].extra = on_extra(trained.model);
  untrained_[i].extra = on_extra(trained.untrained);
}

// Longest first, so that the workers end together.
std::vector<ComparisonRuns::Job> ComparisonRuns::jobs() {
  std::vector<Job> jobs;
  for (std::size_t i = 0; i < seeds(); ++i) {
    for (std::size_t s = 0; s < similarities_.size(); ++s) {
      const IpnShape shape = shape_of(similarities_[s]);
      const std::int64_t cost = parameter_count(shape) * passes({&score_kind(shape.score), shape.normalise});
      jobs.push_back({cost, [this, s, i] {
                        Run::State end = train_one(protocol_, similarities_[s], i,
                                                   fmt::format("{}, seed {}", similarities_[s].name, seed(i)));
                        trained_[s][i] = {std::move(end.record), std::move(end.values), std::move(end.factors)};
                      }});
    }
    if (!options_.baselines) continue;
    constexpr std::int64_t before_all_networks = std::int64_t{1} << 40;
    jobs.push_back({before_all_networks, [this, i] { fit_propagator(i); }});
    jobs.push_back({1, [this, i] { fit_plain(i); }});
    if (i > 0 && source_.same_for_all()) continue;  // nothing that a seed changes
    jobs.push_back({1, [this, i] { fit_tuned(i); }});
    jobs.push_back({0, [this, i] { fit_classical(i); }});
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
  if (source_.same_for_all()) {
    for (std::vector<Scores>* scores : {&logistic_, &neighbour_, &tuned_neighbour_, &support_vectors_})
      std::fill(scores->begin(), scores->end(), scores->front());
  }
}

std::vector<analyse::BaselineRecord> ComparisonRuns::baselines() const {
  if (!options_.baselines) return {};
  const auto record = [](std::string name, const std::vector<Scores>& scores, bool parametric) {
    analyse::BaselineRecord baseline;
    baseline.name = std::move(name);
    for (const Scores& score : scores) {
      baseline.accuracy.push_back(score.test);
      if (score.extra) baseline.extra_accuracy.push_back(*score.extra);
    }
    if (parametric) baseline.parameters = scores.front().parameters;
    return baseline;
  };
  std::vector<analyse::BaselineRecord> all{record("logistic regression", logistic_, true),
                                           record(fmt::format("{}-nearest neighbours", neighbours), neighbour_, false),
                                           record("MLP", plain_, true),
                                           record("nearest neighbours, cross-validated", tuned_neighbour_, false)};
  const auto complete = [](const std::vector<Scores>& scores) {
    return std::all_of(scores.begin(), scores.end(), [](const Scores& score) { return score.test >= 0; });
  };
  if (complete(support_vectors_)) all.push_back(record("SVM, cross-validated", support_vectors_, false));
  if (complete(propagator_)) {
    all.push_back(record("propagator, untrained", untrained_, true));
    all.push_back(record("propagator", propagator_, true));
  }
  return all;
}

}  // namespace calor::learn

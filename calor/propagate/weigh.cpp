// weigh(machine): a weight for each training row, so that their weighted similarities to a row say what it is: support vector machines on any
// symmetric similarity.  sum_i w_i K(x, x_i) - offset, of which most w_i are 0.
//   svm        classes, one against one                      svr  measured values, within a tube        one_class  where the rows are
// Sequential minimal optimisation (engine/solve/minimal_optimisation.h): O(iterations N) time, rows of the similarity kept within `cache_mb`.
#include <fmt/format.h>

#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/engine/passes.h"
#include "calor/engine/solve/support_vectors.h"
#include "calor/io/number.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

namespace {

constexpr Parameter parameters[] = {
    {"machine", Parameter::Takes::word, "svm", 0, 0, "svm|svr|one_class", "svm: classes; svr: measured values; one_class: where the rows are"},
    {"C", Parameter::Takes::number_or_word, "1", 1e-300, 1e300, "inf",
     "svm, svr: the most weight of a row, the price of an error; inf: none is allowed, for classes that the similarity separates"},
    {"class_weights", Parameter::Takes::word, "equal", 0, 0, "equal|balanced", "svm: balanced: C times rows / (classes x rows of the class)"},
    {"epsilon", Parameter::Takes::number, "0.1", 0, 1e300, "", "svr: half the width of the tube within which an error costs nothing, in units of the values"},
    {"nu", Parameter::Takes::number, "0.5", 1e-12, 1, "", "one_class: about the share of the rows that may lie outside"},
    {"probabilities", Parameter::Takes::word, "none", 0, 0, "none|platt",
     "svm: platt: class probabilities, by decisions on five left-out parts (six fits); none: shares of the pairwise votes"},
    {"tolerance", Parameter::Takes::number, "1e-3", 1e-12, 1, "", "the violation of the optimality conditions at which it has converged"},
    {"max_iterations", Parameter::Takes::integer_or_word, "auto", 1, 1e15, "auto", "the maximum number of steps; auto: 1,000,000, or 100 a row where that is more"},
    {"cache_mb", Parameter::Takes::number, "200", 1, 1e9, "", "memory for rows of the similarity, in MB"}};

using Listed = std::vector<std::int64_t>;

bool is(const Arguments& arguments, const char* machine) { return arguments.word("machine") == machine; }

MachineOptions options_of(const State& state, const Arguments& arguments) {
  MachineOptions options;
  options.dual.tolerance = arguments.number("tolerance");
  if (arguments.is_number("max_iterations")) options.dual.max_iterations = static_cast<std::int64_t>(arguments.number("max_iterations"));
  options.dual.cache_bytes = static_cast<std::uint64_t>(arguments.number("cache_mb") * 1e6);
  options.bound = arguments.is_number("C") ? arguments.number("C") : std::numeric_limits<double>::infinity();
  options.tube = arguments.number("epsilon");
  options.share = arguments.number("nu");
  options.probabilities = arguments.word("probabilities") == "platt";
  options.seed = state.seed;
  return options;
}

// The classes that have labelled training rows, as libsvm orders them: by their first row, but +1 before -1.
Listed class_order(const Data& data) {
  Listed order;
  std::vector<std::uint8_t> seen(data.classes.size(), 0);
  for (std::int64_t i = 0; i < data.rows(); ++i) {
    if (!data.labelled(i)) continue;
    const std::int64_t c = data.labels[static_cast<std::size_t>(i)];
    if (!seen[static_cast<std::size_t>(c)]) order.push_back(c);
    seen[static_cast<std::size_t>(c)] = 1;
  }
  const auto is_number = [&](std::int64_t c, double number) { return io::parse_number(data.classes[static_cast<std::size_t>(c)]) == number; };
  if (order.size() == 2 && is_number(order[0], -1) && is_number(order[1], 1)) std::swap(order[0], order[1]);
  return order;
}

std::vector<Listed> members_of(const Data& data, const Listed& order) {
  std::vector<std::size_t> place(data.classes.size(), 0);
  for (std::size_t p = 0; p < order.size(); ++p) place[static_cast<std::size_t>(order[p])] = p;
  std::vector<Listed> members(order.size());
  for (std::int64_t i = 0; i < data.rows(); ++i)
    if (data.labelled(i)) members[place[static_cast<std::size_t>(data.labels[static_cast<std::size_t>(i)])]].push_back(i);
  return members;
}

Matrix column(const std::vector<double>& numbers) { return Eigen::Map<const Vector>(numbers.data(), static_cast<Eigen::Index>(numbers.size())); }
Matrix column(const Listed& numbers) { return column(std::vector<double>(numbers.begin(), numbers.end())); }
Listed listed(const Matrix& numbers) { return Listed(numbers.data(), numbers.data() + numbers.size()); }

void keep(Kept& kept, const Machines& machines, const Listed& order) {
  kept.keep("vectors", column(machines.vectors));
  kept.keep("weights", machines.weights);
  kept.keep("offsets", Matrix(machines.offsets));
  if (!order.empty()) kept.keep("order", column(order));
  if (machines.sigmoids.empty()) return;
  Matrix sigmoids(static_cast<Eigen::Index>(machines.sigmoids.size()), 2);
  for (std::size_t m = 0; m < machines.sigmoids.size(); ++m) sigmoids.row(static_cast<Eigen::Index>(m)) << machines.sigmoids[m].a, machines.sigmoids[m].b;
  kept.keep("sigmoids", std::move(sigmoids));
}

// The support vectors as columns, ready for products.
struct Columns {
  std::shared_ptr<const Matrix> vectors;  // as kept
  Similarity record;
  std::unique_ptr<engine::TileScores> tiles;  // of the record
};

Matrix decide(const Similarity& similarity, const Kept& kept, const Context& context) {
  const Matrix &weights = kept.array("weights"), offsets = kept.array("offsets");
  const Listed vectors = listed(kept.array("vectors"));
  if (!similarity.all_pairs() || similarity.distances || similarity.dense || similarity.computed)
    return decisions(engine::restricted(similarity, nullptr, &vectors), weights, offsets.col(0), context);
  const std::shared_ptr<const Columns> columns = kept.ready<Columns>([&] {
    auto made = std::make_shared<Columns>();
    const Listed no_rows;
    made->vectors = kept.shared("vectors");
    made->record = engine::restricted(similarity, &no_rows, &vectors);
    made->tiles = std::make_unique<engine::TileScores>(made->record);
    return made;
  });
  if (columns->vectors != kept.shared("vectors")) return decisions(engine::restricted(similarity, nullptr, &vectors), weights, offsets.col(0), context);  // of another run
  Similarity to_vectors = similarity;
  to_vectors.columns = columns->record.columns;
  to_vectors.column_points = columns->record.column_points;
  to_vectors.column_sparse = columns->record.column_sparse;
  to_vectors.column_rows = columns->record.column_rows;
  to_vectors.log_column = columns->record.log_column;
  to_vectors.leave_diagonal_out = to_vectors.symmetric = false;
  return decisions(to_vectors, weights, offsets.col(0), context, columns->tiles.get());
}

// The decisions on the state's rows, as what flows on.
void decide(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  Matrix found = decide(state.similarity, kept, context);
  if (is(arguments, "svr")) {
    state.field_names = {"value"};
    state.field = std::make_shared<const Matrix>(std::move(found));
    return;
  }
  if (is(arguments, "one_class")) {
    Matrix both(found.rows(), 2);
    both << found, found.unaryExpr([](double decision) { return decision > 0 ? 1.0 : -1.0; });
    state.field_names = {"decision", "inlier"};
    state.field = std::make_shared<const Matrix>(std::move(both));
    return;
  }
  const Listed order = listed(kept.array("order"));
  std::vector<Sigmoid> sigmoids;
  if (kept.has("sigmoids"))
    for (Eigen::Index m = 0; m < kept.array("sigmoids").rows(); ++m) sigmoids.push_back({kept.array("sigmoids")(m, 0), kept.array("sigmoids")(m, 1)});
  const Matrix scores = class_scores(found, static_cast<std::int64_t>(order.size()), sigmoids, context);
  Matrix by_class = Matrix::Zero(scores.rows(), static_cast<Eigen::Index>(state.data->classes.size()));
  for (std::size_t p = 0; p < order.size(); ++p) by_class.col(order[p]) = scores.col(static_cast<Eigen::Index>(p));
  state.field_names = state.data->classes;
  state.field = std::make_shared<const Matrix>(std::move(by_class));
  state.decisions = std::move(found);
  state.decision_pairs.clear();
  for (std::size_t a = 0; a < order.size(); ++a)
    for (std::size_t b = a + 1; b < order.size(); ++b) state.decision_pairs.emplace_back(order[a], order[b]);
}

void remark(State& state, const Arguments& arguments, const Machines& machines) {
  double objective = 0, bounded = 0;
  for (const double one : machines.objectives) objective += one;
  for (const std::int64_t one : machines.bounded) bounded += static_cast<double>(one);
  state.figures["objective"] = objective;
  state.figures["support_vectors"] = static_cast<double>(machines.vectors.size());
  state.figures["bounded"] = bounded;
  state.figures["iterations"] = static_cast<double>(machines.iterations);
  if (machines.offsets.size() == 1) {
    state.figures["offset"] = machines.offsets[0];
  } else {
    state.series["objective"] = machines.objectives;
    state.series["offset"].assign(machines.offsets.begin(), machines.offsets.end());
    state.series["support_vectors"].assign(machines.counts.begin(), machines.counts.end());
  }
  const std::size_t pairs = machines.objectives.size();
  const std::string where = pairs > 1 ? fmt::format("in all, in {} of {} pairs of classes, ", machines.unfinished, pairs) : "";
  if (machines.unfinished)
    state.note("weigh", fmt::format("not converged: after {} steps {}the optimality conditions are still violated by {:.2g} ({} asked): {}bring the features to one "
                                    "scale (standardise | kernel(..)), or raise weigh.max_iterations",
                                    grouped_digits(machines.iterations), where, machines.violation, arguments.number("tolerance"),
                                    arguments.is_number("C") ? "lower C, " : "the similarity may not separate the classes, so give a finite C, "));
  if (machines.indefinite)
    state.note("weigh", "the similarity is not positive semidefinite: the machine is where no pair of rows can improve it, which another start may put elsewhere");
}

// A kernel that is about 1 everywhere, or about 0 but for each row itself, learns nothing of the points' places.
void remark_scale(State& state, const Listed& rows, const Context& context) {
  constexpr std::size_t looked_at = 60;
  constexpr double little = 1e-3;
  if (!state.similarity.exponential() || !state.similarity.all_pairs() || state.similarity.log_row.size() || rows.size() < 10) return;
  Listed some;
  for (std::size_t p = 0; p < std::min(looked_at, rows.size()); ++p) some.push_back(rows[p * rows.size() / std::min(looked_at, rows.size())]);
  Matrix values = engine::materialise(engine::restricted(state.similarity, &some, &some), "weigh", context);
  values.diagonal().setZero();
  const Eigen::Index n = values.rows();
  const double mean = values.sum() / static_cast<double>(n * (n - 1));
  if (mean < little || mean > 1 - little)
    state.note("weigh", fmt::format("rows are alike by {:.2g} on average, so the kernel sees {}: bring the features to one scale (standardise | kernel(..)), or "
                                    "choose gamma (kernel.gamma=scale)", mean, mean < 0.5 ? "each row alone" : "no difference between them"));
}

void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const Data& data = *state.data;
  MachineOptions options = options_of(state, arguments);
  Listed rows, order;
  Machines machines;
  if (is(arguments, "svm")) {
    order = class_order(data);
    require(order.size() >= 2, Fault::input,
            "[weigh] expected labelled training rows of at least two classes, found {}: label rows of another, or describe one class with weigh(one_class)",
            order.empty() ? std::string("none") : fmt::format("\"{}\" alone", data.classes[static_cast<std::size_t>(order[0])]));
    const std::vector<Listed> members = members_of(data, order);
    for (const Listed& one : members) rows.insert(rows.end(), one.begin(), one.end());
    if (arguments.word("class_weights") == "balanced")
      for (const Listed& one : members)
        options.class_factors.push_back(static_cast<double>(rows.size()) / (static_cast<double>(members.size()) * static_cast<double>(one.size())));
    machines = fit_classes(state.similarity, members, options, context);
  } else {
    const bool values = is(arguments, "svr");
    for (std::int64_t i = 0; i < data.rows(); ++i)
      if (values ? data.training(i) && std::isfinite(data.targets[i]) : data.training(i)) rows.push_back(i);
    if (values) {
      Vector targets(static_cast<Eigen::Index>(rows.size()));
      for (Eigen::Index i = 0; i < targets.size(); ++i) targets[i] = data.targets[rows[static_cast<std::size_t>(i)]];
      machines = fit_values(state.similarity, rows, targets, options, context);
    } else {
      machines = fit_support(state.similarity, rows, options, context);
    }
  }
  remark(state, arguments, machines);
  remark_scale(state, rows, context);
  keep(kept, machines, order);
  decide(state, arguments, kept, context);
}

void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) { decide(state, arguments, kept, context); }

void estimate(Estimate& estimate, const Arguments& arguments) {
  const double n = estimate.rows, row = 4 * n, cache = std::min(arguments.number("cache_mb") * 1e6, row * n);
  // Rows, and the training points in the order of their classes, packed, and for a time those still in use.
  estimate.use(std::max(16 * row, std::min(cache, estimate.memory / 4)) + 3 * 8 * n * estimate.features);
  constexpr double rows_computed = 0.5, steps_per_row = 1;  // of an ordinary fit, as shares of the rows
  estimate.pass(rows_computed);
  estimate.operations += steps_per_row * n * n * 8;
  estimate.pass(rows_computed);  // the decisions
}

void outline(Outline& outline, const Arguments&) {
  require_square(outline, "weigh", "leave to= out: labelled training rows alone get weights");
  require(outline.may(outline.symmetric) && outline.may(outline.equal_both_ways), Fault::usage,
          "[weigh] expected a similarity that is equal both ways, found one that is not: leave out row, column and to=, or put mean or union before it");
  require(outline.plain != Fact::yes || outline.scores != Outline::Scores::distances, Fault::usage,
          "[weigh] expected similarities, found minus distances: put exp(auto) before it, or begin with kernel(rbf)");
  outline.flowing = Fact::yes;
}

Wants wants(const Arguments& arguments) { return is(arguments, "svm") ? Wants::classes : is(arguments, "svr") ? Wants::values : Wants::nothing; }

}  // namespace

const Stage weigh_stage{"weigh", Kind::flow, types::any_similarity, types::similarity, parameters,
                        "weights of training rows: support vector machines", "10.1145/1961189.1961199", run, place, estimate, outline, takes_any_form, wants};

}  // namespace calor::propagate

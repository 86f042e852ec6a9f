// tune(loo, parameters, pipeline): parameters of the pipeline's stages, chosen by how well each labelled row is predicted from the others
// (engine/leave_one_out.h); the stages themselves know nothing of it.
//   standardise.by        whether the features are standardised, by the best likelihood of an exponential of the squared distance
//   exp.bandwidth         no row then meets itself, as when it was chosen
//   two_side.alpha        with of=keys; where exp.bandwidth is chosen too, the best pair of both
// What is chosen stands in what the stages keep, where they find it when they run again or place new points.
// Leave-one-out choice of a bandwidth: Duin 1976; of the density exponent: Coifman & Lafon 2006.
#include <algorithm>
#include <string>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/engine/leave_one_out.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/run.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"
#include "calor/similarity/standardisation.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"by", Parameter::Takes::word, "loo", 0, 0, "loo", "loo: by leaving out each labelled row and predicting it from the others"},
    {"parameters", Parameter::Takes::words, "", 0, 0, "standardise.by|exp.bandwidth|two_side.alpha", "what is chosen, a stage's parameter each"},
    {"body", Parameter::Takes::pipeline, "", 0, 0, "", "the pipeline whose parameters are chosen"}};

namespace {

// How many passes over all values (Estimate::pass) a choice takes: with exponents, measured on 60,000 rows of 64 features; and bytes per key:
// two doubles and a float at each of about 16 scales.
constexpr double passes_with_exponents = 4, bytes_per_key = 20 * 16;

bool chooses(const Arguments& arguments, std::string_view parameter) {
  return (", " + arguments.word("parameters") + ",").find(fmt::format(" {},", parameter)) != std::string::npos;
}

bool chooses_of(const Arguments& arguments, const BoundStage& stage) {
  return (", " + arguments.word("parameters")).find(fmt::format(" {}.", stage.stage->name)) != std::string::npos;
}

bool has_stage(const std::vector<BoundStage>& stages, std::string_view name) {
  return std::any_of(stages.begin(), stages.end(), [&](const BoundStage& bound) { return bound.stage->name == name; });
}

// What the columns are known to be: classes where the data have them, else values.
Known known_columns(const Similarity& similarity, const Data& data) {
  Known known;
  if (data.labels.empty()) known.values.resize(similarity.columns);
  for (std::int64_t j = 0; j < similarity.columns; ++j) {
    const std::int64_t i = similarity.row_of_column(j);
    require(data.labelled(i), Fault::input, "[tune] expected columns whose label is known for loo, found row {} without: begin with distance(2, to=train)",
            i + 1);
    if (data.labels.empty()) known.values[j] = data.targets[i];
    else known.classes.push_back(data.labels[i]);
  }
  return known;
}

// Figures "leave_one_out" and "judged", series "leave_one_out_scale", "leave_one_out_plain" (the likelihood at each scale with alpha 0) and,
// with several alphas, "leave_one_out_likelihood" (with the chosen one).
void report(const LeaveOneOut& found, State& state) {
  const LeaveOneOut::Choice choice = found.best();
  const auto series = [&](std::size_t alpha) {
    const Vector values = found.likelihood.col(static_cast<Eigen::Index>(alpha));
    return std::vector<double>(values.begin(), values.end());
  };
  state.figures["leave_one_out"] = found.likelihood(static_cast<Eigen::Index>(choice.scale), static_cast<Eigen::Index>(choice.alpha));
  state.figures["judged"] = static_cast<double>(found.judged);
  if (found.scales.size() < 2) return;
  state.series["leave_one_out_scale"] = found.scales;
  if (found.alphas[0] == 0) state.series["leave_one_out_plain"] = series(0);
  if (found.alphas.size() > 1) state.series["leave_one_out_likelihood"] = series(choice.alpha);
}

double likelihood(const Matrix& features, const Data& data, const Context& context) {
  auto rows = std::make_shared<const std::vector<std::int64_t>>(labelled_rows(data));
  auto points = std::make_shared<Matrix>(static_cast<Eigen::Index>(rows->size()), features.cols());
  for (std::size_t r = 0; r < rows->size(); ++r) points->row(static_cast<Eigen::Index>(r)) = features.row((*rows)[r]);
  Similarity record;
  record.score.kind = Score::Kind::power_distance;
  record.columns = points->rows();
  record.column_points = std::move(points);
  record.column_rows = std::move(rows);
  return leave_one_out(keys_of(record, "tune"), known_columns(record, data), {}, context).likelihood.maxCoeff();
}

void choose_standardisation(State& state, Kept& stage, const Context& context) {
  const Matrix by = standardisation(*state.data);
  const double as_given = likelihood(*state.data->features, *state.data, context);
  const double after = likelihood(*standardised(*state.data->features, by), *state.data, context);
  const bool better = after > as_given;
  state.note("tune", fmt::format("features {}: leave-one-out likelihood {:.4f} standardised, {:.4f} as given",
                                 better ? "standardised" : "left as given", after, as_given));
  stage.keep_number("standardised", better);
}

// At `exp` where the bandwidth is chosen, at `two_side` where only alpha is; `alpha_stage` is null where alpha is not.
void choose_scale(State& state, bool bandwidth, Kept* bandwidth_stage, Kept* alpha_stage, const Context& context) {
  Similarity& record = state.similarity;
  LeaveOneOutOptions options;
  options.exponents = alpha_stage != nullptr;
  if (!bandwidth) options.scales = {record.strengthen.scale[0]};
  const LeaveOneOut found = leave_one_out(keys_of(record, "tune"), known_columns(record, *state.data), options, context);
  report(found, state);
  const LeaveOneOut::Choice choice = found.best();
  if (bandwidth_stage) bandwidth_stage->keep_number("scale", found.scales[choice.scale]);
  if (!alpha_stage) return;
  alpha_stage->keep_number("alpha", found.alphas[choice.alpha]);
  alpha_stage->keep("log_density", Matrix(found.log_density.col(static_cast<Eigen::Index>(choice.scale))));
}

void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const std::vector<BoundStage>& body = arguments.pipeline("body");
  std::vector<Kept> inner = kept.each(body.size());  // with the choices of an earlier repetition
  const bool bandwidth = chooses(arguments, "exp.bandwidth"), alpha = chooses(arguments, "two_side.alpha");
  Kept* alpha_stage = nullptr;
  for (std::size_t s = 0; s < body.size(); ++s)
    if (alpha && body[s].stage->name == "two_side") alpha_stage = &inner[s];
  for (std::size_t s = 0; s < body.size(); ++s) {
    const std::string_view name = body[s].stage->name;
    const bool scaling = name == "exp" && bandwidth;
    if (scaling) keep_scores(state.similarity, context);  // for what follows too
    at_stage(body[s], [&] {
      if (name == "standardise" && chooses_of(arguments, body[s]) && !inner[s].has("standardised")) choose_standardisation(state, inner[s], context);
      if (scaling && !inner[s].has("scale")) choose_scale(state, true, &inner[s], alpha_stage, context);
      if (name == "two_side" && alpha && !bandwidth && !inner[s].has("alpha")) choose_scale(state, false, nullptr, alpha_stage, context);
    });
    std::vector<Kept> one{std::move(inner[s])};
    run_stages({body[s]}, state, one, context);
    if (scaling) state.similarity.leave_diagonal_out = true;
    inner[s] = std::move(one.front());
    inner[s].forget("log_density");  // of this repetition alone
  }
  kept.keep_each(inner);
}

void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  const std::vector<BoundStage>& body = arguments.pipeline("body");
  place_stages(body, state, kept.each(body.size()), context);
}

// Without exponents as many rows are judged as tell a bandwidth.
void estimate_choice(Estimate& estimate, bool exponents) {
  if (!exponents) return estimate.pass(judged_share(estimate.rows));
  estimate.pass(passes_with_exponents);
  estimate.use(bytes_per_key * estimate.columns);
}

void estimate(Estimate& estimate, const Arguments& arguments) {
  const bool bandwidth = chooses(arguments, "exp.bandwidth"), alpha = chooses(arguments, "two_side.alpha");
  for (const BoundStage& bound : arguments.pipeline("body")) {
    const std::string_view name = bound.stage->name;
    if (name == "standardise" && chooses_of(arguments, bound)) estimate.pass(2 * judged_share(estimate.rows));
    if (name == "exp" && bandwidth) {
      estimate.keep_scores();
      estimate_choice(estimate, alpha);
    }
    if (name == "two_side" && alpha && !bandwidth) estimate_choice(estimate, true);
    if (bound.stage->estimate) bound.stage->estimate(estimate, bound.arguments);
  }
}

// A parameter that is chosen stands at its default: what is given is not chosen.
void require_choice(const BoundStage& bound, std::string_view parameter) {
  const auto& given = bound.call.arguments;
  require(std::none_of(given.begin(), given.end(), [&](const Argument& argument) { return argument.name == parameter; }) &&
              (given.empty() || !given.front().name.empty()),
          Fault::usage, "[tune] expected {}.{} to be chosen, found it given: leave it out there, or in tune", bound.stage->name, parameter);
}

void require_choosable(const Outline& outline, const BoundStage& bound) {
  if (bound.stage->name == "standardise") return require_choice(bound, "by");
  if (bound.stage->name == "exp") {
    require_choice(bound, "bandwidth");
    require(!bound.arguments.is_number("perplexity") && !bound.arguments.is_number("cardinality"), Fault::usage,
            "[tune] expected a bandwidth of exp to choose, found one for each row: leave out perplexity and cardinality, or exp.bandwidth");
    require(outline.may(outline.all_pairs) && outline.may_be(Outline::Scores::distances), Fault::usage,
            "[tune] expected distances over all pairs for loo, found {}: begin with distance(2, to=train)",
            outline.may(outline.all_pairs) ? "another score" : "a graph");
    return;
  }
  require_choice(bound, "alpha");
  require(bound.arguments.word("of") == "keys", Fault::usage, "[tune] expected of=keys with alpha=loo, found of=rows: write two_side(loo, of=keys)");
}

void outline(Outline& outline, const Arguments& arguments) {
  const std::vector<BoundStage>& body = arguments.pipeline("body");
  for (const auto& [stage, parameter] : {std::pair{"standardise", "by"}, {"exp", "bandwidth"}, {"two_side", "alpha"}}) {
    const std::string name = fmt::format("{}.{}", stage, parameter);
    require(!chooses(arguments, name) || has_stage(body, stage), Fault::usage, "[tune] expected {} in the pipeline whose {} is chosen, found none: leave {} out",
            stage, parameter, name);
  }
  for (const BoundStage& bound : body) {
    if (chooses_of(arguments, bound)) at_stage(bound, [&] { require_choosable(outline, bound); });
    trace(bound, outline);
  }
}

Wants wants(const Arguments&) { return Wants::labels; }

std::string_view why_dense(Form form, const BoundStage& bound) {
  const bool given = form == Form::distances || form == Form::some_distances;
  return given && !chooses(bound.arguments, "standardise.by") ? "loo has its own pass over points: give auto or a number" : "";
}

}  // namespace

const Stage tune_stage{"tune", Kind::flow, types::points | types::any_similarity, types::of_body, parameters,
                       "chooses parameters of a pipeline by predicting each labelled row from the others", "10.1016/j.acha.2006.04.006", run, place, estimate,
                       outline, why_dense, wants, /*flows_once=*/false, nullptr, nullptr, /*short_word=*/"loo"};

}  // namespace calor::similarity

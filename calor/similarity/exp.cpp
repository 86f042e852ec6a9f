// exp(bandwidth): exp(score / bandwidth); for distance(2) the bandwidth is 2 eps of W = exp(-d^2 / (2 eps)).
// loo: short for tune(loo, exp.bandwidth, ..).
// perplexity and cardinality choose a bandwidth for each row instead, new rows included (Hinton & Roweis 2002; McInnes et al. 2018).
#include "calor/core/error.h"
#include "calor/engine/bandwidth.h"
#include "calor/engine/cardinality.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/chosen_bandwidth.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"bandwidth", Parameter::Takes::number_or_word, "1", std::numeric_limits<double>::min(),
     std::numeric_limits<double>::max(), "auto|groups|loo|learned",
     "what the score is divided by; auto: from the points; groups: from the points, wide compared with the groups that they form and narrow "
     "compared with the gaps between them; loo: short for tune(loo, exp.bandwidth, ..): the best leave-one-out prediction of the labels; "
     "learned: with a learned score, trained as well"},
    {"perplexity", Parameter::Takes::number_or_word, "none", 1, 1e9, "none",
     "instead of a bandwidth: the effective number of neighbours, with one scale per row; the diagonal is left out"},
    {"cardinality", Parameter::Takes::number_or_word, "none", 1e-6, 1e9, "none",
     "instead of a bandwidth: the sum of each row's values, with one scale per row"}};

static void use_scale(Similarity& record, Vector scale) {
  record.strengthen.kind = Strengthen::Kind::exponential;
  if (scale.size() > 1) record.symmetric = false;
  record.strengthen.scale = std::move(scale);
}

static bool by_row(const Arguments& arguments) { return arguments.is_number("perplexity") || arguments.is_number("cardinality"); }

static Vector row_scales(const Similarity& record, const Arguments& arguments, const Context& context) {
  return arguments.is_number("perplexity") ? perplexity_scales(record, arguments.number("perplexity"), context)
                                           : cardinality_scales(record, arguments.number("cardinality"), context);
}

double take_bandwidth(State& state, Bandwidth found) {
  if (!found.scales.empty()) {
    state.series["bandwidth_scale"] = std::move(found.scales);
    state.series["bandwidth_log_sum"] = std::move(found.log_sums);
    state.series["bandwidth_slope"] = std::move(found.slopes);
  }
  if (found.dimension > 0) state.figures["dimension"] = found.dimension;
  if (!found.clear)
    state.note("exp", fmt::format("the slope of log sum K against log bandwidth has no single maximum; {:.4g} is the highest: "
                                  "try others around it", found.scale));
  return found.scale;
}

// From the points, with the curve that it was chosen by.
static double automatic_scale(State& state, const std::string& by, const Context& context) {
  return take_bandwidth(state, by == "groups" ? bandwidth_of_groups(state.similarity, context) : automatic_bandwidth(state.similarity, context));
}

static double chosen_scale(State& state, const Arguments& arguments, const Context& context) {
  return arguments.is_number("bandwidth") ? arguments.number("bandwidth") : automatic_scale(state, arguments.word("bandwidth"), context);
}

// On a graph of points in many dimensions a score is dear beside the 12 bytes that keep it.
static bool keeps_edges(double features) { return features >= few_dimensions; }

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  if (by_row(arguments) || !arguments.is_number("bandwidth")) keep_scores(record, context);  // for what follows too
  if (by_row(arguments)) {
    if (record.support && record.row_points && keeps_edges(static_cast<double>(record.row_points->cols()))) record = store_scores(record, context);
    record.leave_diagonal_out = arguments.is_number("perplexity") && record.all_pairs() && record.square();
    use_scale(record, row_scales(record, arguments, context));
    return;
  }
  const double scale = kept.once("scale", [&] { return chosen_scale(state, arguments, context); });
  state.figures["bandwidth"] = scale;
  use_scale(record, Vector::Constant(1, scale));
}

static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  if (by_row(arguments)) {
    use_scale(record, row_scales(record, arguments, context));
    state.reverse = nullptr;  // the other way goes by the scale of another row
  } else {
    use_scale(record, Vector::Constant(1, kept.number("scale")));
  }
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  if (!arguments.is_number("bandwidth") || by_row(arguments)) estimate.pass();
  if (by_row(arguments) || !arguments.is_number("bandwidth")) estimate.keep_scores();
  if (by_row(arguments) && estimate.edges > 0 && keeps_edges(estimate.features)) estimate.hold(12 * estimate.edges);
  estimate.crowded = true;
}

static void outline(Outline& outline, const Arguments& arguments) {
  const std::string by = arguments.is_number("bandwidth") ? "" : arguments.word("bandwidth");
  require(outline.may(outline.plain), Fault::usage,
          "[exp] expected scores, found a strengthened or normalised similarity: put exp right after the score, such as distance(2)");
  require(!arguments.is_number("perplexity") || !arguments.is_number("cardinality"), Fault::usage,
          "[exp] expected a perplexity or a cardinality, found both: give one");
  if (arguments.is_number("cardinality")) {
    require(outline.may_not(outline.all_pairs), Fault::usage, "[exp] expected a graph for a cardinality, found all pairs: put knn before distance");
  } else if (!arguments.is_number("perplexity")) {
    const bool learned = outline.scores == Outline::Scores::learned;  // whose scale is found in training
    require(by != "learned" || learned, Fault::usage,
            "[exp] expected a bandwidth, auto or loo, found learned, which goes with score(..) in `calor train` and `calor compare`: give "
            "one of those");
    require((by != "auto" && by != "groups") || learned || outline.may_be(Outline::Scores::distances), Fault::usage,
            "[exp] expected distances for bandwidth={}, found {}: give a number, or begin with distance(2)", by,
            outline.scores == Outline::Scores::lengths ? "stored lengths" : "another score");
    require(by != "groups" || outline.may(outline.all_pairs), Fault::usage,
            "[exp] expected distances over all pairs for groups, found a graph: write exp(auto), or leave out the graph");
  }
  outline.plain = Fact::no;
  if (by_row(arguments)) outline.symmetric = outline.equal_both_ways = Fact::no;
}

const Stage exp_stage{"exp", Kind::strengthen, types::any_similarity, types::similarity, parameters, "exp(score / bandwidth)",
                      "10.1109/TIP.2008.2002305", run, place, estimate, outline, takes_any_form};

}  // namespace calor::similarity

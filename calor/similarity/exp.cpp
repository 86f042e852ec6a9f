// exp(bandwidth): exp(score / bandwidth); for distance(2) the bandwidth is 2 eps of W = exp(-d^2 / (2 eps)).
#include "calor/core/error.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/bandwidth.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"bandwidth", Parameter::Takes::number_or_word, "1", std::numeric_limits<double>::min(),
     std::numeric_limits<double>::max(), "auto", "the score's unit of decay; auto: from the data"},
    {"perplexity", Parameter::Takes::number_or_word, "none", 1, 1e9, "none",
     "instead of a bandwidth: the effective number of neighbours, a scale for each row; leaves the diagonal out"}};

static void check(const Similarity& similarity) {
  require(similarity.strengthen.kind == Strengthen::Kind::none && similarity.normalised.empty(), Fault::usage,
          "[exp] expected scores, found a strengthened or normalised similarity: put exp before it");
}

static void use_scale(Similarity& record, Vector scale) {
  record.strengthen.kind = Strengthen::Kind::exponential;
  if (scale.size() > 1) record.symmetric = false;
  record.strengthen.scale = std::move(scale);
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  check(record);
  if (arguments.is_number("perplexity")) {
    record.leave_diagonal_out = record.all_pairs() && record.square();
    Vector scales = perplexity_scales(record, arguments.number("perplexity"), context);
    if (scales.size() == 1) scales = Vector::Constant(1, scales[0]);
    use_scale(record, std::move(scales));
    return;
  }
  double scale = 1;
  if (arguments.is_number("bandwidth")) {
    scale = arguments.number("bandwidth");
  } else {
    const Bandwidth found = automatic_bandwidth(record, context);
    scale = found.scale;
    if (found.dimension > 0) state.figures["dimension"] = found.dimension;
    if (!found.clear)
      state.note("exp", fmt::format("the slope of log sum K against log bandwidth has no single maximum; {:.4g} is the highest: "
                                    "try others around it", scale));
  }
  state.figures["bandwidth"] = scale;
  kept.keep_number("scale", scale);
  use_scale(record, Vector::Constant(1, scale));
}

static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  if (arguments.is_number("perplexity")) use_scale(record, perplexity_scales(record, arguments.number("perplexity"), context));
  else use_scale(record, Vector::Constant(1, kept.number("scale")));
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  if (!arguments.is_number("bandwidth") || arguments.is_number("perplexity")) estimate.pass();
}

const Stage exp_stage{"exp", Kind::strengthen, types::any_similarity, types::similarity, parameters, "exp(score / bandwidth)",
                      "10.1109/TIP.2008.2002305", run, place, estimate};

}  // namespace calor::similarity

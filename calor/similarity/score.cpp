// score(kind): a similarity with weights of its own, which `calor train` and `calor compare` fit to labels.  Here it has its
// name, its kinds and its types; the room learn/ computes it.
#include "calor/core/error.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"kind", Parameter::Takes::word, "", 0, 0, "qk|additive|l2|metric|uniform",
     "qk: (Qx).(Ky) / sqrt(width); additive: LeakyReLU(a.Wx + b.Wy); l2: -|Wx - Wy|^2; metric: -|phi(x) - phi(y)|^2, phi a network; "
     "uniform: 0"}};

[[noreturn]] static void refuse(const Arguments& arguments) {
  const std::string& kind = arguments.word("kind");
  fail(Fault::usage,
       "[score] expected stages that run as they are, found score({}), whose weights are learned from labels: give the pipeline to "
       "`calor train DATA --attention \"...\"` or `calor compare`, or begin with distance(2) or dot",
       kind);
}

static void run(State&, const Arguments& arguments, Kept&, const Context&) { refuse(arguments); }
static void estimate(Estimate&, const Arguments& arguments) { refuse(arguments); }

static void outline(Outline& outline, const Arguments&) {
  outline.all_pairs = outline.square = outline.plain = Fact::yes;
  outline.scores = Outline::Scores::learned;
}

const Stage score_stage{"score", Kind::initialise, types::points, types::similarity, parameters,
                        "a learned score, for calor train and compare", "arXiv:2412.18288", run, nullptr, estimate, outline};

}  // namespace calor::similarity

// match(family, loss): points in few dimensions whose own similarity matches the given one.
//   match(distance, stress)   distances, by least squares (SMACOF)
//   match(gaussian, kl)       Gaussian similarities normalised by row, by the Kullback-Leibler divergence (SNE)
//   match(student, kl)        a heavy-tailed similarity normalised over all pairs, by the same (t-SNE)
//   match(rational, cross_entropy)  1 / (1 + a d^(2 b)) pair by pair, by the fuzzy cross-entropy (UMAP)
// Each family is a file of its own: match_distance.cpp, match_gaussian.cpp, match_student.cpp, match_rational.cpp.
#include "calor/core/error.h"
#include "calor/propagate/match_families.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"family", Parameter::Takes::word, "distance", 0, 0, "distance|gaussian|student|rational", "what the points' own similarity is made of"},
    {"loss", Parameter::Takes::word, "stress", 0, 0, "stress|kl|cross_entropy",
     "what is minimised: stress for distance, kl for gaussian and student, cross_entropy for rational"},
    {"dims", Parameter::Takes::integer, "2", 1, 1000, "", "dimensions of the points"},
    {"tolerance", Parameter::Takes::number, "1e-7", 0, 1, "", "the relative fall of the loss at which it has converged (distance, gaussian)", "until"},
    {"max_iterations", Parameter::Takes::integer_or_word, "auto", 1, 1e9, "auto", "the maximum number of steps; auto: 3000 for distance, 1000 for gaussian, "
     "750 for student, 500 epochs for rational (200 beyond 10,000 points)", "most"},
    {"start", Parameter::Takes::word, "auto", 0, 0, "auto|pca|spectral|random",
     "where the points begin (not for distance); auto: principal components, or the graph's "
     "slow modes for rational and where there are no dense points"},
    {"exaggeration", Parameter::Takes::number, "12", 1, 1e6, "", "how much stronger neighbours attract in the early steps (student)"},
    {"early", Parameter::Takes::integer, "250", 0, 1e9, "", "the early steps, of all (student)"},
    {"rate", Parameter::Takes::number_or_word, "auto", 1e-12, 1e12, "auto", "the length of steps; auto: points / exaggeration for student, 1 for rational"},
    {"freedom", Parameter::Takes::number, "1", 1e-3, 1e3, "", "degrees of freedom: below 1 heavier tails and finer clusters (student)"},
    {"sums", Parameter::Takes::word, "auto", 0, 0, "auto|exact|grid",
     "repulsion over all pairs, or interpolated on a grid in two dimensions; auto: exact up to 4000 points (student)"},
    {"min_dist", Parameter::Takes::number, "0.1", 0, 1e3, "", "how close points may be packed (rational)"},
    {"spread", Parameter::Takes::number, "1", 1e-3, 1e3, "", "the scale of the map (rational)"},
    {"negatives", Parameter::Takes::integer, "5", 1, 1000, "", "points drawn to push for each pull (rational)"}};

static constexpr const MatchFamily* families[] = {&distance_family, &student_family, &gaussian_family, &rational_family};

static const MatchFamily& family_of(const Arguments& arguments) {
  const std::string &family = arguments.word("family"), &loss = arguments.word("loss");
  for (const MatchFamily* one : families) {
    if (one->family != family) continue;
    require(one->loss == loss, Fault::usage, "[match] expected the loss {} for {}, found {}: write match({}, {})", one->loss, family, loss, family, one->loss);
    return *one;
  }
  fail(Fault::internal, "[match] expected a known family, found {}", family);
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  family_of(arguments).run(state, arguments, kept, context);
  if (!context.stopping()) return;
  state.interrupted = true;
  state.note("match", "interrupted: this is the map as it was then");
}

static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  family_of(arguments).place(state, arguments, kept, context);
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  family_of(arguments).estimate(estimate, arguments);
  estimate.features = arguments.number("dims");
  estimate.hold(2 * 8 * estimate.rows * estimate.features);
}

static void outline(Outline& outline, const Arguments& arguments) {
  family_of(arguments).outline(outline, arguments);
  outline.moved = Fact::yes;
}

const Stage match_stage{"match", Kind::read_out, types::any_similarity, types::embedding, parameters,
                        "points in few dimensions whose own similarity matches", "", run, place, estimate, outline, takes_any_form};

}  // namespace calor::propagate

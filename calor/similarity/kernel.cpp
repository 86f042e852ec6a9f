// kernel(name): a Mercer kernel of two points, with the parameters that scikit-learn and libsvm give it.
//   rbf        exp(-gamma |x - y|^2)           laplacian  exp(-gamma sum_c |x_c - y_c|)
//   linear     x.y                             poly       (gamma x.y + offset)^degree
// A record over all pairs or on a graph; nothing is computed here.
#include "calor/core/error.h"
#include "calor/pipeline/outline.h"
#include "calor/similarity/initialise.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"name", Parameter::Takes::word, "rbf", 0, 0, "rbf|laplacian|linear|poly", "which kernel"},
    {"gamma", Parameter::Takes::number_or_word, "auto", 1e-300, 1e300, "auto", "scale of the kernel; auto: 1 / number of features"},
    {"degree", Parameter::Takes::integer, "3", 1, 100, "", "poly: the degree"},
    {"offset", Parameter::Takes::number, "1", 0, 1e300, "", "poly: the constant added to gamma x.y (coef0); at least 0 keeps it positive definite"},
    {"to", Parameter::Takes::word, "points", 0, 0, to_words, "what the columns are"}};

static Score score_of(const std::string& name) {
  if (name == "rbf") return {Score::Kind::power_distance, 2, Metric::euclidean};
  if (name == "laplacian") return {Score::Kind::power_distance, 1, Metric::manhattan};
  return {Score::Kind::dot, 2, Metric::euclidean};
}

static void strengthen(Similarity& record, const Arguments& arguments) {
  const std::string& name = arguments.word("name");
  const std::int64_t features = record.column_sparse ? record.column_sparse->columns : record.column_points->cols();
  const double gamma = arguments.is_number("gamma") ? arguments.number("gamma") : 1 / static_cast<double>(features);
  if (name == "poly") {
    record.strengthen.kind = Strengthen::Kind::power;
    record.strengthen.gain = gamma;
    record.strengthen.offset = arguments.number("offset");
    record.strengthen.exponent = arguments.number("degree");
  } else if (name != "linear") {
    record.strengthen.kind = Strengthen::Kind::exponential;
    record.strengthen.scale = Vector::Constant(1, 1 / gamma);
  }
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context&) {
  initialise(state, score_of(arguments.word("name")), arguments.word("to"), kept);
  strengthen(state.similarity, arguments);
}

static void place(State& state, const Arguments& arguments, const Kept& kept, const Context&) {
  initialise_new(state, score_of(arguments.word("name")), arguments.word("to"), kept);
  strengthen(state.similarity, arguments);
}

static void outline(Outline& outline, const Arguments& arguments) {
  outline_scores(outline, Outline::Scores::others, arguments.word("to"));
  if (arguments.word("name") != "linear") outline.plain = Fact::no;
}

static Wants wants(const Arguments& arguments) { return wants_by(arguments.word("to")); }

static std::string_view why_dense(Form form, const BoundStage& bound) {
  if (form == Form::sparse) return bound.takes == types::graph ? "" : "all pairs are computed from dense points";
  return "give the points, or write distance(2) | exp(bandwidth) for rbf";
}

const Stage kernel_stage{"kernel", Kind::initialise, types::coordinates | types::graph, types::similarity, parameters,
                         "a Mercer kernel of two points", "10.1145/1961189.1961199", run, place, nullptr, outline, why_dense, wants};

}  // namespace calor::similarity

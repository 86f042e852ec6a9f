// kernel(name): a Mercer kernel of two points, with the parameters that scikit-learn and libsvm give it.
//   rbf        exp(-gamma |x - y|^2)           laplacian  exp(-gamma sum_c |x_c - y_c|)
//   linear     x.y                             poly       (gamma x.y + offset)^degree
//   sigmoid    tanh(gamma x.y + offset), which is positive semidefinite for some gamma and offset only
// A record over all pairs or on a graph; nothing is computed here.
#include <cmath>

#include "calor/core/error.h"
#include "calor/pipeline/outline.h"
#include "calor/similarity/initialise.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"name", Parameter::Takes::word, "rbf", 0, 0, "rbf|laplacian|linear|poly|sigmoid", "which kernel"},
    {"gamma", Parameter::Takes::number_or_word, "auto", 1e-300, 1e300, "auto|scale",
     "scale of the kernel; auto: 1 / number of features (libsvm); scale: 1 / (number of features x variance of all training numbers) (scikit-learn)"},
    {"degree", Parameter::Takes::integer, "3", 1, 100, "", "poly: the degree"},
    {"offset", Parameter::Takes::number, "1", -1e300, 1e300, "", "poly, sigmoid: the constant added to gamma x.y (coef0); at least 0 keeps poly positive definite"},
    {"to", Parameter::Takes::word, "points", 0, 0, to_words, "what the columns are"}};

static Score score_of(const std::string& name) {
  if (name == "rbf") return {Score::Kind::power_distance, 2, Metric::euclidean};
  if (name == "laplacian") return {Score::Kind::power_distance, 1, Metric::manhattan};
  return {Score::Kind::dot, 2, Metric::euclidean};
}

// 1 / (features x variance) over all numbers of the training rows; 1 / features where they do not vary.
static double scale_of(const Data& data, std::int64_t features) {
  double sum = 0, squares = 0, rows = 0;
  for (std::int64_t i = 0; i < data.rows(); ++i) {
    if (!data.training(i)) continue;
    ++rows;
    if (data.sparse) {
      for (std::int64_t e = data.sparse->begin[i]; e < data.sparse->begin[i + 1]; ++e) {
        sum += data.sparse->value[e];
        squares += data.sparse->value[e] * data.sparse->value[e];
      }
    } else {
      sum += data.features->row(i).sum();
      squares += data.features->row(i).squaredNorm();
    }
  }
  const double numbers = std::max(1.0, rows * static_cast<double>(features)), variance = squares / numbers - std::pow(sum / numbers, 2);
  return 1 / (static_cast<double>(features) * (variance > 0 ? variance : 1));
}

static double gamma_of(const State& state, const Arguments& arguments) {
  if (arguments.is_number("gamma")) return arguments.number("gamma");
  const Similarity& record = state.similarity;
  const std::int64_t features = record.column_sparse ? record.column_sparse->columns : record.column_points->cols();
  return arguments.word("gamma") == "scale" ? scale_of(*state.data, features) : 1 / static_cast<double>(features);
}

static void strengthen(Similarity& record, const Arguments& arguments, double gamma) {
  const std::string& name = arguments.word("name");
  if (name == "poly" || name == "sigmoid") {
    record.strengthen.kind = name == "poly" ? Strengthen::Kind::power : Strengthen::Kind::sigmoid;
    record.strengthen.gain = gamma;
    record.strengthen.offset = arguments.number("offset");
    record.strengthen.exponent = name == "poly" ? arguments.number("degree") : 1;
  } else if (name != "linear") {
    record.strengthen.kind = Strengthen::Kind::exponential;
    record.strengthen.scale = Vector::Constant(1, 1 / gamma);
  }
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context&) {
  initialise(state, score_of(arguments.word("name")), arguments.word("to"), kept);
  const double gamma = kept.once("gamma", [&] { return gamma_of(state, arguments); });
  if (arguments.word("name") != "linear") state.figures["gamma"] = gamma;
  strengthen(state.similarity, arguments, gamma);
}

static void place(State& state, const Arguments& arguments, const Kept& kept, const Context&) {
  initialise_new(state, score_of(arguments.word("name")), arguments.word("to"), kept);
  strengthen(state.similarity, arguments, kept.has("gamma") ? kept.number("gamma") : gamma_of(state, arguments));
}

static void outline(Outline& outline, const Arguments& arguments) {
  outline_scores(outline, Outline::Scores::others, arguments.word("to"));
  if (arguments.word("name") != "linear") outline.plain = Fact::no;
}

static Wants wants(const Arguments& arguments) { return wants_by(arguments.word("to")); }

static std::string_view why_dense(Form form, const BoundStage& bound) {
  if (form == Form::sparse) return bound.takes == types::graph || bound.arguments.word("to") == "points" ? "" : "its columns are taken from dense points";
  return "give the points, or write distance(2) | exp(bandwidth) for rbf";
}

const Stage kernel_stage{"kernel", Kind::initialise, types::coordinates | types::graph, types::similarity, parameters,
                         "a Mercer kernel of two points", "10.1145/1961189.1961199", run, place, nullptr, outline, why_dense, wants};

}  // namespace calor::similarity

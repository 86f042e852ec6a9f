#include "calor/model/stages.h"

#include "calor/core/error.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"
#include "calor/similarity/stages.h"

namespace calor::model {
namespace {

using namespace pipeline;

constexpr double unlimited = std::numeric_limits<double>::infinity();

// A stage of a network is run by the network.
void run(State&, const Arguments&, Kept&, const Context&) {
  fail(Fault::usage, "[network] expected stages that run as they are, found one whose weights are learned: give the pipeline to `calor compare DATA --pipeline \"...\"`");
}

constexpr std::string_view heads_meaning = "maps side by side, each with its own weights and, after score(..), its own similarity";

constexpr Parameter linear_parameters[] = {
    {"width", Parameter::Takes::integer_or_word, "", 1, 16777216, "classes", "numbers of a head that come out; classes: as many as there are classes"},
    {"heads", Parameter::Takes::integer, "1", 1, 1024, {}, heads_meaning}};
constexpr Parameter dropout_parameters[] = {
    {"p", Parameter::Takes::number, "0.5", 0, 0.999, {}, "share that is set to 0 in a training step, the rest times 1 / (1 - p); of features, or of a similarity's values"}};
constexpr Parameter slope_parameters[] = {{"slope", Parameter::Takes::number, "0.2", 0, 1, {}, "of numbers below 0"}};
constexpr Parameter heads_parameters[] = {{"how", Parameter::Takes::word, "mean", 0, 0, "mean|sum", "what becomes of the heads' numbers"}};
constexpr Parameter residual_parameters[] = {
    {"body", Parameter::Takes::pipeline, "", -unlimited, unlimited, {}, "what is added to what goes in"},
    {"skip", Parameter::Takes::word, "same", 0, 0, "same|linear", "linear: to a learned map of what goes in, of the body's width"}};
constexpr Parameter beside_parameters[] = {{"body", Parameter::Takes::pipeline, "", -unlimited, unlimited, {}, "whose output is concatenated with the input"}};
constexpr Parameter layers_parameters[] = {
    {"n", Parameter::Takes::integer, "", 1, 1000, {}, "how many"},
    {"body", Parameter::Takes::pipeline, "", -unlimited, unlimited, {}, "one of them; each has weights of its own"}};
constexpr Parameter score_parameters[] = {
    {"kind", Parameter::Takes::word, "", 0, 0, "additive|joined|dot|transformer|l2|metric|uniform",
     "additive: LeakyReLU(a.x + b.y), GAT's; joined: a.LeakyReLU(R h + y), GATv2's, h what the last map was given; dot: Qx.Ky / sqrt(width); transformer: (Q h + q).K h / sqrt(width), TransformerConv's; l2: -|Wx - Wy|^2; metric: "
     "-|phi(x) - phi(y)|^2, phi a network; uniform: 0. After adjacency, on the edges; after features, of all pairs"},
    {"edge_features", Parameter::Takes::word, "no", 0, 0, "no|keys|both",
     "keys: a learned map of them is added to the neighbour that is compared; both: and to what flows from it; a loop has the mean of its node's"}};
constexpr Parameter exp_parameters[] = {
    {"bandwidth", Parameter::Takes::number_or_word, "1", 1e-30, 1e30, "learned|auto",
     "exp(score / bandwidth); learned: one per head, starting at 1 (on a table, at the spread of the initial scores); auto, tables only: that spread, kept fixed"}};
constexpr Parameter apply_parameters[] = {{"steps", Parameter::Takes::integer, "1", 1, 1000, {}, "how often"}};
constexpr Parameter restart_parameters[] = {
    {"alpha", Parameter::Takes::number, "0.1", 0, 1, {}, "share that comes from the start in every step"},
    {"steps", Parameter::Takes::integer, "10", 1, 1000, {}, "how many"}};

constexpr Parameter laplacian_parameters[] = {
    {"modes", Parameter::Takes::integer, "128", 2, 10000, {}, "number of eigenvectors of smallest eigenvalue that spectral heat is computed with"},
    {"weights", Parameter::Takes::word, "robust", 0, 0, "robust|cotangent", propagate::laplacian_weights}};
constexpr Parameter heat_parameters[] = {
    {"form", Parameter::Takes::word, "spectral", 0, 0, "spectral|implicit",
     "spectral: along the laplacian's eigenvectors; implicit: (1 + t L)^-1 H, one step by a factorisation for each feature, without eigenvectors"}};

void scored(Outline& outline, const Arguments&) {
  outline.plain = Fact::yes;
  outline.scores = Outline::Scores::learned;
}

Wants a_mesh(const Arguments&) { return Wants::mesh; }

constexpr Stage stage(std::string_view name, Kind kind, Types takes, Types gives, std::span<const Parameter> parameters, std::string_view meaning, std::string_view citation,
                      void (*outline)(Outline&, const Arguments&) = nullptr, Wants (*wants)(const Arguments&) = nullptr) {
  Stage result;
  result.name = name, result.kind = kind, result.takes = takes, result.gives = gives, result.parameters = parameters, result.meaning = meaning, result.citation = citation;
  result.run = run;
  result.outline = outline;
  result.wants = wants;
  return result;
}

const Stage linear = stage("linear", Kind::flow, types::points, types::points, linear_parameters, "W x, without a constant (bias)", "");
const Stage bias = stage("bias", Kind::flow, types::points, types::points, {}, "x + b", "");
const Stage relu = stage("relu", Kind::flow, types::points, types::points, {}, "x above 0, else 0", "");
const Stage leaky = stage("leaky_relu", Kind::flow, types::points, types::points, slope_parameters, "x above 0, else slope x", "");
const Stage elu = stage("elu", Kind::flow, types::points, types::points, {}, "x above 0, else exp(x) - 1", "arXiv:1511.07289");
const Stage tangent = stage("tanh", Kind::flow, types::points, types::points, {}, "tanh(x)", "");
const Stage norm = stage("norm", Kind::flow, types::points, types::points, {}, "each row to mean 0 and variance 1, then times and plus learned numbers", "arXiv:1607.06450");
const Stage dropout = stage("dropout", Kind::flow, types::points | types::any_similarity, types::same, dropout_parameters, "leaves out some numbers while training", "10.5555/2627435.2670313");
const Stage heads = stage("heads", Kind::flow, types::points, types::points, heads_parameters, "joins heads; without it they stay side by side", "");
const Stage residual = stage("residual", Kind::flow, types::points, types::points, residual_parameters, "x + body(x)", "10.1109/CVPR.2016.90");
const Stage beside = stage("beside", Kind::flow, types::points, types::points, beside_parameters, "x and body(x), concatenated", "");
const Stage layers = stage("layers", Kind::flow, types::points, types::points, layers_parameters, "body, n times one after the other", "");
const Stage score = stage("score", Kind::initialise, types::points | types::any_similarity, types::similarity, score_parameters, "a learned score of all pairs, or on the edges that the similarity has, for exp", "10.48550/arXiv.1710.10903", scored);
const Stage exponential = stage("exp", Kind::strengthen, types::similarity, types::similarity, exp_parameters, "exp(score / bandwidth)", "");
const Stage apply = stage("apply", Kind::flow, types::any_similarity, types::points, apply_parameters, "S H: every row becomes the weighted sum of its neighbours, or of all rows", "");
const Stage laplacian = stage("laplacian", Kind::initialise, types::points, types::similarity, laplacian_parameters, "of a surface: its Laplacian, and the smoothest eigenvectors of it, for heat", "10.1111/cgf.14069", nullptr, a_mesh);
const Stage heat = stage("heat", Kind::flow, types::similarity, types::points, heat_parameters, "exp(-t L) H: heat diffusion with a learned time t for each feature", "arXiv:2012.00888");
const Stage gradients = stage("gradients", Kind::flow, types::points, types::points, {},
                              "of a surface: tanh of the inner product of each feature's gradient with a learned rotation and combination of all gradients", "arXiv:2012.00888", nullptr, a_mesh);
const Stage faces = stage("faces", Kind::flow, types::points, types::points, {}, "of a surface whose triangles have labels: per-triangle features, the mean over the three corners", "", nullptr, a_mesh);
const Stage rotate = stage("rotate", Kind::flow, types::points, types::points, {}, "of a surface: a random rotation in each training step", "", nullptr, a_mesh);
const Stage restart = stage("restart", Kind::flow, types::any_similarity, types::points, restart_parameters, "H <- (1 - alpha) S H + alpha H0, steps times", "arXiv:1810.05997");

}  // namespace

const StageList& network_stages() {
  static const StageList stages{&similarity::adjacency_stage, &similarity::self_loops_stage, &linear, &bias, &relu, &leaky, &elu, &tangent, &norm, &dropout, &heads, &residual, &layers, &score,
                                &exponential, &similarity::row_stage, &similarity::column_stage, &similarity::two_side_stage, &similarity::sinkhorn_stage, &apply, &restart, &beside, &propagate::heat_signature_stage, &laplacian, &heat, &gradients, &faces,
                                &rotate};
  return stages;
}

}  // namespace calor::model

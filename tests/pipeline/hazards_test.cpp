// Every recipe on every kind of awkward data (hazards.h): a refusal, or the answer.  The answer is a closed form, a plain composition
// written here, or the result on data without the hazard: a scale, a column that is the same everywhere and what a recipe does not ask for
// change nothing.  Tolerances: 1e-9 of the largest value for what is computed once, eigenvectors to their solver's residual, and SMACOF
// and SNE, which settle where their loss falls by less than 1e-7 of itself, to the root of that.
#include "hazards.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "calor/core/error.h"

namespace calor::pipeline {
namespace {

using recipes::Recipe;

Fit fit_of(const Recipe& recipe, const Hazard& hazard, std::shared_ptr<const Data> data) {
  Context context;
  context.threads = 1;
  return pipeline::fit(bind_stages(recipes::resolve(recipe.name, settings_for(recipe, hazard.settings)), recipes::all_stages()), std::move(data), 0, context);
}

// A row for each point, whatever the result is.
Matrix values_of(const State& state) {
  if (state.type == types::labels) return Eigen::Map<const Eigen::Matrix<std::int64_t, Eigen::Dynamic, 1>>(state.labels.data(), static_cast<Eigen::Index>(state.labels.size())).cast<double>();
  if (state.type == types::prediction) return state.scores;
  return state.field ? *state.field : *state.points;
}

double tolerance_of(const Recipe& recipe) { return recipe.name == "mds-metric" || recipe.name == "sne" ? 1e-3 : 1e-7; }

// Columns of an embedding up to their signs.
void expect_values(const Recipe& recipe, const State& state, const Matrix& expected) {
  Matrix found = values_of(state);
  ASSERT_EQ(found.rows(), expected.rows());
  ASSERT_EQ(found.cols(), expected.cols());
  if (state.type == types::embedding)
    for (Eigen::Index c = 0; c < found.cols(); ++c)
      if (found.col(c).dot(expected.col(c)) < 0) found.col(c) *= -1;
  EXPECT_LE((found - expected).cwiseAbs().maxCoeff(), tolerance_of(recipe) * expected.cwiseAbs().maxCoeff()) << found << "\nexpected\n" << expected;
}

bool in(const std::set<std::string_view>& names, const Recipe& recipe) { return names.count(recipe.name) > 0; }

const std::set<std::string_view> maps_by_distance{"mds", "mds-metric", "isomap"};

Matrix distances_of(const Matrix& points) {
  Matrix distances(points.rows(), points.rows());
  for (Eigen::Index i = 0; i < points.rows(); ++i)
    for (Eigen::Index j = 0; j < points.rows(); ++j) distances(i, j) = (points.row(i) - points.row(j)).norm();
  return distances;
}

using Answer = void (*)(const Recipe&, const Hazard&, const State&);

// As many points as dimensions and one more lie in the map as they are.
void expect_isometry(const Recipe& recipe, const Hazard& hazard, const State& state) {
  const Matrix expected = distances_of(*hazard.data->features);
  if (in(maps_by_distance, recipe)) {
    EXPECT_LE((distances_of(*state.points) - expected).cwiseAbs().maxCoeff(), tolerance_of(recipe) * expected.maxCoeff());
  }
}

// The other row's label or value: a row is not its own neighbour.
void expect_the_others(const Recipe& recipe, const Data& data, const State& state) {
  const auto n = data.rows();
  for (Eigen::Index i = 0; recipe.name == "knn-regressor" && i < n; ++i)
    EXPECT_NEAR(state.scores(i, 0), (data.targets.sum() - data.targets[i]) / static_cast<double>(n - 1), 1e-12);
  if (recipe.name != "knn-classifier") return;
  Vector count = Vector::Zero(2);
  for (const std::int64_t label : data.labels) ++count[label];
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index c = 0; c < 2; ++c) {
      const double others = count[c] - (data.labels[static_cast<std::size_t>(i)] == c ? 1 : 0);
      EXPECT_NEAR(state.scores(i, c), others / static_cast<double>(n - 1), 1e-12);
    }
}

void one_point(const Recipe& recipe, const Hazard& hazard, const State& state) {
  if (recipe.name == "mds-metric") {
    EXPECT_EQ(*state.points, Matrix::Zero(1, 2));
  }
  if (recipe.name == "hopfield") {
    EXPECT_LE((*state.points - *hazard.data->features).norm(), 1e-15);
  }
  if (recipe.name == "pagerank") {
    EXPECT_NEAR((*state.field)(0, 0), 1, 1e-12);
  }
  if (recipe.name == "mcl") {
    EXPECT_EQ(state.labels, (std::vector<std::int64_t>{0}));
  }
}

// A kernel value a between two points: P = [1 a; a 1] / (1 + a), whose other eigenvector is (1, -1), with eigenvalue (1 - a) / (1 + a).
void two_points(const Recipe& recipe, const Hazard& hazard, const State& state) {
  expect_isometry(recipe, hazard, state);
  expect_the_others(recipe, *hazard.data, state);
  const Matrix& x = *hazard.data->features;
  const double d = (x.row(0) - x.row(1)).norm();
  if (recipe.name == "mds" || recipe.name == "isomap") {
    Matrix expected = Matrix::Zero(2, 2);
    expected.col(0) << d / 2, -d / 2;
    expect_values(recipe, state, expected);
  } else if (recipe.name == "diffusion-map") {
    const double a = std::exp(-d * d / state.figures.at("bandwidth")), eigenvalue = (1 - a) / (1 + a);
    Matrix expected = Matrix::Zero(2, state.points->cols());
    expected.col(0) << eigenvalue, -eigenvalue;
    expect_values(recipe, state, expected);
  } else if (recipe.name == "laplacian-eigenmaps" || recipe.name == "lle") {  // v'Dv = 1 with degrees a; v'v = 1
    const double degree = recipe.name == "lle" ? 1 : std::exp(-d * d / state.figures.at("bandwidth"));
    Matrix expected = Matrix::Zero(2, state.points->cols());
    expected.col(0) << 1 / std::sqrt(2 * degree), -1 / std::sqrt(2 * degree);
    expect_values(recipe, state, expected);
  } else if (recipe.name == "k-means" || recipe.name == "fuzzy-c-means" || recipe.name == "spectral-clustering") {
    EXPECT_NE(state.labels[0], state.labels[1]);
  } else if (recipe.name == "nadaraya-watson") {
    const double a = std::exp(-d * d / state.figures.at("bandwidth"));
    const Vector& value = hazard.data->targets;
    for (int i = 0; i < 2; ++i) EXPECT_NEAR(state.scores(i, 0), (value[i] + a * value[1 - i]) / (1 + a), 1e-12);
  }
}

void three_points(const Recipe& recipe, const Hazard& hazard, const State& state) {
  expect_isometry(recipe, hazard, state);
  expect_the_others(recipe, *hazard.data, state);
  if (recipe.name == "umap") {  // all are neighbours: about as far apart as a pull lets them come
    const Matrix d = distances_of(*state.points);
    for (const double between : {d(0, 1), d(0, 2), d(1, 2)}) EXPECT_TRUE(between > 0.1 && between < 10) << d;
  }
  if (recipe.name == "k-means") {  // two of them are together, those nearest to each other
    const Matrix d = distances_of(*hazard.data->features);
    for (const auto [i, j, other] : {std::array{0, 1, 2}, {0, 2, 1}, {1, 2, 0}})
      if (d(i, j) < std::min(d(i, other), d(j, other))) {
        EXPECT_EQ(state.labels[i], state.labels[j]);
        EXPECT_NE(state.labels[i], state.labels[other]);
      }
  }
}

void all_neighbours(const Recipe& recipe, const Hazard& hazard, const State& state) { expect_the_others(recipe, *hazard.data, state); }

// The last twenty points are the first twenty again, with the same labels.  On a neighbour graph one of two copies may be among
// a third point's nearest and the other not, so that their edges differ.
void copies(const Recipe& recipe, const Hazard&, const State& state) {
  if (in({"lle", "laplacian-eigenmaps", "label-spreading", "spectral-clustering", "pagerank", "mcl"}, recipe)) return;
  const Matrix found = values_of(state);
  if (recipe.name == "umap") {  // each is pulled on its own, to within min_dist: nearer to each other than points are in the mean
    EXPECT_LE((found.topRows(20) - found.bottomRows(20)).rowwise().norm().mean(), 0.25 * distances_of(found).mean());
    return;
  }
  EXPECT_LE((found.topRows(20) - found.bottomRows(20)).cwiseAbs().maxCoeff(), tolerance_of(recipe) * found.cwiseAbs().maxCoeff());
}

void one_place(const Recipe& recipe, const Hazard& hazard, const State& state) {
  if (in(maps_by_distance, recipe)) {
    EXPECT_EQ(*state.points, Matrix::Zero(40, 2));
  }
  if (recipe.name == "hopfield") {
    EXPECT_LE((*state.points - *hazard.data->features).cwiseAbs().maxCoeff(), 1e-14);
  }
  if (recipe.name == "k-means" || recipe.name == "fuzzy-c-means") {
    EXPECT_EQ(std::set<std::int64_t>(state.labels.begin(), state.labels.end()).size(), 1U);
  }
  if (recipe.name == "fuzzy-c-means") {
    EXPECT_EQ(state.scores, Matrix::Ones(40, 1));
  }
  for (Eigen::Index i = 0; recipe.name.starts_with("knn-") && i < 40; ++i) {  // all are as near: the five of the lowest numbers
    double ones = 0;
    for (Eigen::Index j = 0, taken = 0; taken < 5; ++j)
      if (j != i) ones += hazard.data->targets[j], ++taken;
    EXPECT_NEAR(state.scores(i, state.scores.cols() - 1), ones / 5, 1e-12) << i;
  }
}

// A column that is the same everywhere adds nothing to distances, and the same to every dot product with a row.
void constant_column(const Recipe& recipe, const Hazard& hazard, const State& state) {
  auto without = std::make_shared<Data>(*hazard.data);
  Matrix others(60, 2);
  others << hazard.data->features->col(0), hazard.data->features->col(2);
  without->features = std::make_shared<const Matrix>(others);
  const Matrix expected = values_of(fit_of(recipe, hazard, without).result);
  if (recipe.name != "hopfield") return expect_values(recipe, state, expected);
  Matrix with(60, 3);
  with << expected.col(0), Vector::Constant(60, 5), expected.col(1);
  expect_values(recipe, state, with);
}

// No kernel reaches from one blob to the other.
void far_blobs_apart(const Recipe& recipe, const Hazard& hazard, const State& state) {
  if (state.type == types::labels) {
    const std::set<std::int64_t> left(state.labels.begin(), state.labels.begin() + 40), right(state.labels.begin() + 40, state.labels.end());
    for (const std::int64_t label : left) EXPECT_EQ(right.count(label), 0U) << label;
  }
  if (recipe.name == "mds" || recipe.name == "mds-metric") expect_isometry(recipe, hazard, state);
}

// Labels of one class are predicted; where nothing asks for labels, the result is that of two classes.
void one_class_only(const Recipe& recipe, const Hazard& hazard, const State& state) {
  if (state.class_scores) {
    EXPECT_EQ(state.scores, Matrix::Ones(60, 1));
  } else if (state.type == types::prediction) {
    EXPECT_EQ(state.scores, Matrix::Zero(60, 1));
  } else {
    EXPECT_EQ(values_of(state), values_of(fit_of(recipe, hazard, dressed(*hazard.data->features)).result));
  }
}

// Every kernel value but a point's own is 0: what moves along the kernel stays where it is.
void no_reach(const Recipe& recipe, const Hazard& hazard, const State& state) {
  if (recipe.name == "mean-shift") {
    EXPECT_EQ(*state.points, *hazard.data->features);
    EXPECT_EQ(std::set<std::int64_t>(state.labels.begin(), state.labels.end()).size(), 60U);
  }
  for (Eigen::Index i = 0; recipe.name == "label-spreading" && i < 60; ++i) EXPECT_EQ(state.scores(i, i % 2), 1) << i;
  if (recipe.name == "nadaraya-watson" || recipe.name == "propagator-regressor") {
    EXPECT_EQ(state.scores.col(0), hazard.data->targets) << "with a bandwidth that is given a row counts itself";
  }
  for (Eigen::Index i = 0; recipe.name == "propagator" && i < 60; ++i) EXPECT_EQ(state.scores(i, i % 2), 1) << i;
  if (recipe.name == "diffusion-map" || recipe.name == "laplacian-eigenmaps") {
    EXPECT_LE((state.spectrum.array() - 1).abs().maxCoeff(), 1e-12) << "each point a component of its own";
  }
}

// The same points in another unit: a map of distances grows with it, everything else is as before (a power of two: the histogram from
// which exp(auto) finds its bandwidth has bins at fixed places in an octave).  hopfield has a temperature, which
// has a unit: patterns so long are all recalled as the longest in their direction, ones so short as the mean of all.
void scaled(const Recipe& recipe, const Hazard& hazard, const State& state) {
  const double scale = hazard.data->features->cwiseAbs().maxCoeff() > 1 ? huge : 1 / huge;
  const Matrix unit = *hazard.data->features / scale;
  Matrix expected;
  if (recipe.name == "hopfield" && scale < 1) {
    expected = hazard.data->features->colwise().mean().replicate(60, 1);
  } else if (recipe.name == "hopfield") {
    expected = *hazard.data->features;
    for (Eigen::Index i = 0; i < 60; ++i) {
      Eigen::Index at = i, next = -1;
      for ((unit * unit.row(at).transpose()).maxCoeff(&next); next != at; (unit * unit.row(at).transpose()).maxCoeff(&next)) at = next;
      expected.row(i) = hazard.data->features->row(at);
    }
  } else {
    expected = values_of(fit_of(recipe, hazard, dressed(unit)).result);
    if (in(maps_by_distance, recipe)) expected *= scale;
  }
  expect_values(recipe, state, expected);
}

// Markov clustering of all pairs, nothing pruned: nodes without edges are clusters of their own, and an edge of weight 0 joins nothing.
void flow_of_weights(const Hazard& hazard, const State& state) {
  Matrix flow = Matrix::Zero(60, 60);
  const Csr& graph = *hazard.data->graph;
  for (std::int64_t i = 0; i < 60; ++i)
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) flow(i, graph.column[e]) = flow(graph.column[e], i) = graph.values[e];
  for (Eigen::Index i = 0; i < 60; ++i) flow(i, i) = flow.row(i).maxCoeff() > 0 ? flow.row(i).maxCoeff() : 1;
  for (int step = 0; step < 60; ++step) {
    for (Eigen::Index i = 0; i < 60; ++i) flow.row(i) /= flow.row(i).sum();
    flow = (flow * flow).eval().array().square();
  }
  std::vector<Eigen::Index> end(60);
  for (Eigen::Index i = 0; i < 60; ++i) flow.row(i).maxCoeff(&end[static_cast<std::size_t>(i)]);
  for (std::size_t i = 0; i < 60; ++i)
    for (std::size_t j = 0; j < 60; ++j) EXPECT_EQ(state.labels[i] == state.labels[j], end[i] == end[j]) << i << " and " << j;
}

// Only pagerank and mcl read the graph: pagerank by the power method on the whole matrix, where a node without edges goes anywhere.
void other_weights(const Recipe& recipe, const Hazard& hazard, const State& state) {
  if (recipe.name == "mcl") return flow_of_weights(hazard, state);
  if (recipe.name != "pagerank") return expect_values(recipe, state, values_of(fit_of(recipe, hazard, dressed(*hazard.data->features)).result));
  Matrix walk = Matrix::Zero(60, 60);
  const Csr& graph = *hazard.data->graph;
  for (std::int64_t i = 0; i < 60; ++i)
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) walk(i, graph.column[e]) = graph.values.empty() ? 1 : graph.values[e];
  for (Eigen::Index i = 0; i < 60; ++i) {
    const double sum = walk.row(i).sum();
    if (sum > 0) walk.row(i) /= sum;
    else walk.row(i).setConstant(1.0 / 60);
  }
  Eigen::RowVectorXd rank = Eigen::RowVectorXd::Constant(60, 1.0 / 60);
  for (int step = 0; step < 300; ++step) rank = 0.85 * rank * walk + Eigen::RowVectorXd::Constant(60, 0.15 / 60);
  expect_values(recipe, state, rank.transpose());
}

const std::map<std::string, Answer> answers{{"OnePoint", one_point},
                                            {"TwoPoints", two_points},
                                            {"ThreePoints", three_points},
                                            {"TwoPointsWithSmallK", two_points},
                                            {"ThreePointsWithSmallK", three_points},
                                            {"AsManyNeighboursAsPoints", all_neighbours},
                                            {"DuplicatePoints", copies},
                                            {"AllPointsAtOnePlace", one_place},
                                            {"AConstantColumn", constant_column},
                                            {"TwoFarBlobs", far_blobs_apart},
                                            {"OneClass", one_class_only},
                                            {"ABandwidthThatUnderflowsEveryRow", no_reach},
                                            {"HugeValues", scaled},
                                            {"TinyValues", scaled},
                                            {"TwoWideRows", two_points},
                                            {"AZeroWeightAndIsolatedNodes", other_weights},
                                            {"ANegativeWeight", other_weights}};

void expect_result(const Recipe& recipe, const Hazard& hazard) {
  const State state = fit_of(recipe, hazard, hazard.data).result;
  const Matrix values = values_of(state);
  ASSERT_EQ(values.rows(), hazard.data->rows());
  EXPECT_TRUE(values.allFinite());
  if (state.type == types::labels) {
    EXPECT_GE(values.minCoeff(), 0);
  }
  answers.at(hazard.name)(recipe, hazard, state);
}

void expect_refusal(const Recipe& recipe, const Hazard& hazard, const std::string& text) {
  try {
    fit_of(recipe, hazard, hazard.data);
    ADD_FAILURE() << "expected a refusal: " << text;
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
    EXPECT_NE(error.fault(), Fault::internal) << error.what();
  }
}

class Hazards : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

TEST_P(Hazards, TheAnswerOrAClearError) {
  const Recipe& recipe = recipes::all_recipes()[std::get<0>(GetParam())];
  const Hazard& hazard = hazards()[std::get<1>(GetParam())];
  const auto refusal = hazard.refusals.find(std::string(recipe.name));
  if (refusal != hazard.refusals.end()) expect_refusal(recipe, hazard, refusal->second);
  else expect_result(recipe, hazard);
}

std::string name_of(const ::testing::TestParamInfo<std::tuple<std::size_t, std::size_t>>& info) {
  std::string name = hazards()[std::get<1>(info.param)].name + "_" + std::string(recipes::all_recipes()[std::get<0>(info.param)].name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(AllRecipes, Hazards,
                         ::testing::Combine(::testing::Range<std::size_t>(0, recipes::all_recipes().size()),
                                            ::testing::Range<std::size_t>(0, hazards().size())),
                         name_of);

// Scores of 1e16 beside a bandwidth of 1: their logarithms have no digit left for the sum of a row, but weights still add up to 1.
TEST(Hazards, MeansStayBetweenThePointsWhateverTheScores) {
  for (const double offset : {1e4, 1e6, 1e8, 1e9}) {
    Matrix points(3, 2);
    points << offset, 0, offset, 1, offset, 0.5;
    for (const char* text : {"dot | exp(1) | row | apply", "knn(2) | dot | exp(1) | row | apply", "dot | exp(1) | column | row | apply"}) {
      const Matrix moved = *run_text(text, points).result.points;
      EXPECT_LE((moved.col(0).array() - offset).abs().maxCoeff(), 1e-12 * offset) << text << " at " << offset;
      EXPECT_GE(moved.col(1).minCoeff(), 0) << text;
      EXPECT_LE(moved.col(1).maxCoeff(), 1) << text;
    }
  }
}

}  // namespace
}  // namespace calor::pipeline

// The functions of calor.h against the pipelines that they are.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "calor/calor.h"
#include "calor/core/error.h"
#include "calor/recipes/recipes.h"

namespace calor {
namespace {

Points wine() {
  static const Points points = read_points("wine");
  return points;
}

Points measured() {
  Vector values(wine().rows());
  for (Eigen::Index i = 0; i < values.size(); ++i) values[i] = wine().coordinates()(i, 0);
  return wine().with_values(values);
}

Points tetrahedron() {
  io::Mesh surface;
  surface.points = {1, 1, 1, 1, -1, -1, -1, 1, -1, -1, -1, 1.5};
  surface.triangles = {0, 1, 2, 0, 3, 1, 0, 2, 3, 1, 3, 2};
  return corners_of(surface);
}

Points ring() {
  Csr edges;
  edges.rows = edges.columns = 6;
  for (std::int32_t i = 0; i < 6; ++i) {
    for (const std::int32_t j : std::set<std::int32_t>{(i + 1) % 6, (i + 5) % 6}) edges.column.push_back(j);
    edges.begin.push_back(edges.edges());
  }
  return nodes_of(edges);
}

// All numbers of a value, whatever it is.
std::vector<double> numbers(const Value& value) {
  std::vector<double> result;
  const auto add = [&](const auto& values) { result.insert(result.end(), values.data(), values.data() + values.size()); };
  if (const auto* graph = std::get_if<Graph>(&value)) {
    add(graph->edges().begin);
    add(graph->edges().column);
  } else if (const auto* similarity = std::get_if<Similarity>(&value)) {
    add(similarity->values());
  } else if (const auto* labels = std::get_if<Labels>(&value)) {
    add(labels->numbers());
  } else if (const auto* prediction = std::get_if<Prediction>(&value)) {
    add(prediction->scores());
  } else {
    std::visit([&](const auto& points) { add(*points.state().points); }, value);
  }
  return result;
}

struct Case {
  const char* text;
  std::function<Points()> points;
  std::function<Value(const Points&)> typed;
};

const Case cases[] = {
    {"standardise", wine, [](const Points& p) { return standardise(p); }},
    {"knn(5)", wine, [](const Points& p) { return knn(p, 5); }},
    {"knn(5, metric=cosine)", wine, [](const Points& p) { return knn(p, 5, {{"metric", "cosine"}}); }},
    {"radius(20.5)", wine, [](const Points& p) { return radius(p, 20.5); }},
    {"knn(6) | mutual | indicator", wine, [](const Points& p) { return indicator(mutual(knn(p, 6))); }},
    {"adjacency | self_loops | column", ring, [](const Points& p) { return column(self_loops(adjacency(p))); }},
    {"adjacency | self_loops | column | repeat(expand(2) | inflate(2) | column) | components", ring,
     [](const Points& p) { return components(repeat(column(self_loops(adjacency(p))), "expand(2) | inflate(2) | column")); }},
    {"adjacency | self_loops | column | expand(3) | inflate(1.5)", ring, [](const Points& p) { return inflate(expand(column(self_loops(adjacency(p))), {{"power", 3}}), 1.5); }},
    {"knn(3) | components", wine, [](const Points& p) { return components(knn(p, 3)); }},
    {"centres(3) | memberships(1.5)", wine, [](const Points& p) { return memberships(centres(p, 3), 1.5); }},
    {"centres(3) | assign", wine, [](const Points& p) { return assign(centres(p, 3)); }},
    {"distance(1)", wine, [](const Points& p) { return distance(p, 1); }},
    {"dot", wine, [](const Points& p) { return dot(p); }},
    {"cosine", wine, [](const Points& p) { return cosine(p); }},
    {"kernel(poly, degree=2)", wine, [](const Points& p) { return kernel(p, "poly", {{"degree", 2}}); }},
    {"knn(4) | dot | union", wine, [](const Points& p) { return union_(dot(knn(p, 4))); }},
    {"knn(4) | distance(2) | exp(auto) | union | supervise(0.9)", wine, [](const Points& p) { return supervise(union_(exp(distance(knn(p, 4), 2), "auto")), 0.9); }},
    {"knn(4) | cosine | mean", wine, [](const Points& p) { return mean(cosine(knn(p, 4))); }},
    {"knn(4) | kernel(rbf) | global", wine, [](const Points& p) { return global(kernel(knn(p, 4), "rbf")); }},
    {"knn(12) | local_weights | eigen(2, of=residual)", wine, [](const Points& p) { return eigen(local_weights(knn(p, 12)), 2, {{"of", "residual"}}); }},
    {"knn(8) | distance(1) | geodesic | double_center | eigen(2)", wine,
     [](const Points& p) { return eigen(double_center(geodesic(distance(knn(p, 8), 1))), 2); }},
    {"distance(1) | match(distance, stress, max_iterations=20)", wine,
     [](const Points& p) { return match(distance(p, 1), "distance", "stress", {{"max_iterations", 20}}); }},
    {"distance(2) | exp(auto) | two_side(0.5) | row | eigen(2, time=2) | cluster(3, starts=2)", wine,
     [](const Points& p) { return cluster(eigen(row(two_side(exp(distance(p, 2), "auto"), 0.5)), 2, {{"time", 2}}), 3, {{"starts", 2}}); }},
    {"distance(2) | exp(900) | sinkhorn", wine, [](const Points& p) { return sinkhorn(exp(distance(p, 2), 900)); }},
    {"distance(2) | exp(900) | best", wine, [](const Points& p) { return best(exp(distance(p, 2), 900)); }},
    {"distance(2) | exp(900) | row | apply", wine, [](const Points& p) { return apply(row(exp(distance(p, 2), 900))); }},
    {"distance(2) | exp(900) | row | heat(0.5)", wine, [](const Points& p) { return heat(row(exp(distance(p, 2), 900)), 0.5); }},
    {"heat_signature(4, modes=5)", tetrahedron, [](const Points& p) { return heat_signature(p, {{"times", 4}, {"modes", 5}}); }},
    {"distance(2) | exp(900) | row | implicit(0.5)", wine, [](const Points& p) { return implicit(row(exp(distance(p, 2), 900)), 0.5); }},
    {"repeat(distance(2) | exp(900) | row | apply, tolerance=0.01)", wine,
     [](const Points& p) { return repeat(p, "distance(2) | exp(900) | row | apply", {{"tolerance", 0.01}}); }},
    {"distance(2, to=train) | exp(900) | row | vote", wine, [](const Points& p) { return vote(row(exp(distance(p, 2, {{"to", "train"}}), 900))); }},
    {"knn(7) | distance(2) | exp(900) | row | restart(0.2) | vote", wine,
     [](const Points& p) { return vote(restart(row(exp(distance(knn(p, 7), 2), 900)), {{"a", 0.2}})); }},
    {"distance(2) | exp(900) | average", measured, [](const Points& p) { return average(exp(distance(p, 2), 900)); }},
};

TEST(StageFunctions, GiveTheBitsOfTheirText) {
  for (const Case& one : cases) {
    SCOPED_TRACE(one.text);
    const Points points = one.points();
    const std::vector<double> typed = numbers(one.typed(points)), text = numbers(Pipeline(one.text).fit(points).result());
    ASSERT_FALSE(typed.empty());
    ASSERT_EQ(typed.size(), text.size());
    std::size_t other = 0;
    for (std::size_t i = 0; i < typed.size(); ++i) other += !(typed[i] == text[i] || (std::isnan(typed[i]) && std::isnan(text[i])));
    EXPECT_EQ(other, 0u);
  }
}

// score is of learned attention, which has no data to run on here; what tune and weigh give is for their pipelines' text.
TEST(StageFunctions, CoverEveryStage) {
  std::string texts;
  for (const Case& one : cases) texts += std::string(one.text) + " ";
  for (const pipeline::Stage* stage : recipes::all_stages()) {
    if (stage->name == "score" || stage->name == "tune" || stage->name == "weigh") continue;
    EXPECT_NE(texts.find(stage->name), std::string::npos) << stage->name;
  }
}

TEST(StageFunctions, LeaveTheirArgumentAsItWas) {
  const Similarity scores = distance(wine(), 2);
  const Matrix before = scores.values();
  const Similarity narrow = exp(scores, 100), wide = row(exp(scores, 1000));
  EXPECT_EQ(scores.values(), before);
  EXPECT_LT((narrow.values() - (before / 100).array().exp().matrix()).cwiseAbs().maxCoeff(), 1e-14);
  EXPECT_NEAR(wide.values().row(5).sum(), 1, 1e-12);
}

TEST(StageFunctions, RefuseWithTheStagesOwnWords) {
  const auto message = [](const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  EXPECT_NE(message([] { knn(wine(), 0); }).find("[knn] expected"), std::string::npos) << message([] { knn(wine(), 0); });
  EXPECT_NE(message([] { exp(exp(distance(wine()), 1), 1); }).find("[exp] expected scores"), std::string::npos);
  EXPECT_NE(message([] { knn(wine(), 3, {{"metrik", "cosine"}}); }).find("metric"), std::string::npos);
  EXPECT_NE(message([] { vote(row(exp(distance(measured(), 2, {{"to", "train"}}), 900))); }).find("expected classes"), std::string::npos);
  EXPECT_NE(message([] { Points(Matrix::Constant(2, 2, std::nan(""))); }).find("row 1, column 1"), std::string::npos);
  EXPECT_NE(message([] { Points(Matrix(0, 3)); }).find("at least one point"), std::string::npos);
  EXPECT_NE(message([] { wine().with_classes({1, 2}, {"a", "b", "c"}); }).find("178 labels, found 2"), std::string::npos);
  EXPECT_NE(message([] { distance(wine()).on_edges(); }).find("use values()"), std::string::npos);
}

TEST(StageFunctions, SparsePointsAreReadOrMadeDense) {
  io::SparseMatrix sparse;
  sparse.rows = 4;
  sparse.columns = 3;
  sparse.begin = {0, 1, 2, 3, 4};
  sparse.column = {0, 1, 2, 0};
  sparse.value = {1, 1, 1, 2};
  const Points points(sparse);
  const Matrix far = distance(points, 2).values();  // over all pairs: dense
  EXPECT_EQ(far(0, 1), -2);
  EXPECT_EQ(far(0, 3), -1);
  EXPECT_EQ(knn(points, 1).edges().column, (std::vector<std::int32_t>{3, 0, 0, 0}));
}

// What the compiler refuses.
template <class From>
concept CanBeStrengthened = requires(const From& from) { exp(from, 1); };
template <class From>
concept HasNeighbours = requires(const From& from) { knn(from, 3); };
static_assert(CanBeStrengthened<Similarity> && !CanBeStrengthened<Points> && !CanBeStrengthened<Graph>);
static_assert(HasNeighbours<Points> && HasNeighbours<Embedding> && !HasNeighbours<Similarity> && !HasNeighbours<Labels>);

}  // namespace
}  // namespace calor

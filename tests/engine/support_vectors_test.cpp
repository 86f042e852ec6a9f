// Support vector machines against libsvm's own solver on the same numbers, to a tolerance a hundred times as fine as usual: the objective, the offset, the number of
// support vectors and the decisions agree about as closely as that; and against what the dual problem itself says.
#include <gtest/gtest.h>
#include <libsvm/svm.h>

#include <cmath>
#include <limits>
#include <memory>
#include <regex>

#include "calor/engine/points.h"
#include "calor/engine/solve/support_vectors.h"
#include "isa.h"
#include "support.h"

namespace calor::engine {
namespace {

constexpr double tolerance = 1e-5;  // of both: where rounding leads them another way, they stop that close to the same optimum
std::string said;                  // by libsvm

struct Peer {
  std::vector<svm_node> nodes;
  std::vector<svm_node*> rows;
  std::vector<double> labels;
  svm_problem problem{};
  std::unique_ptr<svm_model, void (*)(svm_model*)> model{nullptr, [](svm_model* one) { svm_free_and_destroy_model(&one); }};
  std::vector<double> objectives;

  static std::vector<svm_node> nodes_of(const Matrix& points, Eigen::Index i) {
    std::vector<svm_node> row;
    for (Eigen::Index c = 0; c < points.cols(); ++c)
      if (points(i, c) != 0) row.push_back({static_cast<int>(c + 1), points(i, c)});
    row.push_back({-1, 0});
    return row;
  }

  Peer(const Matrix& points, std::vector<double> given, const svm_parameter& parameter) : labels(std::move(given)) {
    std::vector<std::size_t> begins;
    for (Eigen::Index i = 0; i < points.rows(); ++i) {
      begins.push_back(nodes.size());
      for (const svm_node& node : nodes_of(points, i)) nodes.push_back(node);
    }
    for (const std::size_t begin : begins) rows.push_back(nodes.data() + begin);
    problem = {static_cast<int>(rows.size()), labels.data(), rows.data()};
    said.clear();
    svm_set_print_string_function([](const char* text) { said += text; });
    model.reset(svm_train(&problem, &parameter));
    const std::regex objective("obj = ([-0-9.e+]+)");
    for (std::sregex_iterator found(said.begin(), said.end(), objective), end; found != end; ++found) objectives.push_back(std::stod((*found)[1]));
  }

  std::vector<double> decide(const Matrix& points, Eigen::Index i) const {
    std::vector<double> result(static_cast<std::size_t>(std::max(1, model->nr_class * (model->nr_class - 1) / 2)));
    svm_predict_values(model.get(), nodes_of(points, i).data(), result.data());
    return result;
  }
};

svm_parameter parameter_of(int type, int kernel, double gamma, double c) {
  svm_parameter parameter{};
  parameter.svm_type = type;
  parameter.kernel_type = kernel;
  parameter.gamma = gamma;
  parameter.coef0 = 0.5;
  parameter.degree = 3;
  parameter.C = c;
  parameter.nu = 0.3;
  parameter.p = 0.1;
  parameter.cache_size = 20;
  parameter.eps = tolerance;
  parameter.shrinking = 1;
  return parameter;
}

Similarity kernel_of(int kernel, double gamma, const std::shared_ptr<const Matrix>& rows, const std::shared_ptr<const Matrix>& columns) {
  Similarity record;
  record.rows = rows->rows();
  record.columns = columns->rows();
  record.row_points = rows;
  record.column_points = columns;
  record.symmetric = rows == columns;
  record.score = {kernel == RBF ? Score::Kind::power_distance : Score::Kind::dot, 2, Metric::euclidean};
  record.strengthen.gain = gamma;
  record.strengthen.offset = 0.5;
  record.strengthen.exponent = 3;
  if (kernel == RBF) {
    record.strengthen.kind = Strengthen::Kind::exponential;
    record.strengthen.scale = Vector::Constant(1, 1 / gamma);
  } else if (kernel == POLY) {
    record.strengthen.kind = Strengthen::Kind::power;
  } else if (kernel == SIGMOID) {
    record.strengthen.kind = Strengthen::Kind::sigmoid;
  } else {
    record.strengthen = {};
  }
  return record;
}

// Classes that overlap, in blobs; class c of row i is i % classes.
std::shared_ptr<const Matrix> blobs(std::int64_t rows, std::int64_t columns, std::int64_t classes, std::uint64_t seed) {
  Matrix points = random_points(rows, columns, seed);
  for (std::int64_t i = 0; i < rows; ++i) points(i, (i % classes) % columns) += 1.5;
  return std::make_shared<const Matrix>(std::move(points));
}

std::vector<std::vector<std::int64_t>> members(std::int64_t rows, std::int64_t classes) {
  std::vector<std::vector<std::int64_t>> result(static_cast<std::size_t>(classes));
  for (std::int64_t i = 0; i < rows; ++i) result[static_cast<std::size_t>(i % classes)].push_back(i);
  return result;
}

class SupportVectors : public OnIsa {};

void expect_libsvm(const Machines& mine, const Peer& peer, const Similarity& kernel, const Matrix& fresh, const std::shared_ptr<const Matrix>& points, int type, double gamma) {
  ASSERT_EQ(mine.objectives.size(), peer.objectives.size());
  for (std::size_t m = 0; m < mine.objectives.size(); ++m) {
    EXPECT_NEAR(mine.objectives[m], peer.objectives[m], 2e-6 + 1e-6 * std::abs(peer.objectives[m]));  // libsvm prints six decimals
    EXPECT_NEAR(mine.offsets[static_cast<Eigen::Index>(m)], peer.model->rho[m], 3 * tolerance * (1 + std::abs(peer.model->rho[m])));
  }
  EXPECT_EQ(static_cast<int>(mine.vectors.size()), peer.model->l);
  const auto rows = std::make_shared<const Matrix>(fresh);
  const Similarity across = kernel_of(type, gamma, rows, points);
  const Matrix decided = decisions(restricted(across, nullptr, &mine.vectors), mine.weights, mine.offsets, Context());
  for (Eigen::Index i = 0; i < fresh.rows(); ++i) {
    const std::vector<double> expected = peer.decide(fresh, i);
    for (std::size_t m = 0; m < expected.size(); ++m) EXPECT_NEAR(decided(i, static_cast<Eigen::Index>(m)), expected[m], 10 * tolerance * (1 + std::abs(expected[m])));
  }
  EXPECT_EQ(kernel.rows, points->rows());
}

TEST_P(SupportVectors, OfClassesAreThoseOfLibsvm) {
  struct Case {
    std::int64_t rows, columns, classes;
    int kernel;
    double gamma, c;
  };
  for (const Case& one : {Case{40, 3, 2, RBF, 0.3, 1}, Case{700, 5, 2, RBF, 0.2, 10}, Case{257, 40, 2, RBF, 0.02, 3}, Case{301, 4, 5, RBF, 0.5, 2}, Case{120, 6, 3, LINEAR, 1, 0.3},
                          Case{150, 4, 2, POLY, 0.2, 1}, Case{90, 3, 4, POLY, 0.3, 0.5}, Case{120, 4, 2, SIGMOID, 0.05, 1}}) {
    const auto points = blobs(one.rows, one.columns, one.classes, 5);
    const Similarity kernel = kernel_of(one.kernel, one.gamma, points, points);
    MachineOptions options;
    options.bound = one.c;
    options.dual.tolerance = tolerance;
    std::vector<double> labels;
    for (std::int64_t i = 0; i < one.rows; ++i) labels.push_back(static_cast<double>(i % one.classes));
    const Peer peer(*points, labels, parameter_of(C_SVC, one.kernel, one.gamma, one.c));
    const Machines mine = fit_classes(kernel, members(one.rows, one.classes), options, Context());
    EXPECT_EQ(mine.unfinished, 0);
    SCOPED_TRACE(testing::Message() << one.rows << " rows, kernel " << one.kernel);
    expect_libsvm(mine, peer, kernel, random_points(30, one.columns, 77), points, one.kernel, one.gamma);
  }
}

TEST_P(SupportVectors, OfValuesAndOfOneClassAreThoseOfLibsvm) {
  const auto points = blobs(400, 3, 2, 8);
  const Similarity kernel = kernel_of(RBF, 0.4, points, points);
  Vector values(400);
  std::vector<double> labels;
  for (std::int64_t i = 0; i < 400; ++i) labels.push_back(values[i] = std::sin((*points)(i, 0)) + 0.3 * (*points)(i, 1));
  std::vector<std::int64_t> rows(400);
  for (std::int64_t i = 0; i < 400; ++i) rows[static_cast<std::size_t>(i)] = i;
  MachineOptions options;
  options.bound = 2;
  options.dual.tolerance = tolerance;
  const Peer regressor(*points, labels, parameter_of(EPSILON_SVR, RBF, 0.4, 2));
  expect_libsvm(fit_values(kernel, rows, values, options, Context()), regressor, kernel, random_points(30, 3, 78), points, RBF, 0.4);
  options.share = 0.3;
  const Peer support(*points, labels, parameter_of(ONE_CLASS, RBF, 0.4, 1));
  const Machines mine = fit_support(kernel, rows, options, Context());
  expect_libsvm(mine, support, kernel, random_points(30, 3, 79), points, RBF, 0.4);
  EXPECT_LE(mine.bounded[0], 0.3 * 400);  // nu: at most that share lies outside, and at least that share are support vectors
  EXPECT_GE(mine.counts[0], 0.3 * 400);
}

CALOR_ON_EVERY_ISA(SupportVectors);

// The conditions of Karush, Kuhn and Tucker, and the equality, whatever way led there.
void expect_optimal(const Similarity& kernel, const Vector& sign, const Machines& machines, double bound, double allowed) {
  const Matrix found = decisions(restricted(kernel, nullptr, &machines.vectors), machines.weights, machines.offsets, Context());
  Vector alpha = Vector::Zero(kernel.rows);
  for (std::size_t v = 0; v < machines.vectors.size(); ++v) alpha[machines.vectors[v]] = sign[machines.vectors[v]] * machines.weights(static_cast<Eigen::Index>(v), 0);
  EXPECT_NEAR(alpha.dot(sign), 0, 1e-9 * bound * static_cast<double>(kernel.rows));
  for (Eigen::Index i = 0; i < alpha.size(); ++i) {
    EXPECT_GE(alpha[i], 0);
    EXPECT_LE(alpha[i], bound);
    const double margin = sign[i] * found(i, 0);
    if (alpha[i] < bound) {
      EXPECT_GE(margin, 1 - 2 * allowed) << i;
    }
    if (alpha[i] > 0) {
      EXPECT_LE(margin, 1 + 2 * allowed) << i;
    }
  }
}

TEST(Dual, IsOptimalWithFewRowsKeptAndWithAll) {
  const auto points = blobs(900, 30, 2, 11);
  const Similarity kernel = kernel_of(RBF, 0.03, points, points);
  Vector sign(900);
  for (Eigen::Index i = 0; i < 900; ++i) sign[i] = i % 2 ? -1 : 1;
  MachineOptions options;
  options.bound = 5;
  options.dual.tolerance = 1e-5;
  const Machines all = fit_classes(kernel, members(900, 2), options, Context());
  expect_optimal(kernel, sign, all, 5, 1e-4);
  options.dual.cache_bytes = 1;  // the fewest there are
  Context threads;
  threads.threads = 3;
  const Machines few = fit_classes(kernel, members(900, 2), options, threads);
  EXPECT_GT(few.rows_computed, all.rows_computed);
  EXPECT_EQ(few.vectors, all.vectors);
  EXPECT_EQ(few.weights, all.weights);  // the same bits
  EXPECT_EQ(few.offsets, all.offsets);
}

// On a graph, and sparse points: the same record's values, whoever computes them.
TEST(Dual, SparsePointsAndGraphsGiveWhatDensePointsGive) {
  Matrix dense = random_points(200, 12, 12);
  for (double& value : dense.reshaped()) value = value > 0.6 ? value : 0;
  const auto points = std::make_shared<const Matrix>(dense);
  const Similarity kernel = kernel_of(RBF, 0.2, points, points);
  Similarity sparse = kernel;
  sparse.row_points = sparse.column_points = std::make_shared<const Matrix>(200, 0);
  sparse.row_sparse = sparse.column_sparse = std::make_shared<const io::SparseMatrix>(sparse_of(dense));
  Similarity graph = kernel;
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < 200; ++i)
    for (std::int64_t j = 0; j < 200; ++j) edges.push_back({i, j, 1});
  graph.support = std::make_shared<const Csr>(from_edges(200, 200, std::move(edges)));
  const Machines expected = fit_classes(kernel, members(200, 2), {}, Context());
  for (const Similarity& other : {sparse, graph}) {
    const Machines found = fit_classes(other, members(200, 2), {}, Context());
    EXPECT_EQ(found.vectors, expected.vectors);
    EXPECT_LT(relative_difference(found.weights, expected.weights), 1e-5);
    const Matrix a = decisions(restricted(kernel, nullptr, &expected.vectors), expected.weights, expected.offsets, Context());
    const Matrix b = decisions(restricted(other, nullptr, &found.vectors), found.weights, found.offsets, Context());
    EXPECT_LT(relative_difference(b, a), 1e-5);
  }
}

TEST(Dual, EndsOnWhatIsNoKernel) {
  const auto points = blobs(80, 2, 2, 13);
  Matrix values = random_points(80, 80, 14);
  values = (values + values.transpose()).eval();
  Similarity record = stored_similarity(std::make_shared<const Matrix>(values));
  record.symmetric = true;
  MachineOptions options;
  options.dual.max_iterations = 20'000;
  const Machines found = fit_classes(record, members(80, 2), options, Context());
  EXPECT_TRUE(found.indefinite);
  EXPECT_TRUE(found.weights.allFinite());
}

TEST(Dual, AHardMarginSeparatesOrSaysThatItDoesNot) {
  Matrix apart = random_points(60, 2, 15);
  for (Eigen::Index i = 0; i < 60; ++i) apart(i, 0) += i % 2 ? 4.5 : -4.5;
  const auto points = std::make_shared<const Matrix>(apart);
  Vector sign(60);
  for (Eigen::Index i = 0; i < 60; ++i) sign[i] = i % 2 ? -1 : 1;
  MachineOptions options;
  options.bound = std::numeric_limits<double>::infinity();
  const Similarity kernel = kernel_of(LINEAR, 1, points, points);
  const Machines found = fit_classes(kernel, members(60, 2), options, Context());
  EXPECT_EQ(found.unfinished, 0);
  EXPECT_EQ(found.bounded[0], 0);
  const Matrix decided = decisions(restricted(kernel, nullptr, &found.vectors), found.weights, found.offsets, Context());
  for (Eigen::Index i = 0; i < 60; ++i) EXPECT_GE(sign[i] * decided(i, 0), 1 - 2e-3);
  options.dual.max_iterations = 2000;
  const auto mixed = blobs(60, 2, 2, 16);
  EXPECT_EQ(fit_classes(kernel_of(LINEAR, 1, mixed, mixed), members(60, 2), options, Context()).unfinished, 1);
}

// Sigmoids and coupled probabilities by their own definitions.
TEST(ClassProbabilities, AreTheLikeliestAndConsistent) {
  std::vector<double> decisions;
  std::vector<std::uint8_t> first;
  Random random(3, Purpose::test);
  for (int i = 0; i < 400; ++i) {
    decisions.push_back(3 * random.normal());
    first.push_back(random.uniform() < 1 / (1 + std::exp(-1.5 * decisions.back() + 0.4)));
  }
  const Sigmoid fitted = fit_sigmoid(decisions, first);
  EXPECT_NEAR(fitted.a, -1.5, 0.4);
  EXPECT_NEAR(fitted.b, 0.4, 0.4);
  const auto loss = [&](double a, double b) {
    double ones = 0, sum = 0;
    for (const std::uint8_t one : first) ones += one;
    for (std::size_t i = 0; i < first.size(); ++i) {
      const double target = first[i] ? (ones + 1) / (ones + 2) : 1 / (static_cast<double>(first.size()) - ones + 2), p = 1 / (1 + std::exp(a * decisions[i] + b));
      sum -= target * std::log(p) + (1 - target) * std::log(1 - p);
    }
    return sum;
  };
  for (const auto& [da, db] : {std::pair{1e-3, 0.0}, {-1e-3, 0.0}, {0.0, 1e-3}, {0.0, -1e-3}}) EXPECT_GE(loss(fitted.a + da, fitted.b + db), loss(fitted.a, fitted.b) - 1e-9);
  // Pairwise probabilities that come from one distribution give it back.
  const Vector p{{0.5, 0.3, 0.15, 0.05}};
  Matrix pairwise = Matrix::Zero(4, 4);
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 4; ++b)
      if (a != b) pairwise(a, b) = p[a] / (p[a] + p[b]);
  EXPECT_LT((couple(pairwise) - p).cwiseAbs().maxCoeff(), 5e-3);
}

}  // namespace
}  // namespace calor::engine

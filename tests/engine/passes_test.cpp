// The streamed passes against the plain composition, written here in loops over pairs; tolerances are a few ulps of the sums'
// lengths (1e-12 relative), on every instruction set.  Sizes straddle the tiles of 128 rows and 512 columns.
#include "calor/engine/passes.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/engine/neighbours.h"
#include "calor/engine/values.h"
#include "isa.h"
#include "support.h"

namespace calor::engine {
namespace {

constexpr double rounding = 1e-12;

Similarity record_of(const Matrix& rows, const Matrix& columns, Score score) {
  Similarity record;
  record.rows = rows.rows();
  record.columns = columns.rows();
  record.row_points = std::make_shared<const Matrix>(rows);
  record.column_points = std::make_shared<const Matrix>(columns);
  record.score = score;
  return record;
}

// value(i, j) by the definition in similarity.h, from scratch.
Matrix plain(const Similarity& record, const Matrix& x, const Matrix& y) {
  Matrix values(record.rows, record.columns);
  for (Eigen::Index i = 0; i < record.rows; ++i)
    for (Eigen::Index j = 0; j < record.columns; ++j) {
      double squared = 0, city = 0, dot = 0, a = 0, b = 0;
      for (Eigen::Index c = 0; c < x.cols(); ++c) {
        squared += (x(i, c) - y(j, c)) * (x(i, c) - y(j, c));
        city += std::abs(x(i, c) - y(j, c));
        dot += x(i, c) * y(j, c);
        a += x(i, c) * x(i, c);
        b += y(j, c) * y(j, c);
      }
      const double cosine = dot / std::sqrt(a * b);
      double score = 0;
      if (record.score.kind == Score::Kind::dot) score = dot;
      else if (record.score.kind == Score::Kind::cosine) score = cosine;
      else {
        const double d = record.score.metric == Metric::euclidean ? std::sqrt(squared) : record.score.metric == Metric::manhattan ? city : 1 - cosine;
        score = (record.score.power > 0 ? -1 : 1) * std::pow(d, record.score.power);
      }
      if (record.strengthen.kind == Strengthen::Kind::exponential) score = std::exp(score / record.strengthen.at(i, j));
      values(i, j) = score * std::exp(record.row_factor(i) + record.column_factor(j));
    }
  return values;
}

class RowMeans : public OnIsa {};
CALOR_ON_EVERY_ISA(RowMeans);

// Keys from far to near: each tile has a greater score than those before, so what was summed is rescaled; and a first tile without values.
TEST_P(RowMeans, AreTheirDefinition) {
  const Matrix x = random_points(200, 3, 1), h = random_points(1300, 2, 3);
  Matrix y = random_points(1300, 3, 2);
  for (Eigen::Index j = 0; j < y.rows(); ++j) y.row(j) *= 4 - 3 * static_cast<double>(j) / 1300;
  Similarity record = record_of(x, y, {Score::Kind::power_distance, 2, Metric::euclidean});
  record.strengthen.kind = Strengthen::Kind::exponential;
  record.strengthen.scale = Vector::Constant(1, 0.01);
  record.log_column = 3 * h.col(0);
  record.log_column.head(600).setConstant(-std::numeric_limits<double>::infinity());
  const Matrix found = row_means(record, h, Context());
  Matrix scores(200, 1300);
  for (Eigen::Index i = 0; i < 200; ++i)
    for (Eigen::Index j = 0; j < 1300; ++j) scores(i, j) = record.log_column[j] - (x.row(i) - y.row(j)).squaredNorm() / 0.01;
  for (Eigen::Index i = 0; i < 200; ++i) {
    const Vector weights = (scores.row(i).array() - scores.row(i).maxCoeff()).exp();
    EXPECT_LT((found.row(i) - weights.transpose() * h / weights.sum()).cwiseAbs().maxCoeff(), 1e-10) << i;  // scores of 1e3: 1e-13 each
  }
  record.log_column.setConstant(-std::numeric_limits<double>::infinity());
  EXPECT_EQ(row_means(record, h, Context()), Matrix::Zero(200, 2));
}

class Sizes : public ::testing::TestWithParam<std::tuple<std::pair<int, int>, std::string>> {
 private:
  WithIsa forced_{std::get<1>(GetParam())};
};

TEST_P(Sizes, StreamedEqualsPlain) {
  const auto [n, m] = std::get<0>(GetParam());
  const Matrix x = random_points(n, 3, 1), y = random_points(m, 3, 2), h = random_points(m, 2, 3);
  const Context context;
  for (const Score score : {Score{Score::Kind::power_distance, 2, Metric::euclidean}, Score{Score::Kind::power_distance, 1, Metric::euclidean},
                            Score{Score::Kind::power_distance, -1, Metric::manhattan}, Score{Score::Kind::power_distance, 1, Metric::cosine},
                            Score{Score::Kind::dot}, Score{Score::Kind::cosine}}) {
    Similarity record = record_of(x, y, score);
    record.strengthen.kind = Strengthen::Kind::exponential;
    record.strengthen.scale = random_points(n, 1, 4).cwiseAbs().array() + 0.5;
    record.log_row = random_points(n, 1, 5);
    record.log_column = random_points(m, 1, 6);
    if (score.power < 0) record.strengthen.scale.array() += 20;  // 1 / d is large for close points
    const Matrix values = plain(record, x, y);
    EXPECT_LT(relative_difference(materialise(record, "test", context), values), rounding);
    EXPECT_LT(relative_difference(apply(record, h, context), values * h), rounding);
    const Matrix turned = random_points(n, 2, 7);
    EXPECT_LT(relative_difference(apply_transposed(record, turned, context), values.transpose() * turned), rounding);
    EXPECT_LT(relative_difference(log_row_sums(record, context).array().exp().matrix(), values.rowwise().sum()), rounding);
    EXPECT_LT(relative_difference(log_column_sums(record, context).array().exp().matrix(), Matrix(values.colwise().sum().transpose())), rounding);
  }
}

TEST_P(Sizes, ASupportOfAllPairsEqualsAllPairs) {
  const auto [n, m] = std::get<0>(GetParam());
  const Matrix x = random_points(n, 3, 1), y = random_points(m, 3, 2), h = random_points(m, 2, 3);
  Similarity dense = record_of(x, y, {Score::Kind::power_distance, 2, Metric::euclidean}), sparse = dense;
  std::vector<Edge> edges;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < m; ++j) edges.push_back({i, j, 1});
  sparse.support = std::make_shared<const Csr>(from_edges(n, m, edges));
  const Context context;
  EXPECT_LT(relative_difference(apply(sparse, h, context), apply(dense, h, context)), rounding);
  EXPECT_LT(relative_difference(materialise(sparse, "test", context), materialise(dense, "test", context)), rounding);
  EXPECT_EQ(best_columns(sparse, context), best_columns(dense, context));
}

TEST_P(Sizes, TheSameBitsForAnyNumberOfThreads) {
  const auto [n, m] = std::get<0>(GetParam());
  Similarity record = record_of(random_points(n, 5, 1), random_points(m, 5, 2), {Score::Kind::power_distance, 2, Metric::euclidean});
  record.strengthen = {Strengthen::Kind::exponential, Vector::Constant(1, 0.7), false, 1};
  const Matrix h = random_points(m, 3, 3);
  Context one, two;
  one.threads = 1;
  two.threads = 2;
  EXPECT_EQ(apply(record, h, one), apply(record, h, two));
  EXPECT_EQ(log_row_sums(record, one), log_row_sums(record, two));
}

std::string size_and_isa(const ::testing::TestParamInfo<Sizes::ParamType>& info) {
  const auto& [size, isa] = info.param;
  return fmt::format("{}_{}_{}", size.first, size.second, isa);
}

INSTANTIATE_TEST_SUITE_P(Tiles, Sizes,
                         ::testing::Combine(::testing::Values(std::pair{1, 1}, std::pair{1, 7}, std::pair{127, 511}, std::pair{128, 512}, std::pair{129, 513},
                                                              std::pair{300, 2}),
                                            ::testing::ValuesIn(kernels::isa_names())),
                         size_and_isa);

class DeferredRows : public OnIsa {};
CALOR_ON_EVERY_ISA(DeferredRows);

// Sums and products in one pass against the two that they stand for, through the attention kernel (one scale, dots and squares) and through
// tiles (a scale for each row); with and without column factors, and with no row meeting itself.
TEST_P(DeferredRows, FlowAsSettledOnesDo) {
  const Matrix x = random_points(300, 5, 41), h = random_points(300, 3, 42);
  for (const Score::Kind kind : {Score::Kind::power_distance, Score::Kind::dot})
    for (const bool factors : {false, true})
      for (const bool apart : {false, true})
        for (const bool by_row : {false, true}) {
          Similarity record = record_of(x, x, {kind, 2, Metric::euclidean});
          record.column_points = record.row_points;
          record.strengthen.kind = Strengthen::Kind::exponential;
          record.strengthen.scale = by_row ? Vector(h.col(1).cwiseAbs().array() + 0.5) : Vector::Constant(1, 0.7);
          record.leave_diagonal_out = apart;
          if (factors) record.log_column = h.col(0);
          EXPECT_EQ(normalise_rows(record, Context()), 0);
          EXPECT_EQ(record.rows_deferred, !by_row);
          Similarity whole = record;
          settle(whole, Context());
          EXPECT_FALSE(whole.rows_deferred);
          const Matrix values = materialise(record, "test", Context());
          EXPECT_LT((values.rowwise().sum() - Vector::Ones(300)).cwiseAbs().maxCoeff(), rounding);
          if (apart) {
            EXPECT_EQ(values.diagonal().cwiseAbs().maxCoeff(), 0);
          }
          EXPECT_LT(relative_difference(flow(record, h, Context()), values * h), rounding);
          EXPECT_LT(relative_difference(apply(record, h, Context()), values * h), rounding);
          EXPECT_LT(relative_difference(apply_transposed(record, h, Context()), values.transpose() * h), rounding);
          EXPECT_LT((log_row_sums(record, Context())).cwiseAbs().maxCoeff(), rounding);
          EXPECT_LT(relative_difference(log_column_sums(record, Context()), Vector(values.colwise().sum().transpose().array().log())), 1e-10);
        }
}

// The same on a support: the kernel of edges where no column has a factor.
TEST_P(DeferredRows, FlowOnASupportAsSettledOnesDo) {
  const Matrix x = random_points(300, 5, 41), y = random_points(200, 5, 44), h = random_points(200, 3, 42);
  std::vector<Edge> edges;
  Random random(45, Purpose::test);
  for (std::int64_t i = 0; i < 300; ++i)
    for (int e = 0; e < 12; ++e) edges.push_back({i, static_cast<std::int64_t>(random.below(200)), 1});
  const auto support = std::make_shared<const Csr>(from_edges(300, 200, std::move(edges)));
  for (const Score::Kind kind : {Score::Kind::power_distance, Score::Kind::dot})
    for (const bool factors : {false, true}) {
      Similarity record = record_of(x, y, {kind, 2, Metric::euclidean});
      record.support = support;
      record.strengthen.kind = Strengthen::Kind::exponential;
      record.strengthen.scale = Vector::Constant(1, 0.7);
      if (factors) record.log_column = h.col(0);
      EXPECT_EQ(normalise_rows(record, Context()), 0);
      EXPECT_EQ(record.rows_deferred, !factors);
      const Csr values = values_on_support(record, Context());
      Matrix truth = Matrix::Zero(300, 3);
      for (std::int64_t i = 0; i < 300; ++i) {
        double sum = 0;
        for (std::int64_t e = values.begin[i]; e < values.begin[i + 1]; ++e) {
          sum += values.values[e];
          truth.row(i) += values.values[e] * h.row(values.column[e]);
        }
        EXPECT_NEAR(sum, 1, 1e-12);
      }
      EXPECT_LT(relative_difference(flow(record, h, Context()), truth), rounding);
      EXPECT_LT(relative_difference(apply(record, h, Context()), truth), rounding);
      EXPECT_LT(log_row_sums(record, Context()).cwiseAbs().maxCoeff(), rounding);
    }
}

// What no sum can be given to is known before anything flows.
TEST_P(DeferredRows, EmptyRowsAreFoundAtOnce) {
  const Matrix x = random_points(1, 2, 43);
  Similarity record = record_of(x, x, {Score::Kind::power_distance, 2, Metric::euclidean});
  record.strengthen.kind = Strengthen::Kind::exponential;
  record.strengthen.scale = Vector::Constant(1, 1.0);
  record.leave_diagonal_out = true;
  EXPECT_EQ(normalise_rows(record, Context()), 1);
  EXPECT_FALSE(record.rows_deferred);
  EXPECT_EQ(flow(record, x, Context()), Matrix::Zero(1, 2));
}

class Scores : public OnIsa {};
CALOR_ON_EVERY_ISA(Scores);

TEST_P(Scores, CoincidingPointsAreAtDistanceZeroFarFromTheOrigin) {
  Matrix x = random_points(40, 3, 8).array() + 1e6;
  x.row(7) = x.row(31);
  Similarity record = record_of(x, x, {Score::Kind::power_distance, 1, Metric::euclidean});
  const Matrix values = materialise(record, "test", Context());
  EXPECT_EQ(values(7, 31), 0);
  EXPECT_LT(relative_difference(values, plain(record, x, x)), 1e-7);  // sqrt(eps * cancelled share)
}

// Of whole numbers that fit: each distance is the one.  Rows between, and too large ones, are as they would be alone; so are all where a column is
// not whole, or its products would not fit.
TEST_P(Scores, OfWholeNumbersAreExact) {
  Random random(6, Purpose::test);
  Matrix columns(530, 9);
  for (double& value : columns.reshaped()) value = static_cast<double>(random.below(256));
  Matrix rows = columns.topRows(140);
  rows.row(3).array() += 0.5;
  rows(5, 2) = 1e9;
  rows(139, 8) = 0.25;
  Matrix tile, alone;
  for (const bool other_column : {false, true}) {
    if (other_column) columns(77, 0) = 0.125;
    const Similarity record = record_of(rows, columns, {.kind = Score::Kind::power_distance, .power = 2});
    const std::vector<std::int64_t> no_rows;
    const Similarity of_columns = restricted(record, &no_rows, nullptr);
    const TileScores tiles(record), ready(of_columns), again(record, ready);
    tiles.scores(0, 140, 0, 530, tile);
    for (std::int64_t i = 0; i < 140; ++i) {
      const std::vector<std::int64_t> one{i};
      const Similarity row = restricted(record, &one, nullptr);
      TileScores(row).scores(0, 1, 0, 530, alone);
      ASSERT_EQ(alone, tile.row(i)) << i;
      again.scores(TileRows(one.data()), 1, 0, 530, alone);
      ASSERT_EQ(alone, tile.row(i)) << i;
      const bool whole = !other_column && i != 3 && i != 5 && i != 139;
      for (std::int64_t j = 0; j < 530; ++j) {
        const double expected = -(rows.row(i) - columns.row(j)).squaredNorm();
        const double allowed = whole ? 0 : rounding * (rows.row(i).squaredNorm() + columns.row(j).squaredNorm());
        ASSERT_NEAR(tile(i, j), expected, allowed) << i << ", " << j;
      }
    }
  }
}

TEST_P(Scores, RowSumsSurviveUnderflow) {
  Similarity record = record_of(random_points(9, 2, 1), random_points(5, 2, 2).array() + 100.0, {Score::Kind::power_distance, 2, Metric::euclidean});
  record.strengthen = {Strengthen::Kind::exponential, Vector::Constant(1, 1e-3), false, 1};  // exp(-2e7)
  record.log_row = -log_row_sums(record, Context());
  const Matrix sums = apply(record, Matrix::Ones(5, 1), Context());
  EXPECT_LT((sums.array() - 1).abs().maxCoeff(), 1e-8);  // eps * 2e7 in the exponent
}

class Sums : public OnIsa {};
CALOR_ON_EVERY_ISA(Sums);

TEST_P(Sums, ANegativeSumIsRefused) {
  Similarity record = record_of(random_points(3, 2, 1), random_points(4, 2, 2), {Score::Kind::power_distance, 2, Metric::euclidean});
  EXPECT_THROW(log_row_sums(record, Context()), Error);
}

class Nearest : public OnIsa {};
CALOR_ON_EVERY_ISA(Nearest);

// Brute force with the same tie rule: by distance, then by number.
TEST_P(Nearest, EqualsBruteForce) {
  for (const Metric metric : {Metric::euclidean, Metric::manhattan, Metric::cosine})
    for (const int n : {2, 3, 130, 700}) {
      const Matrix x = random_points(n, 4, static_cast<std::uint64_t>(n));
      const int k = std::min(n - 1, 9);
      const Csr found = nearest(x, x, {k, metric, true, nullptr}, Context());
      for (int i = 0; i < n; ++i) {
        std::vector<std::pair<double, int>> all;
        for (int j = 0; j < n; ++j)
          if (j != i) all.emplace_back(distance(x, i, x, j, metric), j);
        std::sort(all.begin(), all.end());
        std::vector<int> expected, got(found.column.begin() + found.begin[i], found.column.begin() + found.begin[i + 1]);
        for (int e = 0; e < k; ++e) expected.push_back(all[e].second);
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(got, expected) << "row " << i << " of " << n;
      }
    }
}

TEST_P(Nearest, TiesGoToTheLowerNumber) {
  const Csr found = nearest(Matrix::Zero(6, 2), Matrix::Zero(6, 2), {2, Metric::euclidean, true, nullptr}, Context());
  EXPECT_EQ(std::vector<std::int32_t>(found.column.begin(), found.column.begin() + 4), (std::vector<std::int32_t>{1, 2, 0, 2}));
}

TEST(Graphs, TransposeComponentsAndSymmetry) {
  const Csr graph = from_edges(5, 5, {{0, 1, 2.0}, {1, 2, 3.0}, {2, 1, 4.0}, {0, 1, 1.0}});
  EXPECT_EQ(graph.values, (std::vector<double>{3, 3, 4}));  // parallel edges add
  const Csr back = transpose(graph);
  EXPECT_EQ(back.column, (std::vector<std::int32_t>{0, 2, 1}));
  EXPECT_EQ(back.values, (std::vector<double>{3, 4, 3}));
  EXPECT_FALSE(is_symmetric(graph));
  const Components found = connected_components(graph);
  EXPECT_EQ(found.count, 3);
  EXPECT_EQ(found.of, (std::vector<std::int64_t>{0, 0, 0, 1, 2}));
  const Csr sum = combine_with_reverse(graph, [](double a, double b) { return a + b; });
  EXPECT_TRUE(is_symmetric(sum));
  EXPECT_EQ(sum.values, (std::vector<double>{3, 3, 7, 7}));
}

}  // namespace
}  // namespace calor::engine

// A prepared operator against the passes, stored and streamed, and the choices by normalisation against dense loops; on every instruction
// set, to 1e-12 of the largest value.
#include "calor/engine/operator.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calor/engine/neighbours.h"
#include "calor/engine/normalise.h"
#include "calor/engine/passes.h"
#include "isa.h"
#include "support.h"

namespace calor::engine {
namespace {

constexpr double rounding = 1e-12;

Similarity kernel_of(std::int64_t n, bool graph) {
  Similarity record;
  record.rows = record.columns = n;
  record.row_points = record.column_points = std::make_shared<const Matrix>(random_points(n, 3, 1));
  record.score = {Score::Kind::power_distance, 2, Metric::euclidean};
  record.strengthen.kind = Strengthen::Kind::exponential;
  record.strengthen.scale = Vector::Constant(1, 0.7);
  if (graph) record.support = std::make_shared<const Csr>(nearest(*record.row_points, *record.row_points, {.k = 9}, Context()));
  else record.symmetric = true;
  return record;
}

Context with_memory(std::uint64_t bytes) {
  Context context;
  context.memory = MemoryLimit(bytes);
  return context;
}

class PreparedOperator : public OnIsa {};
CALOR_ON_EVERY_ISA(PreparedOperator);

TEST_P(PreparedOperator, ProductsAreThoseOfThePasses) {
  const Context context;
  for (const bool graph : {false, true})
    for (const Normaliser::Kind kind : {Normaliser::Kind::row, Normaliser::Kind::column, Normaliser::Kind::two_side})
      for (const std::uint64_t memory : {std::uint64_t{0}, std::uint64_t{1} << 20}) {  // stored; 700^2 values stream
        Similarity record = kernel_of(700, graph);
        normalise(record, {kind, 0.5}, context);
        const Matrix h = random_points(700, 4, 2);
        const Context limited = with_memory(memory);
        const Operator prepared(record, limited);
        EXPECT_LT(relative_difference(prepared.apply(h, limited), apply(record, h, context)), rounding) << graph << name_of(kind) << memory;
        EXPECT_LT(relative_difference(prepared.flow(h, limited), flow(record, h, context)), rounding) << graph << name_of(kind) << memory;
        for (int twice = 0; twice < 2; ++twice)  // the second time with what the first has kept
          EXPECT_LT(relative_difference(prepared.apply_transposed(h, limited), apply_transposed(record, h, context)), rounding) << graph << memory;
      }
}

class RowMeansOfGraphs : public OnIsa {};
CALOR_ON_EVERY_ISA(RowMeansOfGraphs);

TEST_P(RowMeansOfGraphs, AreThoseOfItsNormalisedRows) {
  const Similarity record = kernel_of(700, true);
  const Matrix h = random_points(700, 4, 2), values = materialise(record, "test", Context());
  EXPECT_LT(relative_difference(row_means(record, h, Context()), values.rowwise().sum().cwiseInverse().asDiagonal() * values * h), rounding);
}

TEST(Operators, KnowTheirSimilarity) {
  const Similarity record = kernel_of(60, true);
  const Operator prepared(record, Context());
  EXPECT_TRUE(prepared.is_of(record));
  const auto changed = [&](auto&& change) {
    Similarity other = record;
    change(other);
    return !prepared.is_of(other);
  };
  EXPECT_TRUE(changed([](Similarity& other) { other.strengthen.scale[0] = 0.8; }));
  EXPECT_TRUE(changed([](Similarity& other) { other.log_row = Vector::Zero(60); }));
  EXPECT_TRUE(changed([](Similarity& other) { other.support = std::make_shared<const Csr>(*other.support); }));
  EXPECT_TRUE(changed([](Similarity& other) { other.normalised.push_back(Normaliser::Kind::row); }));
  EXPECT_TRUE(changed([](Similarity& other) { other.leave_diagonal_out = true; }));
}

class NormalisedSums : public OnIsa {};
CALOR_ON_EVERY_ISA(NormalisedSums);

TEST_P(NormalisedSums, AreWhatTheStepSays) {
  const Context context;
  for (const bool graph : {false, true}) {
    const Matrix plain = materialise(kernel_of(150, graph), "test", context);
    const auto after = [&](const Normaliser& step) {
      Similarity record = kernel_of(150, graph);
      if (step.kind == Normaliser::Kind::sinkhorn && graph) record.support = std::make_shared<const Csr>(combine_with_reverse(values_on_support(record, context), [](double a, double b) { return a + b; }));
      normalise(record, step, context);
      return materialise(record, "test", context);
    };
    EXPECT_LT((after({Normaliser::Kind::row}).rowwise().sum().array() - 1).abs().maxCoeff(), rounding);
    const Eigen::RowVectorXd reached = (plain.colwise().sum().array() > 0).cast<double>();  // a column that no edge reaches stays empty
    EXPECT_EQ(reached.sum() < 150, graph);
    EXPECT_LT((after({Normaliser::Kind::column}).colwise().sum() - reached).cwiseAbs().maxCoeff(), rounding);
    EXPECT_NEAR(after({Normaliser::Kind::global}).sum(), 1, rounding);
    const Vector half = plain.rowwise().sum().array().pow(-0.5);
    EXPECT_LT(relative_difference(after({Normaliser::Kind::two_side, 0.5}), half.asDiagonal() * plain * half.asDiagonal()), rounding);
    const Matrix doubly = after({Normaliser::Kind::sinkhorn, 0, 0});
    EXPECT_LT((doubly.rowwise().sum().array() - 1).abs().maxCoeff(), 1e-8);
    EXPECT_LT((doubly.colwise().sum().array() - 1).abs().maxCoeff(), 1e-8);
  }
}

}  // namespace
}  // namespace calor::engine

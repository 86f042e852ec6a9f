#include "calor/inspect/normalisers.h"

#include <cmath>

#include "calor/inspect/rows.h"

namespace calor::inspect {

namespace {

// log sum_j exp(s_ij + log_column_j) for every i.
Vector log_row_sums(const Head& head, const Matrix& query, const Matrix& key, const Vector& log_column, const Context& context) {
  Features features;
  features.query = query;
  features.key = key;
  features.log_column = log_column;
  const AttentionRows rows(head, features, true, context);
  Vector sums(query.rows());
  rows.each([&](std::int64_t, const RowBlock& block) {
    for (Eigen::Index a = 0; a < block.weights.rows(); ++a) {
      Eigen::Index at = 0;
      const double top = block.scores.row(a).maxCoeff(&at);
      sums[block.first + a] = top - std::log(block.weights(a, at)) + rows.row_term(block.first + a);
    }
  });
  return sums;
}

bool symmetric(const Head& head) {
  return head.pairing == Pairing::squared_distance || (head.query.weight.isZero(0) && head.key.weight.isZero(0));
}

}  // namespace

void add_factors(const Head& head, Features& features, const Context& context) {
  const Eigen::Index count = features.query.rows();
  Vector row = Vector::Zero(count), column = row;
  const auto row_sums = [&] { return log_row_sums(head, features.query, features.key, column, context); };
  // Every pairing is the same with query and key exchanged.
  const auto column_sums = [&] { return log_row_sums(head, features.key, features.query, row, context); };
  for (const Normaliser& step : head.normalise) {
    switch (step.kind) {
      case Normaliser::Kind::row: row = -row_sums(); break;
      case Normaliser::Kind::column: column = -column_sums(); break;
      case Normaliser::Kind::two_side: {
        const Vector part = step.alpha * (row + row_sums());
        row -= part;
        column -= part;
        break;
      }
      case Normaliser::Kind::sinkhorn:
        row.setZero();
        column.setZero();
        for (int i = 0; i < step.iterations; ++i) {
          if (symmetric(head)) {
            row = column = (column - row_sums()) / 2;
          } else {
            column = -column_sums();
            row = -row_sums();
          }
        }
        break;
    }
  }
  if (!head.row_last) features.row_sums = (row + row_sums()).array().exp();
  features.log_column = column;
}

}  // namespace calor::inspect

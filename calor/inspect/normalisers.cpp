#include "calor/inspect/normalisers.h"

#include <cmath>

#include "calor/engine/normalise.h"
#include "calor/inspect/rows.h"

namespace calor::inspect {

namespace {

using Factors = engine::Factors<Vector>;

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

// Of tokens over each other.
class HeadSums {
 public:
  HeadSums(const Head& head, const Features& features, const Context& context)
      : head_(head), features_(features), context_(context),
        symmetric_(head.pairing == Pairing::squared_distance || (head.query.weight.isZero(0) && head.key.weight.isZero(0))) {}
  Vector row_logs(const Factors& f) const { return f.log_row + row_sums(f); }
  void balance_rows(Factors& f) const { f.log_row = -row_sums(f); }
  // Every pairing is the same with query and key exchanged.
  void balance_columns(Factors& f) const { f.log_column = -log_row_sums(head_, features_.key, features_.query, f.log_row, context_); }
  void halve_rows(Factors& f) const { f.log_row = (f.log_column - row_sums(f)) / 2; }
  static void subtract(Vector& factor, const Vector& part) { factor -= part; }
  static void clear(Factors& f) {
    f.log_row.setZero();
    f.log_column.setZero();
  }
  bool symmetric() const { return symmetric_; }
  static bool goes_on(const Factors&, int done, int most) { return done < most; }

 private:
  Vector row_sums(const Factors& f) const { return log_row_sums(head_, features_.query, features_.key, f.log_column, context_); }

  const Head& head_;
  const Features& features_;
  const Context& context_;
  bool symmetric_;
};

}  // namespace

void add_factors(const Head& head, Features& features, const Context& context) {
  HeadSums sums(head, features, context);
  const Vector none = Vector::Zero(features.query.rows());
  Factors f{none, none};
  for (const Normaliser& step : head.normalise) engine::normalise(step, sums, f);
  if (!head.row_last) features.row_sums = sums.row_logs(f).array().exp();
  features.log_column = f.log_column;
}

}  // namespace calor::inspect

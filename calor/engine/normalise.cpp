#include "calor/engine/normalise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "calor/engine/passes.h"

namespace calor::engine {
namespace {

std::int64_t without_values(const Vector& log_sums) {
  return std::count_if(log_sums.begin(), log_sums.end(), [](double sum) { return !std::isfinite(sum); });
}

// How far the sums are from 1; a row without values cannot be scaled and does not count.
double deviation_of(const Vector& log_sums) {
  double farthest = 0;
  for (const double sum : log_sums)
    if (std::isfinite(sum)) farthest = std::max(farthest, std::abs(std::expm1(sum)));
  return farthest;
}

// A record's sums; what has no values keeps its factor.
class RecordSums {
 public:
  RecordSums(Similarity& record, const Context& context) : record_(record), context_(context) {}

  Vector row_logs(const Factors<Vector>& f) { return row_logs_of(f); }
  void balance_rows(Factors<Vector>& f) {
    const Vector logs = row_logs_of(f);
    found.empty = empty_columns_ + without_values(logs);
    subtract(f.log_row, logs);
  }
  void balance_columns(Factors<Vector>& f) {
    const Vector logs = ready_ ? *std::exchange(ready_, std::nullopt) : column_logs_of(f);
    empty_columns_ = without_values(logs);
    subtract(f.log_column, logs);
  }
  void halve_rows(Factors<Vector>& f) { subtract(f.log_row, *std::exchange(ready_, std::nullopt) * 0.5); }
  static void subtract(Vector& factor, const Vector& part) {
    if (!factor.size()) factor = Vector::Zero(part.size());
    for (Eigen::Index i = 0; i < part.size(); ++i)
      if (std::isfinite(part[i])) factor[i] -= part[i];
  }
  static void clear(Factors<Vector>& f) { f = {}; }
  bool symmetric() const { return record_.symmetric; }
  bool goes_on(const Factors<Vector>& f, int done, int most) {
    found.iterations = done;
    ready_ = symmetric() ? row_logs_of(f) : column_logs_of(f);
    found.deviation = deviation_of(*ready_);
    if (symmetric()) found.empty = without_values(*ready_);
    const bool settled = found.deviation <= Normalised::tolerance || done == (most ? most : Normalised::most_iterations);
    return !(settled && (symmetric() || done > 0));
  }
  Vector total(const Factors<Vector>& f) {
    const double total = log_total(row_logs_of(f));
    return Vector::Constant(record_.rows, total);
  }

  Normalised found;

 private:
  Similarity& with(const Factors<Vector>& f) {
    record_.log_row = f.log_row;
    record_.log_column = f.log_column;
    return record_;
  }
  Vector row_logs_of(const Factors<Vector>& f) { return log_row_sums(with(f), context_); }
  Vector column_logs_of(const Factors<Vector>& f) { return log_column_sums(with(f), context_); }

  Similarity& record_;
  const Context& context_;
  std::optional<Vector> ready_;  // the sums by which goes_on decided
  std::int64_t empty_columns_ = 0;
};

// The same for new rows, whose columns are settled: sinkhorn is one step of the rows then.
class NewRowSums : public RecordSums {
 public:
  NewRowSums(Similarity& record, const Vector& log_column, const Context& context) : RecordSums(record, context), log_column_(log_column) {}
  void balance_columns(Factors<Vector>& f) const { f.log_column = log_column_; }
  static bool symmetric() { return false; }
  static bool goes_on(const Factors<Vector>&, int done, int) { return done == 0; }

 private:
  const Vector& log_column_;
};

// Stored values that are normalised by rows next, whose sums or their reciprocals would leave the range of doubles: each is multiplied by a
// power of two, which changes no share.  The same power for all where that is enough, or else one for each row.  Others stay as they are.
void bring_into_range(Similarity& similarity) {
  constexpr int safe = 900;  // a sum of 2^63 of such values, or of their reciprocals, is finite and not denormal
  if (similarity.score.kind != Score::Kind::stored || similarity.strengthen.kind != Strengthen::Kind::none || similarity.all_pairs() || similarity.log_row.size() || similarity.log_column.size()) return;
  const Csr& given = *similarity.support;
  std::vector<int> exponent(static_cast<std::size_t>(given.rows), 0);  // of the row's greatest value; 0 for a row without one
  int least = std::numeric_limits<int>::max(), greatest = std::numeric_limits<int>::min();
  for (std::int64_t i = 0; i < given.rows; ++i) {
    double most = 0;
    for (std::int64_t e = given.begin[i]; e < given.begin[i + 1]; ++e) most = std::max(most, std::abs(given.values[e]));
    if (!(most > 0) || !std::isfinite(most)) continue;
    exponent[static_cast<std::size_t>(i)] = std::ilogb(most);
    least = std::min(least, std::ilogb(most));
    greatest = std::max(greatest, std::ilogb(most));
  }
  if (least > greatest || (least >= -safe && greatest <= safe)) return;
  const bool together = greatest - least <= safe;
  Csr scaled = given;
  for (std::int64_t i = 0; i < given.rows; ++i)
    for (std::int64_t e = given.begin[i]; e < given.begin[i + 1]; ++e) scaled.values[e] = std::ldexp(given.values[e], -(together ? greatest : exponent[static_cast<std::size_t>(i)]));
  similarity.support = std::make_shared<const Csr>(std::move(scaled));
  similarity.symmetric = similarity.symmetric && together;
}

}  // namespace

double log_total(const Vector& log_row_sums) {
  const double greatest = log_row_sums.size() ? log_row_sums.maxCoeff() : -std::numeric_limits<double>::infinity();
  require(std::isfinite(greatest), Fault::input, "[global] expected a similarity with values, found none");
  return greatest + std::log((log_row_sums.array() - greatest).exp().sum());
}

std::string_view name_of(Normaliser::Kind kind) {
  switch (kind) {
    case Normaliser::Kind::row: return "row";
    case Normaliser::Kind::column: return "column";
    case Normaliser::Kind::two_side: return "two_side";
    case Normaliser::Kind::global: return "global";
    case Normaliser::Kind::sinkhorn: break;
  }
  return "sinkhorn";
}

Normalised normalise(Similarity& similarity, const Normaliser& step, const Context& context) {
  if (step.kind == Normaliser::Kind::row) {
    bring_into_range(similarity);
    return {normalise_rows(similarity, context), 0, 0};
  }
  settle(similarity, context);
  keep_scores(similarity, context);
  RecordSums sums(similarity, context);
  Factors<Vector> f{similarity.log_row, similarity.log_column};
  normalise(step, sums, f);
  similarity.log_row = std::move(f.log_row);
  similarity.log_column = std::move(f.log_column);
  similarity.normalised.push_back(step.kind);
  return sums.found;
}

void normalise_new_rows(Similarity& similarity, const Normaliser& step, const Vector& log_column, const Context& context) {
  if (step.kind == Normaliser::Kind::row) {
    bring_into_range(similarity);
    normalise_rows(similarity, context);
    return;
  }
  NewRowSums sums(similarity, log_column, context);
  Factors<Vector> f{similarity.log_row, similarity.log_column};
  if (step.kind == Normaliser::Kind::two_side) sums.subtract(f.log_row, sums.row_logs(f) * step.alpha);
  else normalise(step, sums, f);
  similarity.log_row = std::move(f.log_row);
  similarity.log_column = log_column;
  similarity.normalised.push_back(step.kind);
}

}  // namespace calor::engine

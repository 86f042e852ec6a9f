#include "calor/similarity/symmetrise.h"

#include <limits>

#include "calor/core/error.h"
#include "calor/engine/passes.h"

namespace calor::similarity {

using namespace pipeline;

namespace {

bool same_factors(const Similarity& similarity) {
  return similarity.log_row.size() == similarity.log_column.size() && similarity.log_row == similarity.log_column;
}

}  // namespace

void outline_symmetrised(Outline& outline, const char* op, bool keeps_symmetric) {
  const bool stays = keeps_symmetric && outline.may(outline.equal_both_ways);
  require(stays || outline.may_not(outline.all_pairs), Fault::usage,
          "[{}] expected a similarity on a graph{}, found one over all pairs{}: put knn before distance, or leave {} out", op,
          keeps_symmetric ? " or a symmetric one" : "", keeps_symmetric ? " that is not symmetric" : "", op);
  require_square(outline, op, "put it after a similarity of points with themselves");
  if (outline.all_pairs != Fact::no) {
    outline.plain = Fact::unknown;
    return;
  }
  outline.symmetric = outline.equal_both_ways = outline.plain = Fact::yes;
  outline.scores = Outline::Scores::others;
}

void symmetrise(State& state, double (*combine)(double, double), bool keeps_symmetric, const Context& context) {
  Similarity& record = state.similarity;
  if (keeps_symmetric && record.symmetric && same_factors(record)) return;
  record = stored_similarity(combine_with_reverse(values_on_support(record, context), combine));
  record.symmetric = true;
}

void estimate_symmetrised(Estimate& estimate, const Arguments&) {
  estimate.pass();
  estimate.edges *= 2;
  estimate.hold(12 * estimate.edges);
}

void symmetrise_new(State& state, double (*combine)(double, double), const Context& context) {
  Similarity& record = state.similarity;
  if (record.all_pairs()) return;
  const bool one_way = record.score.kind == Score::Kind::stored || record.strengthen.scale.size() > 1 || !state.reverse;
  Csr forward = values_on_support(record, context);
  if (one_way) {
    record = stored_similarity(std::move(forward));
    return;
  }
  Csr backward;
  backward.rows = forward.rows;
  backward.begin.assign(static_cast<std::size_t>(forward.rows) + 1, 0);
  if (state.reverse) {
    Similarity reached = record;
    reached.support = state.reverse;
    backward = values_on_support(reached, context);
  }
  Csr both;
  both.rows = forward.rows;
  both.columns = forward.columns;
  constexpr std::int32_t none = std::numeric_limits<std::int32_t>::max();
  for (std::int64_t i = 0; i < forward.rows; ++i) {
    std::int64_t a = forward.begin[i], b = backward.begin[i];
    while (a < forward.begin[i + 1] || b < backward.begin[i + 1]) {
      const std::int32_t to_a = a < forward.begin[i + 1] ? forward.column[a] : none;
      const std::int32_t to_b = b < backward.begin[i + 1] ? backward.column[b] : none;
      const std::int32_t to = std::min(to_a, to_b);
      const double own = to_a == to ? forward.values[a++] : 0, other = to_b == to ? backward.values[b++] : 0;
      both.column.push_back(to);
      both.values.push_back(combine(own, other));
    }
    both.begin.push_back(both.edges());
  }
  record = stored_similarity(std::move(both));
}

}  // namespace calor::similarity

#include "calor/learn/network/attend.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/logaddexp.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/xlogy.h>

#include <algorithm>

namespace calor::learn {
namespace {

using Kind = Normaliser::Kind;

bool has_sinkhorn(const Attention& attention) {
  return std::any_of(attention.normalise.begin(), attention.normalise.end(),
                     [](const Normaliser& step) { return step.kind == Kind::sinkhorn; });
}

bool stores_scores(const Attention& attention, std::int64_t queries, std::int64_t keys) {
  return attention.score->pairing == Pairing::additive || (has_sinkhorn(attention) && queries * keys <= most_stored_pairs);
}

bool ends_in_row(const Attention& attention) { return attention.normalise.back().kind == Kind::row; }

// a + b, where undefined is 0.
at::Tensor plus(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  return a + b;
}
at::Tensor minus(const at::Tensor& a, const at::Tensor& b) { return a.defined() ? a - b : b.neg(); }

// What both kinds of sums below share: undefined factors are 0, and sinkhorn goes on for as long as it says.
struct TensorFactors {
  static void subtract(at::Tensor& factor, const at::Tensor& part) { factor = minus(factor, part); }
  static void clear(Factors& f) { f = Factors(); }
  static bool goes_on(const Factors&, int done, int most) { return done < most; }
};

// Of tokens over each other.
class TokenSums : public TensorFactors {
 public:
  TokenSums(const Scores& scores, bool symmetric) : scores_(scores), symmetric_(symmetric) {}
  at::Tensor row_logs(const Factors& f) const { return plus(f.log_row, scores_.log_row_sums(f.log_column)); }
  void balance_rows(Factors& f) const { f.log_row = scores_.log_row_sums(f.log_column).neg(); }
  void balance_columns(Factors& f) const { f.log_column = scores_.log_column_sums(f.log_row).neg(); }
  void halve_rows(Factors& f) const { f.log_row = minus(f.log_column, scores_.log_row_sums(f.log_column)) / 2; }
  bool symmetric() const { return symmetric_; }

 private:
  const Scores& scores_;
  bool symmetric_;
};

// Of points beside the tokens: a row is over the tokens and the point itself, a column over the same.
class PointSums : public TensorFactors {
 public:
  PointSums(const Attention& attention, const LayerInput& tokens, const LayerInput& points, const at::Tensor& factor)
      : score_(*attention.score),
        from_tokens_{tokens.features.query, points.features.key},
        factor_(factor),
        to_tokens_(score_.pairing, {points.features.query, tokens.features.key}, factor, false),
        own_(own_scores(score_.pairing, points.features, factor)) {}

  // The tokens' factors that the points meet.
  void meet(const Factors& tokens) {
    tokens_ = tokens;
    over_row_ = over_column_ = at::Tensor();
  }

  at::Tensor row_logs(const Factors& f) { return minus(f.log_row, balanced_row(f)); }
  void balance_rows(Factors& f) { f.log_row = balanced_row(f); }
  void balance_columns(Factors& f) {
    if (!over_column_.defined()) over_column_ = Scores(score_.pairing, from_tokens_, factor_, false).log_column_sums(tokens_.log_row);
    f.log_column = at::logaddexp(over_column_, plus(own_, f.log_row)).neg();
  }
  void halve_rows(Factors& f) { f.log_row = plus(f.log_column, balanced_row(f)) / 2; }
  bool symmetric() const { return score_.symmetric; }

  at::Tensor receive(const Factors& f, const at::Tensor& token_value, const at::Tensor& own_value, bool rows_add_up_to_one) const {
    const Mean mean = to_tokens_.mean(tokens_.log_column, token_value);
    const at::Tensor own = plus(own_, f.log_column);
    const at::Tensor row = rows_add_up_to_one ? at::logaddexp(mean.log_sum_exp, own).neg() : f.log_row;
    return mean.out * plus(mean.log_sum_exp, row).exp().unsqueeze(1) + own_value * plus(own, row).exp().unsqueeze(1);
  }

 private:
  at::Tensor balanced_row(const Factors& f) {
    if (!over_row_.defined()) over_row_ = to_tokens_.log_row_sums(tokens_.log_column);
    return at::logaddexp(over_row_, plus(own_, f.log_column)).neg();
  }

  const ScoreKind& score_;
  Features from_tokens_;
  at::Tensor factor_;
  Scores to_tokens_;
  at::Tensor own_, over_row_, over_column_;  // sums over the tokens, once they were asked for
  Factors tokens_;
};

}  // namespace

Attended attend(const Attention& attention, const LayerInput& tokens, const at::Tensor& factor) {
  const std::int64_t count = tokens.value.size(0);
  const Scores scores(attention.score->pairing, tokens.features, factor, stores_scores(attention, count, count));
  TokenSums sums(scores, attention.score->symmetric);
  Attended attended;
  Factors f;
  for (const Normaliser& step : attention.normalise) {
    attended.factors.push_back(f);
    const bool last = &step == &attention.normalise.back();
    if (!last || step.kind != Kind::row) engine::normalise(step, sums, f);
  }
  attended.factors.push_back(f);
  const Mean mean = scores.mean(f.log_column, tokens.value);
  attended.out = ends_in_row(attention) ? mean.out : mean.out * plus(mean.log_sum_exp, f.log_row).exp().unsqueeze(1);
  return attended;
}

at::Tensor attend_beside(const Attention& attention, const LayerInput& tokens, const std::vector<Factors>& factors,
                         const LayerInput& points, const at::Tensor& factor) {
  PointSums sums(attention, tokens, points, factor);
  const std::size_t steps = attention.normalise.size() - (ends_in_row(attention) ? 1 : 0);
  Factors f;
  for (std::size_t s = 0; s < steps; ++s) {
    const Normaliser& step = attention.normalise[s];
    sums.meet(factors[step.kind == Kind::sinkhorn ? s + 1 : s]);  // sinkhorn has only the factors that it ends with
    engine::normalise(step, sums, f);
  }
  sums.meet(factors.back());
  return sums.receive(f, tokens.value, points.value, ends_in_row(attention));
}

at::Tensor attention_rows(const Attention& attention, const LayerInput& tokens, const std::vector<Factors>& factors,
                          const at::Tensor& factor, const at::Tensor& rows) {
  const Features sample{tokens.features.query.index_select(0, rows), tokens.features.key};
  const at::Tensor logs = scores_up_to_rows(attention.score->pairing, sample) * factor.squeeze();
  return at::softmax(plus(logs, factors.back().log_column), 1);
}

std::int64_t passes(const Attention& attention) {
  std::int64_t sums = 1;
  for (const Normaliser& step : attention.normalise) {
    const bool last = &step == &attention.normalise.back();
    if (step.kind == Kind::sinkhorn) sums += step.iterations * (attention.score->symmetric ? 1 : 2);
    else if (!last || step.kind != Kind::row) ++sums;
  }
  return sums;
}

std::int64_t stored_numbers(const Attention& attention, std::int64_t queries, std::int64_t keys, bool gradient) {
  if (!stores_scores(attention, queries, keys)) return 0;
  constexpr std::int64_t temporaries = 4;  // scores, those with a factor added, weights, and one in between
  return queries * keys * (gradient ? attention.heads * (temporaries + 2 * passes(attention)) : temporaries);
}

double effective_share(const at::Tensor& rows) {
  const at::Tensor entropy = at::xlogy(rows, rows).sum(1).neg();
  return entropy.exp().mean().item<double>() / static_cast<double>(rows.size(1));
}

}  // namespace calor::learn

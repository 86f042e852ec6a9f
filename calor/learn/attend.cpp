#include "calor/learn/attend.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/logaddexp.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/xlogy.h>

#include <algorithm>

namespace calor::learn {
namespace {

using Kind = Normaliser::Kind;

// Up to 16 MiB of scores in float, sinkhorn's many sums are taken from a stored matrix, where the kernel would form the scores
// again for each.
constexpr std::int64_t most_stored = std::int64_t{1} << 22;

bool has_sinkhorn(const Attention& attention) {
  return std::any_of(attention.normalise.begin(), attention.normalise.end(),
                     [](const Normaliser& step) { return step.kind == Kind::sinkhorn; });
}

bool stores_scores(const Attention& attention, std::int64_t queries, std::int64_t keys) {
  return attention.score->pairing == Pairing::additive || (has_sinkhorn(attention) && queries * keys <= most_stored);
}

bool ends_in_row(const Attention& attention) { return attention.normalise.back().kind == Kind::row; }

// a + b, where undefined is 0.
at::Tensor plus(const at::Tensor& a, const at::Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  return a + b;
}
at::Tensor minus(const at::Tensor& a, const at::Tensor& b) { return a.defined() ? a - b : b.neg(); }

Factors doubly_stochastic(const Scores& scores, bool symmetric, int iterations) {
  Factors f;
  for (int i = 0; i < iterations; ++i) {
    if (symmetric) {
      f.log_row = minus(f.log_column, scores.log_row_sums(f.log_column)) / 2;
      f.log_column = f.log_row;
    } else {
      f.log_column = scores.log_column_sums(f.log_row).neg();
      f.log_row = scores.log_row_sums(f.log_column).neg();
    }
  }
  return f;
}

Factors normalised(const Normaliser& step, const Scores& scores, bool symmetric, Factors f) {
  switch (step.kind) {
    case Kind::row:
      f.log_row = scores.log_row_sums(f.log_column).neg();
      break;
    case Kind::column:
      f.log_column = scores.log_column_sums(f.log_row).neg();
      break;
    case Kind::two_side: {
      const at::Tensor part = plus(f.log_row, scores.log_row_sums(f.log_column)) * step.alpha;
      f = {minus(f.log_row, part), minus(f.log_column, part)};
      break;
    }
    case Kind::sinkhorn:
      f = doubly_stochastic(scores, symmetric, step.iterations);
      break;
  }
  return f;
}

// A point's own two factors, from its row over the tokens and itself, and its column of the same.
class Beside {
 public:
  Beside(const Attention& attention, const LayerInput& tokens, const LayerInput& points, const at::Tensor& factor)
      : score_(*attention.score),
        from_tokens_{tokens.features.query, points.features.key},
        factor_(factor),
        to_tokens_(score_.pairing, {points.features.query, tokens.features.key}, factor, false),
        own_(own_scores(score_.pairing, points.features, factor)) {}

  // The tokens' factors before the step, and after it.
  void normalise(const Normaliser& step, const Factors& before, const Factors& after) {
    switch (step.kind) {
      case Kind::row:
        f_.log_row = log_row(to_tokens_.log_row_sums(before.log_column));
        break;
      case Kind::column:
        f_.log_column = log_column(sums_from_tokens(before.log_row));
        break;
      case Kind::two_side: {
        const at::Tensor part = minus(f_.log_row, log_row(to_tokens_.log_row_sums(before.log_column))) * step.alpha;
        f_ = {minus(f_.log_row, part), minus(f_.log_column, part)};
        break;
      }
      case Kind::sinkhorn:
        scale_doubly(step.iterations, after);
        break;
    }
  }

  at::Tensor receive(const at::Tensor& log_column, const at::Tensor& token_value, const at::Tensor& own_value,
                     bool rows_add_up_to_one) const {
    const Mean mean = to_tokens_.mean(log_column, token_value);
    const at::Tensor own = plus(own_, f_.log_column);
    const at::Tensor row = rows_add_up_to_one ? at::logaddexp(mean.log_sum_exp, own).neg() : f_.log_row;
    return mean.out * plus(mean.log_sum_exp, row).exp().unsqueeze(1) + own_value * plus(own, row).exp().unsqueeze(1);
  }

 private:
  at::Tensor sums_from_tokens(const at::Tensor& log_row) const {
    return Scores(score_.pairing, from_tokens_, factor_, false).log_column_sums(log_row);
  }
  // What makes the row (the column) add up to 1, given the sum over the tokens.
  at::Tensor log_row(const at::Tensor& over_tokens) const {
    return at::logaddexp(over_tokens, plus(own_, f_.log_column)).neg();
  }
  at::Tensor log_column(const at::Tensor& over_tokens) const {
    return at::logaddexp(over_tokens, plus(own_, f_.log_row)).neg();
  }

  void scale_doubly(int iterations, const Factors& tokens) {
    f_ = {};
    const at::Tensor row = to_tokens_.log_row_sums(tokens.log_column);
    const at::Tensor column = score_.symmetric ? row : sums_from_tokens(tokens.log_row);
    for (int i = 0; i < iterations; ++i) {
      if (score_.symmetric) {
        f_.log_row = plus(f_.log_column, log_row(row)) / 2;
        f_.log_column = f_.log_row;
      } else {
        f_.log_column = log_column(column);
        f_.log_row = log_row(row);
      }
    }
  }

  const ScoreKind& score_;
  Features from_tokens_;
  at::Tensor factor_;
  Scores to_tokens_;
  at::Tensor own_;
  Factors f_;
};

}  // namespace

Attended attend(const Attention& attention, const LayerInput& tokens, const at::Tensor& factor) {
  const std::int64_t count = tokens.value.size(0);
  const Scores scores(attention.score->pairing, tokens.features, factor, stores_scores(attention, count, count));
  Attended attended;
  Factors f;
  for (const Normaliser& step : attention.normalise) {
    attended.factors.push_back(f);
    const bool last = &step == &attention.normalise.back();
    if (!last || step.kind != Kind::row) f = normalised(step, scores, attention.score->symmetric, f);
  }
  attended.factors.push_back(f);
  const Mean mean = scores.mean(f.log_column, tokens.value);
  attended.out = ends_in_row(attention) ? mean.out : mean.out * plus(mean.log_sum_exp, f.log_row).exp().unsqueeze(1);
  return attended;
}

at::Tensor attend_beside(const Attention& attention, const LayerInput& tokens, const std::vector<Factors>& factors,
                         const LayerInput& points, const at::Tensor& factor) {
  Beside beside(attention, tokens, points, factor);
  const std::size_t steps = attention.normalise.size() - (ends_in_row(attention) ? 1 : 0);
  for (std::size_t s = 0; s < steps; ++s) beside.normalise(attention.normalise[s], factors[s], factors[s + 1]);
  return beside.receive(factors.back().log_column, tokens.value, points.value, ends_in_row(attention));
}

at::Tensor attention_rows(const Attention& attention, const LayerInput& tokens, const Attended& attended,
                          const at::Tensor& factor, const at::Tensor& rows) {
  const Features sample{tokens.features.query.index_select(0, rows), tokens.features.key};
  const at::Tensor logs = scores_up_to_rows(attention.score->pairing, sample) * factor.squeeze();
  return at::softmax(plus(logs, attended.factors.back().log_column), 1);
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
  return queries * keys * (temporaries + (gradient ? 2 * passes(attention) : 0));
}

double effective_share(const at::Tensor& rows) {
  const at::Tensor entropy = at::xlogy(rows, rows).sum(1).neg();
  return entropy.exp().mean().item<double>() / static_cast<double>(rows.size(1));
}

}  // namespace calor::learn

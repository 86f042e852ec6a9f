// Normalisation, generic over who computes the sums.
//
// The value of a pair is exp(s_ij + log_row_i + log_column_j), and a step edits the two factors:
//   row              every row adds up to 1
//   column           every column does
//   two_side(alpha)  q_i the row's sum so far: both factors lose alpha log q (Coifman & Lafon 2006)
//   global           all values add up to 1
//   sinkhorn         from factors of 0, columns and rows in turn until every one adds up to 1 (Sinkhorn & Knopp 1967).  What is symmetric
//                    up to its factors keeps one factor instead, log f <- (log f - log sum_j value(i, j) f_j) / 2, one pass an iteration:
//                    near the solution an error along an eigenvector of the result shrinks by (1 - eigenvalue) / 2, so at least by half
//                    for a positive kernel (Knight, Ruiz & Ucar 2014; Marshall & Coifman 2019)
#pragma once

#include <cstdint>
#include <utility>

#include "calor/core/error.h"
#include "calor/core/progress.h"
#include "calor/engine/matrix.h"
#include "calor/engine/normaliser.h"
#include "calor/engine/record.h"

namespace calor::engine {

// The logarithms of the factors; V is a vector of doubles, or a tensor.
template <class V>
struct Factors {
  V log_row, log_column;
};

// Sums is what a step asks of the pairs, given the factors so far:
//   V row_logs(f)                     log of the row sums, both factors included
//   void balance_rows(f), balance_columns(f), halve_rows(f)   the factor that makes sums 1; the latter half of the step to it
//   void subtract(V& factor, part)    factor -= part
//   void clear(f)                     both factors 0
//   bool symmetric()                  up to the factors
//   bool goes_on(f, done, most)       whether sinkhorn takes another iteration
//   V total(f)                        log of the sum of all, where the step `global` is allowed
template <class Sums, class V>
void normalise(const Normaliser& step, Sums& sums, Factors<V>& f) {
  switch (step.kind) {
    case Normaliser::Kind::row: sums.balance_rows(f); break;
    case Normaliser::Kind::column: sums.balance_columns(f); break;
    case Normaliser::Kind::two_side: {
      const V part = sums.row_logs(f) * step.alpha;
      sums.subtract(f.log_row, part);
      sums.subtract(f.log_column, part);
      break;
    }
    case Normaliser::Kind::global:
      if constexpr (requires { sums.total(f); }) sums.subtract(f.log_row, sums.total(f));
      else fail(Fault::internal, "[normalise] expected a step of a layer, found global");
      break;
    case Normaliser::Kind::sinkhorn:
      sums.clear(f);
      for (int done = 0; sums.goes_on(f, done, step.iterations); ++done) {
        if (sums.symmetric()) {
          sums.halve_rows(f);
          f.log_column = f.log_row;
        } else {
          sums.balance_columns(f);
          sums.balance_rows(f);
        }
      }
      break;
  }
}

// What came of a step on a record.
struct Normalised {
  std::int64_t empty = 0;  // rows (and columns, where those were balanced) without values, which stay so
  int iterations = 0;      // of sinkhorn
  double deviation = 0;    // of its column sums from 1
  static constexpr int most_iterations = 1000;  // of sinkhorn, where a Normaliser says 0
  static constexpr double tolerance = 1e-10;  // sums of a million terms are right to about 1e-13: ten times farther from 1 could be rounding
};

// The logarithm of the sum of all values, by the logarithms of the row sums.  Throws Fault::input for a similarity without values.
double log_total(const Vector& log_row_sums);

// Normalises a record.  Row sums of an exponential over all pairs are left to the pass that next reads the values (normalise_rows).
// Throws Fault::input for negative sums, and with global for a record without values.
Normalised normalise(Similarity& similarity, const Normaliser& step, const Context& context);

// New rows beside the columns of a fit: these keep the factors that they had after the step, and the rows get their own.
void normalise_new_rows(Similarity& similarity, const Normaliser& step, const Vector& log_column, const Context& context);

}  // namespace calor::engine

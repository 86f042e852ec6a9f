// The engine: a record streamed through a reduction.  All pairs go tile by tile, a support edge by edge; memory is
// O((rows + columns) d), time O(rows columns d) or O(edges d).  Pieces are fixed by the problem, so results have the
// same bits for any number of threads.
#pragma once

#include "calor/core/progress.h"
#include "calor/engine/matrix.h"
#include "calor/engine/record.h"

namespace calor::engine {

// log of sum_j value(i, j).  Minus infinity for a row without values or whose values are all 0.
// Throws Fault::input for a row whose sum is negative: there is no factor that would make it 1.
Vector log_row_sums(const Similarity& similarity, const Context& context);
Vector log_column_sums(const Similarity& similarity, const Context& context);

// Normalises by row.  Over all pairs of points the sums of an exponential are left to be found by the pass that next reads the values, which
// can have both in one (flow); so on a graph's edges.  Returns how many rows are empty, which
// stay so.
std::int64_t normalise_rows(Similarity& similarity, const Context& context);
// Puts deferred sums into log_row.  The passes below do so for themselves where they meet them; what reads the record otherwise calls this.
void settle(Similarity& similarity, const Context& context);

// value * H: rows x width, for H with one row a column of the similarity.
Matrix apply(const Similarity& similarity, const Matrix& values, const Context& context);
// The same, with each row of a similarity whose rows add up to 1 (`row` last, exponential) divided by the sum of its values as computed.
// The logarithms that normalise it are rounded, which tells where scores are large beside their bandwidth: |log| of 1e12 leaves four
// digits of a mean, and of 1e17 none.
Matrix flow(const Similarity& similarity, const Matrix& values, const Context& context);
// The rows' weighted means of H for an exponential record, whatever its row factors: sums and products in one pass, relative
// to the greatest so far.  0 for a row without values.  Products and squared distances of points take the attention kernel in double,
// on a support the kernel of edges.
Matrix row_means(const Similarity& similarity, const Matrix& values, const Context& context);
// Each row over its sum, where that is positive and finite.
void divide_rows(Matrix& values, const Vector& sums);
// value' * H: columns x width.
Matrix apply_transposed(const Similarity& similarity, const Matrix& values, const Context& context);

// The column of the greatest value before factors in each row, the first of equal ones; -1 for an empty row.
std::vector<std::int64_t> best_columns(const Similarity& similarity, const Context& context);

// All values in one matrix: the plain composition that the passes above are tested against, and what the stages use that
// say they need rows x columns numbers.  Throws Fault::memory.
Matrix materialise(const Similarity& similarity, const char* op, const Context& context);
// The same to keep: the memory stays reserved for as long as anyone holds it.
std::shared_ptr<Matrix> stored_values(const Similarity& similarity, const char* op, const Context& context);
// Memory for such a matrix.
Reservation reserve_values(std::int64_t rows, std::int64_t columns, const char* op, const Context& context);

// Computes the scores of all pairs of points once, before passes that each would: N^2 d / 2 multiply-adds and 8 N^2 bytes.  Does nothing
// where that is more than a quarter of the memory limit, for points in few dimensions (whose scores are computed as fast as they are
// read), and where rows and columns are not the same points.
void keep_scores(Similarity& similarity, const Context& context);
// Points of fewer dimensions have scores that are computed as fast as they are read.
inline constexpr double few_dimensions = 16;
// Whether it would, by these sizes.
bool keeps_scores(double rows, double features, double memory);

// The values on the record's support, factors included, as a graph; and the scores, before strengthening.  O(edges) memory.
Csr values_on_support(const Similarity& similarity, const Context& context);
Csr scores_on_support(const Similarity& similarity, const Context& context);

// The record with its values computed and stored on its support; factors stay as they are.
Similarity store_scores(const Similarity& similarity, const Context& context);

}  // namespace calor::engine

// What a record's pairs come to: every reducer of the drivers (drivers.h).  Each holds O(rows) beside its result.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <mutex>
#include <vector>

#include "calor/core/error.h"
#include "calor/engine/drivers.h"
#include "calor/kernels/packed_doubles.h"
#include "calor/kernels/symmetric.h"

namespace calor::engine {

inline constexpr double nothing = -std::numeric_limits<double>::infinity();

// For reducers that keep no state of rows.
struct Stateless {
  struct Rows {};
  static Rows begin(std::int64_t, std::int64_t) { return {}; }
  static void end(Rows, std::int64_t, std::int64_t) {}
};

// sums += numbers times the rows of h that the block's columns are.
inline void add_weighted(Eigen::Ref<Matrix> sums, const Block& block, const Matrix& h) {
  if (!block.columns) {
    sums.noalias() += block.numbers * h.middleRows(block.first_column, block.numbers.cols());
    return;
  }
  for (Eigen::Index b = 0; b < block.numbers.cols(); ++b) sums.row(0) += block.numbers(0, b) * h.row(block.columns[b]);
}

// Running log of a sum of exponentials.
struct LogSum {
  double greatest = nothing, sum = 0;
  // Puts the exponentials, relative to the greatest so far, in place of the logarithms.
  void add(Eigen::Ref<Vector> logs) {
    if (logs.size() == 0) return;
    const double peak = logs.maxCoeff();
    if (peak == nothing) {
      logs.setZero();
      return;
    }
    if (peak > greatest) {
      sum *= std::exp(greatest - peak);
      greatest = peak;
    }
    logs.array() -= greatest;
    kernels::exponentials(logs.data(), logs.size());
    sum += logs.sum();
  }
  double value() const { return sum > 0 ? greatest + std::log(sum) : nothing; }
};

// log sum of the values of an exponential record, in logarithms throughout.
struct RowLogSumExp {
  static constexpr Reads reads = Reads::logs;
  static constexpr Span span = Span::tiles;
  using Rows = std::vector<LogSum>;
  Vector result;

  explicit RowLogSumExp(std::int64_t rows) : result(rows) {}
  Rows begin(std::int64_t, std::int64_t rows) const { return Rows(static_cast<std::size_t>(rows)); }
  void add(Rows& sums, const Block& block) const {
    for (Eigen::Index a = 0; a < block.numbers.rows(); ++a) sums[static_cast<std::size_t>(a)].add(block.numbers.row(a).transpose());
  }
  void end(const Rows& sums, std::int64_t first, std::int64_t rows) {
    for (std::int64_t a = 0; a < rows; ++a) result[first + a] = sums[static_cast<std::size_t>(a)].value();
  }
};

// The logarithm of the sum of the values, whatever the record.  Throws Fault::input for a negative sum.
struct RowLogSum {
  static constexpr Reads reads = Reads::values;
  static constexpr Span span = Span::tiles;
  using Rows = Vector;
  Vector result;

  explicit RowLogSum(std::int64_t rows) : result(rows) {}
  Rows begin(std::int64_t, std::int64_t rows) const { return Vector::Zero(rows); }
  void add(Rows& sums, const Block& block) const { sums += block.numbers.rowwise().sum(); }
  void end(const Rows& sums, std::int64_t first, std::int64_t rows) {
    for (std::int64_t a = 0; a < rows; ++a) {
      require(sums[a] >= 0, Fault::input,
              "[normalise] expected sums that are not negative, found {:.6g} in row {}: strengthen the similarity first (exp), or "
              "drop negative weights",
              sums[a], first + a + 1);
      result[first + a] = sums[a] > 0 ? std::log(sums[a]) : nothing;
    }
  }
};

// sum_j value(i, j) h_j.
struct WeightedSum : Stateless {
  static constexpr Reads reads = Reads::values;
  static constexpr Span span = Span::tiles;
  const Matrix& h;
  Matrix result;

  WeightedSum(std::int64_t rows, const Matrix& values) : h(values), result(Matrix::Zero(rows, values.cols())) {}
  void add(Rows, const Block& block) {
    add_weighted(result.middleRows(block.first_row, block.numbers.rows()), block, h);
  }
};

// A dot product in lanes of its own, so that the bits do not depend on where the numbers lie.
inline double dot_product(const double* x, const double* y, Eigen::Index count) {
  constexpr Eigen::Index lanes = 8;
  double sums[lanes] = {};
  Eigen::Index i = 0;
  for (; i + lanes <= count; i += lanes)
    for (Eigen::Index lane = 0; lane < lanes; ++lane) sums[lane] += x[i + lane] * y[i + lane];
  for (; i < count; ++i) sums[i % lanes] += x[i] * y[i];
  for (Eigen::Index half = lanes / 2; half > 0; half /= 2)
    for (Eigen::Index lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
  return sums[0];
}

// The same row by row, so that a row's bits do not depend on those beside it.
struct EachRowSum : Stateless {
  static constexpr Reads reads = Reads::values;
  static constexpr Span span = Span::tiles;
  Matrix h;       // with columns of zeros behind those given, up to a whole number of vectors
  Matrix result;  // of as many columns

  EachRowSum(std::int64_t rows, const Matrix& values) {
    constexpr std::int64_t whole = kernels::weighted_width;
    const std::int64_t width = values.cols() == 1 ? 1 : (values.cols() + whole - 1) / whole * whole;
    h = Matrix::Zero(values.rows(), width);
    h.leftCols(values.cols()) = values;
    result = Matrix::Zero(rows, width);
  }
  void add(Rows, const Block& block) {
    const Eigen::Index rows = block.numbers.rows(), count = block.numbers.cols();
    if (!block.columns && h.cols() > 1) {
      kernels::add_weighted_rows(block.numbers.data(), rows, count, count, h.row(block.first_column).data(), h.cols(), result.row(block.first_row).data());
      return;
    }
    for (Eigen::Index a = 0; a < rows; ++a) {
      auto sum = result.row(block.first_row + a);
      if (!block.columns) sum[0] += dot_product(block.numbers.row(a).data(), h.data() + block.first_column, count);
      else
        for (Eigen::Index b = 0; b < count; ++b) sum += block.numbers(a, b) * h.row(block.column(b));
    }
  }
};

// sum_j value(i, j) h_j / sum_j value(i, j) of an exponential record, both in one pass; 0 for a row without values.
struct SoftmaxMean {
  static constexpr Reads reads = Reads::logs;
  static constexpr Span span = Span::tiles;
  using Rows = std::vector<LogSum>;
  const Matrix& h;
  Matrix result;

  SoftmaxMean(std::int64_t rows, const Matrix& values) : h(values), result(Matrix::Zero(rows, values.cols())) {}
  Rows begin(std::int64_t, std::int64_t rows) const { return Rows(static_cast<std::size_t>(rows)); }
  void add(Rows& sums, const Block& block) {
    auto means = result.middleRows(block.first_row, block.numbers.rows());
    for (Eigen::Index a = 0; a < block.numbers.rows(); ++a) {
      LogSum& sum = sums[static_cast<std::size_t>(a)];
      const double before = sum.greatest;
      sum.add(block.numbers.row(a).transpose());
      if (sum.greatest > before) means.row(a) *= std::exp(before - sum.greatest);
    }
    add_weighted(means, block, h);
  }
  void end(const Rows& sums, std::int64_t first, std::int64_t rows) {
    for (std::int64_t a = 0; a < rows; ++a)
      if (const double sum = sums[static_cast<std::size_t>(a)].sum; sum > 0) result.row(first + a) /= sum;
  }
};

// The column of the greatest score, the first of equal ones; -1 for a row without.
struct ArgBest {
  static constexpr Reads reads = Reads::scores;
  static constexpr Span span = Span::tiles;
  using Rows = Vector;  // the greatest so far
  std::vector<std::int64_t> result;

  explicit ArgBest(std::int64_t rows) : result(static_cast<std::size_t>(rows), -1) {}
  Rows begin(std::int64_t, std::int64_t rows) const { return Vector::Constant(rows, nothing); }
  void add(Rows& greatest, const Block& block) {
    if (block.numbers.cols() == 0) return;
    for (Eigen::Index a = 0; a < block.numbers.rows(); ++a) {
      std::int64_t& best = result[static_cast<std::size_t>(block.first_row + a)];
      Eigen::Index at = 0;
      const double peak = block.numbers.row(a).maxCoeff(&at);
      if (best >= 0 && !(peak > greatest[a])) continue;
      best = block.column(at);
      greatest[a] = peak;
    }
  }
  void end(const Rows&, std::int64_t, std::int64_t) const {}
};

// A choice of pairs in each row: List has offer(row, column, number) and the state that this needs; done(row, list) takes it over.
template <Reads what, class List, class Done>
struct Chosen {
  static constexpr Reads reads = what;
  static constexpr Span span = Span::tiles;
  using Rows = std::vector<List>;
  List empty;
  Done done;

  Rows begin(std::int64_t, std::int64_t rows) const { return Rows(static_cast<std::size_t>(rows), empty); }
  void add(Rows& lists, const Block& block) const {
    for (Eigen::Index a = 0; a < block.numbers.rows(); ++a) {
      List& list = lists[static_cast<std::size_t>(a)];
      for (Eigen::Index b = 0; b < block.numbers.cols(); ++b) list.offer(block.first_row + a, block.column(b), block.numbers(a, b));
    }
  }
  void end(Rows& lists, std::int64_t first, std::int64_t rows) {
    for (std::int64_t a = 0; a < rows; ++a) done(first + a, std::move(lists[static_cast<std::size_t>(a)]));
  }
};

// k-best and the like: done(row, list) for each row's list after all its pairs were offered to a copy of `empty`.
template <Reads what, class List, class Done>
Chosen<what, List, Done> choose(List empty, Done done) {
  return {std::move(empty), std::move(done)};
}

// Something of each row's scores as a whole, but for those of left-out pairs: of_row(row, scores) is its number.
template <class OfRow>
struct RowScores : Stateless {
  static constexpr Reads reads = Reads::scores;
  static constexpr Span span = Span::whole_rows;
  OfRow of_row;
  Vector result;

  RowScores(std::int64_t rows, OfRow function) : of_row(std::move(function)), result(rows) {}
  void add(Rows, const Block& block) {
    Vector scores(block.numbers.cols());
    for (Eigen::Index a = 0; a < block.numbers.rows(); ++a) {
      Eigen::Index used = 0;
      for (const double score : block.numbers.row(a))
        if (std::isfinite(score)) scores[used++] = score;
      result[block.first_row + a] = of_row(block.first_row + a, scores.head(used));
    }
  }
};

// Of each row the greatest score below 0, minus infinity where none is, and the sum of all that are not left out.
struct PairRange : Stateless {
  static constexpr Reads reads = Reads::scores;
  static constexpr Span span = Span::tiles;
  Vector greatest, sum;

  explicit PairRange(std::int64_t rows) : greatest(Vector::Constant(rows, nothing)), sum(Vector::Zero(rows)) {}
  void add(Rows, const Block& block) {
    for (Eigen::Index a = 0; a < block.numbers.rows(); ++a)
      for (const double score : block.numbers.row(a)) {
        if (score == nothing) continue;
        if (score < 0) greatest[block.first_row + a] = std::max(greatest[block.first_row + a], score);
        sum[block.first_row + a] += score;
      }
  }
};

// How often each of `bins` numbers comes among the pairs: of_score tells a score's.
template <class OfScore>
struct Histogram : Stateless {
  static constexpr Reads reads = Reads::scores;
  static constexpr Span span = Span::tiles;
  OfScore of_score;
  std::vector<std::int64_t> result;
  std::mutex guard;

  Histogram(std::size_t bins, OfScore function) : of_score(std::move(function)), result(bins, 0) {}
  void add(Rows, const Block& block) {
    std::vector<std::uint32_t> found(static_cast<std::size_t>(block.numbers.size()));
    for (Eigen::Index e = 0; e < block.numbers.size(); ++e) found[static_cast<std::size_t>(e)] = of_score(block.numbers.data()[e]);
    const std::lock_guard lock(guard);  // whole numbers: any order adds up to the same
    for (const std::uint32_t bin : found) ++result[bin];
  }
};

// The values themselves.
struct StoreDense : Stateless {
  static constexpr Reads reads = Reads::values;
  static constexpr Span span = Span::tiles;
  Matrix result;

  StoreDense(std::int64_t rows, std::int64_t columns) : result(Matrix::Zero(rows, columns)) {}
  void add(Rows, const Block& block) {
    const auto &numbers = block.numbers;
    if (!block.columns) result.block(block.first_row, block.first_column, numbers.rows(), numbers.cols()) = numbers;
    else
      for (Eigen::Index b = 0; b < numbers.cols(); ++b) result(block.first_row, block.columns[b]) = numbers(0, b);
  }
};

// The scores of a symmetric record, each pair computed once.
struct StoreSymmetricScores : Stateless {
  static constexpr Reads reads = Reads::scores;
  static constexpr Span span = Span::lower;
  Matrix result;

  explicit StoreSymmetricScores(std::int64_t rows) : result(rows, rows) {}
  void add(Rows, const Block& block) {
    const std::int64_t first = block.first_row, column = block.first_column, count = block.numbers.rows(), width = block.numbers.cols();
    result.block(first, column, count, width) = block.numbers;
    if (const std::int64_t left = std::min(width, first - column); left > 0) result.block(column, first, left, count) = block.numbers.leftCols(left).transpose();
  }
};

// The lower triangle of a symmetric record's values, a row after the other.
struct StoreTriangle : Stateless {
  static constexpr Reads reads = Reads::values;
  static constexpr Span span = Span::lower;
  kernels::SymmetricMatrix result;

  explicit StoreTriangle(std::int64_t rows) : result(rows) {}
  void add(Rows, const Block& block) {
    for (Eigen::Index a = 0; a < block.numbers.rows(); ++a) {
      const std::int64_t i = block.first_row + a;
      std::copy_n(block.numbers.row(a).data(), std::clamp<std::int64_t>(i + 1 - block.first_column, 0, block.numbers.cols()), result.row(i) + block.first_column);
    }
  }
};

// On a support: one number for each edge.
template <Reads what>
struct StoreEdges : Stateless {
  static constexpr Reads reads = what;
  static constexpr Span span = Span::tiles;
  Csr result;

  explicit StoreEdges(const Csr& support) : result(support) { result.values.resize(support.column.size()); }
  void add(Rows, const Block& block) {
    std::copy_n(block.numbers.data(), block.numbers.size(), result.values.data() + result.begin[static_cast<std::size_t>(block.first_row)]);
  }
};

}  // namespace calor::engine

#include "calor/analyse/embedding.h"

#include <Eigen/Core>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/threads.h"

namespace calor::analyse {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::int64_t piece = 32, block = 512;

Eigen::Map<const Matrix> map(const Points& points) { return {points.values, points.rows, points.columns}; }

std::vector<std::int64_t> judged_rows(const Points& input, const EmbeddingQualityOptions& options) {
  const std::int64_t n = input.rows;
  std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), 0);
  const double affordable = options.work / (static_cast<double>(n) * static_cast<double>(std::max<std::int64_t>(1, input.columns)));
  if (n <= options.all_up_to && static_cast<double>(n) <= affordable) return rows;
  const auto wanted = std::clamp(affordable, static_cast<double>(options.least_sample), static_cast<double>(options.sample));
  Random random(options.seed, Purpose::split);
  rows = permutation(n, random);
  rows.resize(static_cast<std::size_t>(std::min<double>(wanted, static_cast<double>(n))));
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Squared distances of some rows to all, from products of centred coordinates: copies a block at a time.
Matrix squared_distances(const Points& points, const Eigen::RowVectorXd& centre, std::span<const std::int64_t> rows) {
  const auto all = map(points);
  Matrix some(static_cast<Eigen::Index>(rows.size()), points.columns);
  for (std::size_t a = 0; a < rows.size(); ++a) some.row(static_cast<Eigen::Index>(a)) = all.row(rows[a]) - centre;
  const Eigen::VectorXd squares = some.rowwise().squaredNorm();
  Matrix result(some.rows(), points.rows);
  for (std::int64_t first = 0; first < points.rows; first += block) {
    const std::int64_t count = std::min(block, points.rows - first);
    const Matrix part = all.middleRows(first, count).rowwise() - centre;
    result.middleCols(first, count).noalias() = -2 * some * part.transpose();
    result.middleCols(first, count).rowwise() += part.rowwise().squaredNorm().transpose();
  }
  result.colwise() += squares;
  return result.cwiseMax(0);
}

// The k least but `itself`, ascending; equal ones in the order of their columns.
std::vector<std::int64_t> nearest(const double* distance, std::int64_t n, std::int64_t itself, std::int64_t k) {
  std::vector<std::int64_t> found;
  found.reserve(static_cast<std::size_t>(k) + 1);
  double worst = std::numeric_limits<double>::infinity();
  for (std::int64_t j = 0; j < n; ++j) {
    if (j == itself || (static_cast<std::int64_t>(found.size()) == k && distance[j] >= worst)) continue;
    const auto place = std::upper_bound(found.begin(), found.end(), distance[j], [&](double d, std::int64_t other) { return d < distance[other]; });
    found.insert(place, j);
    if (static_cast<std::int64_t>(found.size()) > k) found.pop_back();
    worst = distance[found.back()];
  }
  return found;
}

// Sum over the `chosen` that are not among the k nearest by `distance` of how far their rank there is beyond k.
double misplaced(const std::vector<std::int64_t>& chosen, const std::vector<std::int64_t>& among, const double* distance, std::int64_t n,
                 std::int64_t itself) {
  double sum = 0;
  for (const std::int64_t j : chosen) {
    if (std::find(among.begin(), among.end(), j) != among.end()) continue;
    const double own = distance[j];
    std::int64_t rank = 1;
    for (std::int64_t l = 0; l < j; ++l) rank += distance[l] <= own;
    for (std::int64_t l = j + 1; l < n; ++l) rank += distance[l] < own;
    rank -= itself < j ? distance[itself] <= own : distance[itself] < own;
    sum += static_cast<double>(rank - static_cast<std::int64_t>(among.size()));
  }
  return sum;
}

// The share of the labelled neighbours with the row's own label; NaN where there is none.
double same_label(const std::vector<std::int64_t>& neighbours, std::span<const std::int64_t> labels, std::int64_t row) {
  double known = 0, same = 0;
  for (const std::int64_t j : neighbours) {
    known += labels[j] >= 0;
    same += labels[j] == labels[row];
  }
  return same / known;
}

struct RowFindings {
  double untrusted = 0, torn = 0, kept = 0, purity = EmbeddingQuality::none, purity_of_input = EmbeddingQuality::none;
  double input_squares = 0, embedding_squares = 0, products = 0;
};

RowFindings judge_row(const double* input, const double* embedding, std::int64_t n, std::int64_t row, std::int64_t k,
                      std::span<const std::int64_t> labels) {
  const auto near_input = nearest(input, n, row, k), near_embedding = nearest(embedding, n, row, k);
  RowFindings found;
  for (const std::int64_t j : near_input) found.kept += std::find(near_embedding.begin(), near_embedding.end(), j) != near_embedding.end();
  found.kept /= static_cast<double>(k);
  found.untrusted = misplaced(near_embedding, near_input, input, n, row);
  found.torn = misplaced(near_input, near_embedding, embedding, n, row);
  if (!labels.empty() && labels[row] >= 0) {
    found.purity = same_label(near_embedding, labels, row);
    found.purity_of_input = same_label(near_input, labels, row);
  }
  for (std::int64_t j = 0; j < n; ++j) {
    if (j == row) continue;
    found.input_squares += input[j];
    found.embedding_squares += embedding[j];
    found.products += std::sqrt(input[j] * embedding[j]);
  }
  return found;
}

double mean_of(const std::vector<RowFindings>& findings, double RowFindings::*member) {
  double sum = 0, count = 0;
  for (const RowFindings& found : findings)
    if (std::isfinite(found.*member)) {
      sum += found.*member;
      ++count;
    }
  return sum / count;
}

}  // namespace

EmbeddingQuality embedding_quality(const Points& input, const Points& embedding, std::span<const std::int64_t> labels,
                                   const EmbeddingQualityOptions& options, const Context& context) {
  require(input.rows == embedding.rows, Fault::internal, "[quality] expected as many embedded as given points, found {} and {}",
          embedding.rows, input.rows);
  const std::int64_t n = input.rows, k = std::min(options.neighbours, (n - 1) / 2);
  EmbeddingQuality quality;
  quality.points = n;
  if (k < 1 || input.columns == 0 || embedding.columns == 0) return quality;
  const std::vector<std::int64_t> rows = judged_rows(input, options);
  quality.neighbours = k;
  quality.rows = static_cast<std::int64_t>(rows.size());
  for (const std::int64_t row : rows) quality.labelled_rows += !labels.empty() && labels[row] >= 0;

  const Eigen::RowVectorXd input_centre = map(input).colwise().mean(), embedding_centre = map(embedding).colwise().mean();
  std::vector<RowFindings> findings(rows.size());
  parallel_for((quality.rows + piece - 1) / piece, context.threads, [&](std::int64_t p) {
    context.check_stop("quality");
    const auto part = std::span(rows).subspan(static_cast<std::size_t>(p * piece),
                                              static_cast<std::size_t>(std::min(piece, quality.rows - p * piece)));
    const Matrix far = squared_distances(input, input_centre, part);
    const Matrix embedded = squared_distances(embedding, embedding_centre, part);
    for (std::size_t a = 0; a < part.size(); ++a) {
      const auto at = static_cast<Eigen::Index>(a);
      findings[static_cast<std::size_t>(p * piece) + a] = judge_row(far.row(at).data(), embedded.row(at).data(), n, part[a], k, labels);
    }
  });

  double untrusted = 0, torn = 0, input_squares = 0, embedding_squares = 0, products = 0;
  quality.judged = rows;
  for (const RowFindings& found : findings) {
    quality.kept.push_back(found.kept);
    untrusted += found.untrusted;
    torn += found.torn;
    input_squares += found.input_squares;
    embedding_squares += found.embedding_squares;
    products += found.products;
  }
  const double worst = static_cast<double>(quality.rows) * static_cast<double>(k) * static_cast<double>(2 * n - 3 * k - 1) / 2;
  quality.trustworthiness = 1 - untrusted / worst;
  quality.continuity = 1 - torn / worst;
  if (input_squares > 0 && embedding_squares > 0)
    quality.stress_1 = std::sqrt(std::max(0.0, 1 - products * (products / input_squares) / embedding_squares));
  quality.purity = mean_of(findings, &RowFindings::purity);
  quality.purity_of_input = mean_of(findings, &RowFindings::purity_of_input);
  return quality;
}

}  // namespace calor::analyse

#include "calor/inspect/defects.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/engine/solve/dense.h"

namespace calor::inspect {

namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t null_draws = 40, null_triples = 4000;
// Streams of Purpose::test's neighbours: what the random numbers of this file are for.
enum Stream : std::uint64_t { triples = 1ULL << 32, sample = 2ULL << 32, singular_vectors = 3ULL << 32 };

struct SymmetryAndShape {
  double symmetry = none, euclidean = none;
};

double negative_share(const Vector& eigenvalues) {
  const double all = eigenvalues.cwiseAbs().sum();
  return all > 0 ? eigenvalues.cwiseMin(0.0).cwiseAbs().sum() / all : none;
}

// Fc = c Q K' of centred features: norms from r x r products, eigenvalues of its symmetric part from a QR of [Q K].
SymmetryAndShape of_products(const Matrix& query, const Matrix& key) {
  const Eigen::Index n = query.rows(), r = query.cols();
  Eigen::MatrixXd both(n, 2 * r);
  both << query.rowwise() - query.colwise().mean(), key.rowwise() - key.colwise().mean();
  const Eigen::MatrixXd triangle = engine::thin_qr(both).r;
  const Eigen::MatrixXd product = triangle.leftCols(r) * triangle.rightCols(r).transpose();
  const double antisymmetric = (product - product.transpose()).norm(), symmetric = (product + product.transpose()).norm();
  // Below rounding of the products there is nothing to compare.
  const double rounding = 1e-13 * triangle.leftCols(r).norm() * triangle.rightCols(r).norm();
  if (symmetric <= rounding && antisymmetric <= rounding) return {};
  return {antisymmetric / symmetric, negative_share(engine::symmetric_eigenvalues(0.5 * (product + product.transpose())))};
}

double additive_score(const Head& head, const Features& f, Eigen::Index i, Eigen::Index j) {
  const double sum = f.query(i, 0) + f.key(j, 0);
  return head.scale * (sum > 0 ? sum : Head::leak * sum);
}

SymmetryAndShape of_additive(const Head& head, const Features& f, const std::vector<std::int64_t>& rows) {
  const auto n = static_cast<Eigen::Index>(rows.size());
  Eigen::MatrixXd score(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j) score(i, j) = additive_score(head, f, rows[static_cast<std::size_t>(i)], rows[static_cast<std::size_t>(j)]);
  const double size = score.norm();
  const Eigen::RowVectorXd columns = score.colwise().mean();
  score.rowwise() -= columns;
  const Eigen::VectorXd means = score.rowwise().mean();
  score.colwise() -= means;
  if (score.norm() <= 1e-13 * size) return {};
  return {(score - score.transpose()).norm() / (score + score.transpose()).norm(),
          negative_share(engine::symmetric_eigenvalues(0.5 * (score + score.transpose())))};
}

// sym g of two tokens.  Of products it is c/2 (q_i - q_j).(k_i - k_j): from differences, so that equal tokens are at 0.
double squared_dissimilarity(const Head& head, const Features& f, Eigen::Index i, Eigen::Index j) {
  if (!head.bilinear())
    return 0.5 * (additive_score(head, f, i, i) + additive_score(head, f, j, j) - additive_score(head, f, i, j) - additive_score(head, f, j, i));
  return 0.5 * head.product_factor() * (f.query.row(i) - f.query.row(j)).dot(f.key.row(i) - f.key.row(j));
}

void add_triangles(const Head& head, const Features& f, std::int64_t count, std::uint64_t seed, std::uint64_t index, Defects& defects) {
  defects.triangle = defects.excess = defects.triangle_interval.low = defects.triangle_interval.high = none;
  const auto n = static_cast<std::uint64_t>(f.query.rows());
  if (n < 3) return;
  Random random(seed, Purpose::tokens, triples + index);
  const auto distance = [&](std::uint64_t i, std::uint64_t j) {
    return std::sqrt(std::max(0.0, squared_dissimilarity(head, f, static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j))));
  };
  constexpr double tolerance = 1e-9;  // relative: rounding of three square roots
  double excess = 0;
  std::int64_t violated = 0;
  for (std::int64_t t = 0; t < count; ++t) {
    const std::uint64_t i = random.below(n);
    std::uint64_t j = random.below(n - 1), k = random.below(n - 2);
    j += j >= i;
    for (const std::uint64_t taken : {std::min(i, j), std::max(i, j)}) k += k >= taken;
    double side[] = {distance(i, j), distance(j, k), distance(i, k)};
    std::sort(side, side + 3);
    const double others = side[0] + side[1];
    if (side[2] <= others + tolerance * side[2]) continue;
    ++violated;
    excess += (side[2] - others) / side[2];
  }
  const double share = static_cast<double>(violated) / static_cast<double>(count), z = 1.959963984540054, m = static_cast<double>(count);
  const double centre = (share + z * z / (2 * m)) / (1 + z * z / m);
  const double half = z / (1 + z * z / m) * std::sqrt(share * (1 - share) / m + z * z / (4 * m * m));
  defects.triangle = share;
  defects.triangle_interval = {std::max(0.0, centre - half), std::min(1.0, centre + half)};
  defects.excess = violated ? excess / static_cast<double>(violated) : 0;
  defects.triples = count;
}

// At most `most` of n rows, drawn by the seed, ascending.
std::vector<std::int64_t> sampled_rows(std::int64_t n, std::int64_t most, std::uint64_t seed) {
  Random random(seed, Purpose::tokens, sample);
  std::vector<std::int64_t> rows = permutation(n, random);
  rows.resize(static_cast<std::size_t>(std::min(n, most)));
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Orthonormal columns, uniformly distributed: QR of normal numbers with the signs of R's diagonal taken out (Mezzadri 2007).
Matrix haar(Eigen::Index rows, Eigen::Index columns, Random& random) {
  Eigen::MatrixXd normal(rows, columns);
  for (Eigen::Index c = 0; c < columns; ++c)
    for (Eigen::Index i = 0; i < rows; ++i) normal(i, c) = random.normal();
  engine::ThinQr qr = engine::thin_qr(normal);
  for (Eigen::Index c = 0; c < columns; ++c)
    if (qr.r(c, c) < 0) qr.q.col(c) *= -1;
  return qr.q;
}

NullDefects::Range range_of(std::vector<double> values) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  return {analyse::median(values), {analyse::quantile(values, 0.025), analyse::quantile(values, 0.975)}};
}

}  // namespace

Defects defects_of(const Head& head, const Features& features, const DefectOptions& options, const Context& context) {
  context.check_stop("inspect");
  Defects defects;
  SymmetryAndShape found;
  if (head.bilinear()) {
    defects.tokens = features.query.rows();
    found = of_products(features.query, features.key);
  } else {
    const auto rows = sampled_rows(features.query.rows(), options.sampled_tokens, options.seed);
    defects.tokens = static_cast<std::int64_t>(rows.size());
    found = of_additive(head, features, rows);
  }
  defects.symmetry = found.symmetry;
  defects.euclidean = found.euclidean;
  add_triangles(head, features, options.triples, options.seed, 0, defects);
  return defects;
}

std::optional<NullDefects> null_defects(const Head& head, const Matrix& tokens, const DefectOptions& options, const Context& context) {
  if (!head.bilinear() || head.learned_metric || head.query.weight.squaredNorm() == 0) return std::nullopt;
  const auto rows = sampled_rows(tokens.rows(), options.sampled_tokens, options.seed);
  Matrix x(static_cast<Eigen::Index>(rows.size()), tokens.cols());
  for (std::size_t i = 0; i < rows.size(); ++i) x.row(static_cast<Eigen::Index>(i)) = tokens.row(rows[i]);
  // Singular values of the d x d form A = Wq' Wk, from r x r: those of Rq Rk' with Wq' = Q1 Rq, Wk' = Q2 Rk.
  const Eigen::Index d = head.query.weight.cols(), r = std::min(head.query.weight.rows(), d);
  const Eigen::MatrixXd form = engine::thin_qr(head.query.weight.transpose()).r * engine::thin_qr(head.key.weight.transpose()).r.transpose();
  const Vector roots = engine::singular_values(form).cwiseSqrt();
  std::vector<Defects> drawn(static_cast<std::size_t>(null_draws));
  parallel_for(null_draws, context.threads, [&](std::int64_t draw) {
    context.check_stop("inspect");
    Random random(options.seed, Purpose::tokens, singular_vectors + static_cast<std::uint64_t>(draw));
    // The turn within the head matters where positions turn the features; else it cancels.
    const Matrix turn = haar(r, r, random), left = haar(d, r, random), right = haar(d, r, random);
    Features features;
    features.query = x * (left * roots.asDiagonal() * turn);
    features.key = x * (right * roots.asDiagonal() * turn);
    if (head.rotary_base > 0) {
      rotate_by_position(features.query, head.rotary_base);
      rotate_by_position(features.key, head.rotary_base);
    }
    Defects& defects = drawn[static_cast<std::size_t>(draw)];
    const SymmetryAndShape found = of_products(features.query, features.key);
    defects.symmetry = found.symmetry;
    defects.euclidean = found.euclidean;
    add_triangles(head, features, std::min(null_triples, options.triples), options.seed, static_cast<std::uint64_t>(draw) + 1, defects);
  });
  std::vector<double> symmetry, euclidean, triangle;
  for (const Defects& defects : drawn) {
    symmetry.push_back(defects.symmetry);
    euclidean.push_back(defects.euclidean);
    triangle.push_back(defects.triangle);
  }
  return NullDefects{range_of(symmetry), range_of(euclidean), range_of(triangle), null_draws, static_cast<std::int64_t>(rows.size())};
}

}  // namespace calor::inspect

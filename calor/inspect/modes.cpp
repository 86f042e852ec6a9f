#include "calor/inspect/modes.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "calor/core/random.h"
#include "calor/engine/solve/dense.h"
#include "calor/engine/solve/krylov.h"

namespace calor::inspect {

namespace {

using Complex = std::complex<double>;

constexpr std::int64_t dense_below = 256;
constexpr double tolerance = 1e-8;
// Modes that nothing separates from the fast ones never converge; slow ones have by then, and only those are reported.
constexpr int most_restarts = 3;

class Streamed {
 public:
  Streamed(const AttentionRows& rows, const Context& context) : rows_(rows), context_(context) {}
  void operator()(const double* in, double* out) const {
    Eigen::Map<Matrix>(out, rows_.size(), 1) = rows_.apply(Eigen::Map<const Matrix>(in, rows_.size(), 1));
    ++products_;
    context_.advance(static_cast<double>(products_), static_cast<double>(products_ + 40), "slow modes");
  }

 private:
  const AttentionRows& rows_;
  const Context& context_;
  mutable std::int64_t products_ = 0;
};

engine::ComplexPairs dense_pairs(const AttentionRows& rows) {
  return engine::general_eigenpairs(rows.apply(Matrix::Identity(rows.size(), rows.size())));
}

engine::ComplexPairs streamed_pairs(const AttentionRows& rows, std::int64_t count, const Context& context) {
  Random random(0, Purpose::weights, 0);
  Vector start(rows.size());
  for (double& value : start) value = 1 + 0.5 * random.normal();
  return engine::largest_general(rows.size(), Streamed(rows, context), count, {3 * count + 4, most_restarts, tolerance}, start);
}

double timescale(const Complex& eigenvalue) {
  const double modulus = std::clamp(std::abs(eigenvalue), 1e-12, 1 - 1e-12);
  return -1 / std::log(modulus);
}

void count_slow(Modes& modes) {
  const auto& values = modes.eigenvalues;
  modes.gap = values.size() > 1 ? std::max(0.0, 1 - std::abs(values[1])) : 1;
  for (std::size_t i = 1; i + 1 < values.size() && std::abs(values[i]) >= Modes::slow_modulus; ++i) {
    if (std::abs(values[i] - std::conj(values[i + 1])) < 1e-9 && values[i].imag() != 0) continue;  // between a pair
    const double step = timescale(values[i]) / timescale(values[i + 1]);
    if (step <= modes.step) continue;
    modes.step = step;
    if (step >= Modes::least_step) modes.slow = static_cast<std::int64_t>(i) + 1;
  }
}

// k corners of the simplex in which the tokens' rows of the slow eigenvectors lie, then the corner of largest membership.
std::vector<std::int64_t> simplex_clusters(const Matrix& vectors) {
  const Eigen::Index n = vectors.rows(), k = vectors.cols();
  std::vector<std::int64_t> clusters(static_cast<std::size_t>(n), 0);
  if (k < 2) return clusters;
  Matrix rest = vectors, corners(k, k);
  Eigen::Index first = 0;
  rest.rowwise().squaredNorm().maxCoeff(&first);
  corners.row(0) = vectors.row(first);
  rest.rowwise() -= Eigen::RowVectorXd(vectors.row(first));
  for (Eigen::Index c = 1; c < k; ++c) {
    Eigen::Index farthest = 0;
    if (rest.rowwise().squaredNorm().maxCoeff(&farthest) == 0) return clusters;
    corners.row(c) = vectors.row(farthest);
    const Eigen::RowVectorXd direction = rest.row(farthest).normalized();
    rest -= (rest * direction.transpose()).eval() * direction;
  }
  const Matrix memberships = vectors * engine::inverse(corners);
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(k), 0);
  for (Eigen::Index i = 0; i < n; ++i) {
    Eigen::Index corner = 0;
    memberships.row(i).maxCoeff(&corner);
    clusters[static_cast<std::size_t>(i)] = corner;
    ++sizes[static_cast<std::size_t>(corner)];
  }
  std::vector<std::size_t> order(sizes.size()), rank(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  for (std::size_t place = 0; place < order.size(); ++place) rank[order[place]] = place;
  for (std::int64_t& cluster : clusters) cluster = static_cast<std::int64_t>(rank[static_cast<std::size_t>(cluster)]);
  return clusters;
}

}  // namespace

Modes modes_of(const AttentionRows& rows, std::int64_t count, const Context& context) {
  const std::int64_t n = rows.size();
  engine::ComplexPairs pairs = n < dense_below ? dense_pairs(rows) : streamed_pairs(rows, count, context);
  std::vector<Eigen::Index> order(static_cast<std::size_t>(pairs.values.size()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  // By modulus, up to rounding; the two of a pair next to each other, the one above the axis first.
  const auto place = [&](Eigen::Index i) {
    const auto rounded = [](double value) { return -std::llround(value * 1e9); };
    return std::tuple(rounded(std::abs(pairs.values[i])), rounded(pairs.values[i].real()), rounded(pairs.values[i].imag()));
  };
  std::stable_sort(order.begin(), order.end(), [&](Eigen::Index a, Eigen::Index b) { return place(a) < place(b); });
  Modes modes;
  const auto kept = std::min<std::size_t>(order.size(), static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < kept; ++i) modes.eigenvalues.push_back(pairs.values[order[i]]);
  // Pairs converge in the order of their moduli: one fast mode among them says that no slow one is missing.
  modes.converged = pairs.converged || (kept > 0 && std::abs(modes.eigenvalues.back()) < Modes::slow_modulus);
  count_slow(modes);
  modes.vectors.resize(n, modes.slow);
  modes.vectors.col(0).setConstant(1 / std::sqrt(static_cast<double>(n)));
  for (std::int64_t i = 1; i < modes.slow; ++i) {
    const Eigen::VectorXcd vector = pairs.vectors.col(order[static_cast<std::size_t>(i)]);
    const bool second = modes.eigenvalues[static_cast<std::size_t>(i)].imag() < 0;
    modes.vectors.col(i) = second ? Vector(vector.imag()) : Vector(vector.real());
    modes.vectors.col(i).normalize();
  }
  modes.clusters = simplex_clusters(modes.vectors);
  return modes;
}

}  // namespace calor::inspect

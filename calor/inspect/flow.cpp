#include "calor/inspect/flow.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/engine/solve/dense.h"

namespace calor::inspect {

namespace {

constexpr std::uint64_t judged_tokens = 4ULL << 32;  // streams of random numbers
constexpr int resamples = 1000;

// What one pass over the rows gathers.
struct Gathered {
  Vector entropy, self;
  std::vector<std::int64_t> greatest;
  Vector column_sums;
  Matrix mean_tokens, mean_values;
  Vector mean_squares;  // sum_j S_ij |x_j|^2
};

Gathered gather(const AttentionRows& rows, const Matrix& tokens, const Matrix& values) {
  const std::int64_t n = rows.size();
  Gathered g{Vector(n), Vector(n), std::vector<std::int64_t>(static_cast<std::size_t>(n)), Vector::Zero(n), Matrix(n, tokens.cols()), Matrix(n, values.cols()), Vector(n)};
  const Vector squares = tokens.rowwise().squaredNorm();
  Matrix sums = Matrix::Zero(rows.pieces(), n);
  rows.each([&](std::int64_t piece, const RowBlock& block) {
    sums.row(piece) += block.weights.colwise().sum();
    const Eigen::Index count = block.weights.rows();
    g.mean_tokens.middleRows(block.first, count).noalias() = block.weights * tokens;
    g.mean_values.middleRows(block.first, count).noalias() = block.weights * values;
    g.mean_squares.segment(block.first, count).noalias() = block.weights * squares;
    for (Eigen::Index a = 0; a < count; ++a) {
      const std::int64_t i = block.first + a;
      Eigen::Index at = 0;
      const double top = block.scores.row(a).maxCoeff(&at);
      g.greatest[static_cast<std::size_t>(i)] = at;
      g.self[i] = block.weights(a, i);
      // -sum w log w = log(sum exp(s - top)) - sum w (s - top), and the greatest weight is 1 / sum exp(s - top).
      double mean = 0;
      for (Eigen::Index j = 0; j < n; ++j)
        if (block.weights(a, j) > 0) mean += block.weights(a, j) * (block.scores(a, j) - top);
      g.entropy[i] = std::max(0.0, -std::log(block.weights(a, at)) - mean);
    }
  });
  for (std::int64_t piece = 0; piece < rows.pieces(); ++piece) g.column_sums += sums.row(piece).transpose();
  return g;
}

double gini_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  double total = 0, weighted = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    total += values[i];
    weighted += static_cast<double>(i + 1) * values[i];
  }
  const auto n = static_cast<double>(values.size());
  return total > 0 ? 2 * weighted / (n * total) - (n + 1) / n : 0;
}

// Column sums of uniform weights: all 1, or under a causal mask sum over i >= j of 1 / (i + 1).
std::vector<double> uniform_sums(std::int64_t n, bool causal) {
  std::vector<double> sums(static_cast<std::size_t>(n), 1.0);
  double sum = 0;
  for (std::int64_t j = n - 1; causal && j >= 0; --j) sums[static_cast<std::size_t>(j)] = sum += 1 / static_cast<double>(j + 1);
  return sums;
}

std::vector<std::int64_t> nearest(const Matrix& tokens, std::int64_t i, std::int64_t count) {
  const Vector distance = (tokens.rowwise() - tokens.row(i)).rowwise().squaredNorm();
  std::vector<std::int64_t> order(static_cast<std::size_t>(tokens.rows()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  order.erase(order.begin() + i);
  const auto before = [&](std::int64_t a, std::int64_t b) { return std::pair(distance[a], a) < std::pair(distance[b], b); };
  count = std::min<std::int64_t>(count, static_cast<std::int64_t>(order.size()));
  std::partial_sort(order.begin(), order.begin() + count, order.end(), before);
  order.resize(static_cast<std::size_t>(count));
  return order;
}

struct LocalStep {
  double squared = 0, remainder = 0, dimension = 0;
};

// The linear map that best takes the neighbours' differences within their principal tangent space to differences of values, applied
// to the drift.
LocalStep local_step(const Matrix& tokens, const Matrix& values, const Gathered& g, std::int64_t i, const FlowOptions& options) {
  const auto near = nearest(tokens, i, options.neighbours);
  const auto k = static_cast<Eigen::Index>(near.size());
  Eigen::MatrixXd x(k, tokens.cols()), h(k, values.cols());
  for (Eigen::Index a = 0; a < k; ++a) {
    x.row(a) = tokens.row(near[static_cast<std::size_t>(a)]) - tokens.row(i);
    h.row(a) = values.row(near[static_cast<std::size_t>(a)]) - values.row(i);
  }
  const Eigen::VectorXd step = g.mean_values.row(i) - values.row(i), drift = g.mean_tokens.row(i) - tokens.row(i);
  LocalStep found{step.squaredNorm(), step.squaredNorm(), 0};
  const engine::SingularValues svd = engine::thin_svd(x);
  const Eigen::VectorXd energy = svd.values.cwiseAbs2();
  if (energy.sum() == 0) return found;
  Eigen::Index m = 0;
  for (double kept = 0; m < energy.size() && kept < options.tangent_share * energy.sum() && energy[m] > 1e-20 * energy[0];) kept += energy[m++];
  // Least squares in the tangent coordinates: x ~ U s, so D H = h' U s^-1.
  const Eigen::VectorXd along = svd.v.leftCols(m).transpose() * drift;
  const Eigen::VectorXd predicted = h.transpose() * (svd.u.leftCols(m) * along.cwiseQuotient(svd.values.head(m)));
  found.remainder = (step - predicted).squaredNorm();
  found.dimension = static_cast<double>(m);
  return found;
}

void add_local_picture(const Matrix& tokens, const Matrix& values, const Gathered& g, const FlowOptions& options, const Context& context, Flow& flow) {
  const std::int64_t n = tokens.rows();
  Random random(options.seed, Purpose::tokens, judged_tokens);
  std::vector<std::int64_t> rows = permutation(n, random);
  rows.resize(static_cast<std::size_t>(std::min(n, options.judged)));
  std::vector<LocalStep> steps(rows.size());
  parallel_for(static_cast<std::int64_t>(rows.size()), context.threads, [&](std::int64_t a) {
    steps[static_cast<std::size_t>(a)] = local_step(tokens, values, g, rows[static_cast<std::size_t>(a)], options);
  });
  const auto pooled = [&](const auto& pick) {
    double squared = 0, remainder = 0;
    for (std::size_t a = 0; a < steps.size(); ++a) {
      const LocalStep& step = steps[pick(a)];
      squared += step.squared;
      remainder += step.remainder;
    }
    return squared > 0 ? 1 - remainder / squared : std::numeric_limits<double>::quiet_NaN();
  };
  flow.judged = static_cast<std::int64_t>(rows.size());
  flow.explained = pooled([](std::size_t a) { return a; });
  for (const LocalStep& step : steps) flow.tangent_dimension += step.dimension / static_cast<double>(steps.size());
  std::vector<double> drawn;
  for (int b = 0; b < resamples; ++b) {
    Random resample(options.seed, Purpose::bootstrap, static_cast<std::uint64_t>(b));
    drawn.push_back(pooled([&](std::size_t) { return static_cast<std::size_t>(resample.below(steps.size())); }));
  }
  std::erase_if(drawn, [](double value) { return std::isnan(value); });
  flow.explained_interval = {analyse::quantile(drawn, 0.025), analyse::quantile(drawn, 0.975)};
}

void add_attention(const Head& head, const Gathered& g, const FlowOptions& options, Flow& flow) {
  const std::int64_t n = g.entropy.size();
  std::vector<double> neighbours(static_cast<std::size_t>(n));
  std::set<std::int64_t> targets(g.greatest.begin(), g.greatest.end());
  for (std::int64_t i = 0; i < n; ++i) {
    const double count = std::exp(g.entropy[i]), visible = static_cast<double>(head.causal ? i + 1 : n);
    neighbours[static_cast<std::size_t>(i)] = count;
    flow.effective_share += count / visible / static_cast<double>(n);
    flow.largest_self += (g.greatest[static_cast<std::size_t>(i)] == i) / static_cast<double>(n);
  }
  flow.effective_neighbours = analyse::mean(neighbours);
  flow.effective_low = analyse::quantile(neighbours, 0.1);
  flow.effective_high = analyse::quantile(neighbours, 0.9);
  flow.self_weight = g.self.mean();
  flow.targets = static_cast<std::int64_t>(targets.size());
  flow.column_sums.assign(g.column_sums.data(), g.column_sums.data() + n);
  flow.gini = gini_of(flow.column_sums);
  flow.gini_uniform = gini_of(uniform_sums(n, head.causal));
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return g.column_sums[a] > g.column_sums[b]; });
  for (std::int64_t s = 0; s < std::min(n, options.sinks); ++s) flow.sinks.push_back({order[static_cast<std::size_t>(s)], g.column_sums[order[static_cast<std::size_t>(s)]]});
}

void add_moments(const Matrix& tokens, const Gathered& g, Flow& flow) {
  const std::int64_t n = tokens.rows();
  double drift = 0, second = 0, jump = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto x = tokens.row(i), mean = g.mean_tokens.row(i);
    drift += (mean - x).squaredNorm();
    second += std::max(0.0, g.mean_squares[i] - 2 * x.dot(mean) + x.squaredNorm());
    jump += (tokens.row(g.greatest[static_cast<std::size_t>(i)]) - x).norm() / static_cast<double>(n);
  }
  const double total = tokens.squaredNorm(), spread = std::sqrt(total / static_cast<double>(n));  // the tokens are centred
  const Eigen::RowVectorXd mean = g.mean_tokens.colwise().mean();
  flow.drift = std::sqrt(drift / static_cast<double>(n)) / spread;
  flow.spread = std::sqrt(second / static_cast<double>(n)) / spread;
  flow.drift_share = drift / second;
  flow.dirichlet = second / (2 * total);
  flow.contraction = (g.mean_tokens.rowwise() - mean).squaredNorm() / total;
  flow.jump = jump / spread;
}

}  // namespace

Flow flow_of(const Head& head, const Matrix& tokens, const Features& features, const FlowOptions& options, const Context& context) {
  const Matrix centred = tokens.rowwise() - tokens.colwise().mean();  // no moment changes, and an offset costs no digits
  const AttentionRows rows(head, features, true, context);
  const Gathered gathered = gather(rows, centred, features.value);
  Flow flow;
  add_attention(head, gathered, options, flow);
  add_moments(centred, gathered, flow);
  add_local_picture(centred, features.value, gathered, options, context, flow);
  return flow;
}

}  // namespace calor::inspect

#include "calor/engine/solve/support_vectors.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/engine/reducers.h"

namespace calor::engine {
namespace {

using Listed = std::vector<std::int64_t>;

// One machine's part in the whole: numbers on rows of the similarity.
struct Part {
  Listed rows;
  std::vector<double> weights;
  DualSolution solution;
  std::int64_t bounded = 0;
  Sigmoid sigmoid;
};

// The similarity among these rows, whatever its rows and columns are as long as each row of the data is one of both.
Similarity among(const Similarity& similarity, const Listed& rows) { return restricted(similarity, &rows, &rows); }

Machines assemble(const std::vector<Part>& parts) {
  Machines result;
  const auto count = static_cast<Eigen::Index>(parts.size());
  std::map<std::int64_t, Eigen::Index> number;
  for (const Part& part : parts)
    for (std::size_t i = 0; i < part.rows.size(); ++i)
      if (part.weights[i] != 0) number[part.rows[i]] = 0;
  for (auto& [row, at] : number) {
    at = static_cast<Eigen::Index>(result.vectors.size());
    result.vectors.push_back(row);
  }
  result.weights = Matrix::Zero(static_cast<Eigen::Index>(result.vectors.size()), count);
  result.offsets.resize(count);
  for (Eigen::Index m = 0; m < count; ++m) {
    const Part& part = parts[static_cast<std::size_t>(m)];
    std::int64_t vectors = 0;
    for (std::size_t i = 0; i < part.rows.size(); ++i) {
      if (part.weights[i] == 0) continue;
      result.weights(number.at(part.rows[i]), m) = part.weights[i];
      ++vectors;
    }
    result.offsets[m] = part.solution.offset;
    result.objectives.push_back(part.solution.objective);
    result.counts.push_back(vectors);
    result.bounded.push_back(part.bounded);
    result.iterations += part.solution.iterations;
    result.rows_computed += part.solution.rows_computed;
    result.indefinite |= part.solution.indefinite;
    if (part.solution.converged) continue;
    ++result.unfinished;
    result.violation = std::max(result.violation, part.solution.violation);
  }
  return result;
}

// One against one: the first `positive` rows of the kernel against the others.
Part separate(const Similarity& kernel, std::int64_t positive, double bound, double other_bound, const DualOptions& options, const Context& context) {
  const std::int64_t n = kernel.rows;
  DualProblem problem;
  problem.linear.assign(static_cast<std::size_t>(n), -1.0);
  problem.start.assign(static_cast<std::size_t>(n), 0.0);
  for (std::int64_t t = 0; t < n; ++t) {
    problem.sign.push_back(t < positive ? 1 : -1);
    problem.bound.push_back(t < positive ? bound : other_bound);
  }
  Part part;
  part.solution = solve_dual(kernel, problem, options, context);
  for (std::int64_t t = 0; t < n; ++t) {
    part.weights.push_back(problem.sign[t] * part.solution.variables[t]);
    part.bounded += part.solution.variables[t] >= problem.bound[t];
  }
  return part;
}

// The sigmoid of decisions on five parts, each by a machine of the other four.
Sigmoid left_out_sigmoid(const Similarity& kernel, std::int64_t positive, double bound, double other_bound, const MachineOptions& options, std::uint64_t stream,
                         const Context& context) {
  constexpr std::int64_t folds = 5;
  const std::int64_t n = kernel.rows;
  Random random(options.seed, Purpose::split, stream);
  const Listed order = permutation(n, random);
  std::vector<double> decision(static_cast<std::size_t>(n), 0.0);
  for (std::int64_t fold = 0; fold < folds; ++fold) {
    const std::int64_t begin = fold * n / folds, end = (fold + 1) * n / folds;
    Listed judged(order.begin() + begin, order.begin() + end), train;
    std::vector<std::uint8_t> out(static_cast<std::size_t>(n), 0);
    for (const std::int64_t i : judged) out[static_cast<std::size_t>(i)] = 1;
    std::int64_t first = 0;
    for (std::int64_t i = 0; i < n; ++i)
      if (!out[static_cast<std::size_t>(i)]) {
        train.push_back(i);
        first += i < positive;
      }
    const auto all = static_cast<std::int64_t>(train.size());
    if (judged.empty()) continue;
    if (first == 0 || first == all) {  // one class is left: its side, or none
      for (const std::int64_t i : judged) decision[static_cast<std::size_t>(i)] = all == 0 ? 0 : first ? 1 : -1;
      continue;
    }
    Part part = separate(among(kernel, train), first, bound, other_bound, options.dual, context);
    part.rows = train;
    const Machines machine = assemble({part});
    const Matrix found = decisions(restricted(kernel, &judged, &machine.vectors), machine.weights, machine.offsets, context);
    for (std::size_t j = 0; j < judged.size(); ++j) decision[static_cast<std::size_t>(judged[j])] = found(static_cast<Eigen::Index>(j), 0);
  }
  std::vector<std::uint8_t> in_first;
  for (std::int64_t i = 0; i < n; ++i) in_first.push_back(i < positive);
  return fit_sigmoid(decision, in_first);
}

}  // namespace

bool serves_machines(const Similarity& similarity) {
  const auto same = [](const Vector& a, const Vector& b) { return a.size() == b.size() && (a.size() == 0 || a == b); };
  return similarity.square() && similarity.symmetric && (similarity.strengthen.kind != Strengthen::Kind::exponential || similarity.strengthen.scale.size() == 1) &&
         same(similarity.log_row, similarity.log_column);
}

Machines fit_classes(const Similarity& similarity, const std::vector<std::vector<std::int64_t>>& members, const MachineOptions& options,
                     const Context& context) {
  const auto classes = static_cast<std::int64_t>(members.size());
  require(classes >= 2, Fault::internal, "[weigh] expected two classes, found {}", classes);
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  for (std::int64_t a = 0; a < classes; ++a)
    for (std::int64_t b = a + 1; b < classes; ++b) pairs.emplace_back(a, b);
  std::vector<Part> parts(pairs.size());
  // Pairs side by side, each on one thread; the only pair on all of them.
  const bool alone = pairs.size() == 1;
  const int threads = context.threads > 0 ? context.threads : available_threads();
  const auto sharing = static_cast<std::uint64_t>(std::min<std::int64_t>(threads, static_cast<std::int64_t>(pairs.size())));
  Context inner = context;
  MachineOptions each = options;
  if (!alone) {
    inner.threads = 1;
    inner.progress = nullptr;
    each.dual.cache_bytes /= sharing;
  }
  std::atomic<std::int64_t> done{0};
  parallel_for(static_cast<std::int64_t>(pairs.size()), threads, [&](std::int64_t m) {
    context.check_stop("weigh");
    const auto [a, b] = pairs[static_cast<std::size_t>(m)];
    const auto bound_of = [&](std::int64_t c) { return options.bound * (options.class_factors.empty() ? 1 : options.class_factors[static_cast<std::size_t>(c)]); };
    Listed rows = members[static_cast<std::size_t>(a)];
    const auto positive = static_cast<std::int64_t>(rows.size());
    rows.insert(rows.end(), members[static_cast<std::size_t>(b)].begin(), members[static_cast<std::size_t>(b)].end());
    const Similarity kernel = among(similarity, rows);
    Part part = separate(kernel, positive, bound_of(a), bound_of(b), each.dual, inner);
    if (options.probabilities) part.sigmoid = left_out_sigmoid(kernel, positive, bound_of(a), bound_of(b), each, static_cast<std::uint64_t>(m), inner);
    part.rows = std::move(rows);
    part.solution.variables.clear();
    parts[static_cast<std::size_t>(m)] = std::move(part);
    if (!alone) context.advance(static_cast<double>(++done), static_cast<double>(pairs.size()), "support vectors");
  });
  Machines result = assemble(parts);
  if (options.probabilities)
    for (const Part& part : parts) result.sigmoids.push_back(part.sigmoid);
  return result;
}

Machines fit_values(const Similarity& similarity, const std::vector<std::int64_t>& rows, const Vector& values, const MachineOptions& options,
                    const Context& context) {
  const auto n = static_cast<std::int64_t>(rows.size());
  DualProblem problem;
  problem.start.assign(static_cast<std::size_t>(2 * n), 0.0);
  problem.bound.assign(static_cast<std::size_t>(2 * n), options.bound);
  for (const double sign : {1.0, -1.0})
    for (std::int64_t i = 0; i < n; ++i) {
      problem.point.push_back(i);
      problem.sign.push_back(sign);
      problem.linear.push_back(options.tube - sign * values[i]);
    }
  Part part;
  part.rows = rows;
  part.solution = solve_dual(among(similarity, rows), problem, options.dual, context);
  for (std::int64_t i = 0; i < n; ++i) {
    part.weights.push_back(part.solution.variables[i] - part.solution.variables[n + i]);
    part.bounded += std::abs(part.weights.back()) >= options.bound;
  }
  return assemble({part});
}

Machines fit_support(const Similarity& similarity, const std::vector<std::int64_t>& rows, const MachineOptions& options, const Context& context) {
  const std::size_t n = rows.size();
  DualProblem problem;
  problem.sign.assign(n, 1.0);
  problem.linear.assign(n, 0.0);
  problem.bound.assign(n, 1.0);
  problem.start.assign(n, 0.0);
  double left = options.share * static_cast<double>(n);
  for (std::size_t i = 0; i < n && left > 0; ++i, left -= 1) problem.start[i] = std::min(1.0, left);
  Part part;
  part.rows = rows;
  part.solution = solve_dual(among(similarity, rows), problem, options.dual, context);
  part.weights = part.solution.variables;
  for (const double weight : part.weights) part.bounded += weight >= 1;
  return assemble({part});
}

Matrix decisions(const Similarity& to_vectors, const Matrix& weights, const Vector& offsets, const Context& context, const TileScores* columns) {
  EachRowSum sums(to_vectors.rows, weights);
  if (weights.rows() > 0) to_vectors.all_pairs() ? reduce_tiles(to_vectors, sums, context, "decisions", columns) : reduce_edges(to_vectors, sums, context, "decisions");
  Matrix result = sums.result.leftCols(weights.cols());
  result.rowwise() -= offsets.transpose();
  return result;
}

Matrix class_scores(const Matrix& decisions, std::int64_t classes, const std::vector<Sigmoid>& sigmoids, const Context& context) {
  Matrix result = Matrix::Zero(decisions.rows(), classes);
  constexpr std::int64_t rows_at_once = 256;
  parallel_for((decisions.rows() + rows_at_once - 1) / rows_at_once, context.threads, [&](std::int64_t piece) {
    for (std::int64_t i = piece * rows_at_once; i < std::min<std::int64_t>(decisions.rows(), (piece + 1) * rows_at_once); ++i) {
      Matrix pairwise = Matrix::Zero(classes, classes);
      std::int64_t m = 0;
      for (std::int64_t a = 0; a < classes; ++a)
        for (std::int64_t b = a + 1; b < classes; ++b, ++m) {
          if (sigmoids.empty()) {
            result(i, decisions(i, m) > 0 ? a : b) += 1;
            continue;
          }
          constexpr double least = 1e-7;  // libsvm's
          pairwise(a, b) = std::clamp(sigmoids[static_cast<std::size_t>(m)].at(decisions(i, m)), least, 1 - least);
          pairwise(b, a) = 1 - pairwise(a, b);
        }
      if (sigmoids.empty()) result.row(i) /= static_cast<double>(m);
      else if (classes == 2) result.row(i) << pairwise(0, 1), pairwise(1, 0);
      else result.row(i) = couple(pairwise).transpose();
    }
  });
  return result;
}

}  // namespace calor::engine

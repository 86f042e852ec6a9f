// T1 on random point sets: the noise of the operator around its bias, which the quadrature set at the same eps gives, falls
// like N^(-1/2) eps^-(1/2 + n/4) (Singer 2006).  Orders by regression over a ladder of N and eps.  One point set serves every eps,
// so that their noises are not independent: the interval comes from leaving out one of the `seeds` sets of each size in turn.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "calor/analyse/statistics.h"
#include "calor/engine/solve/dense.h"
#include "calor/limit/experiments.h"
#include "calor/limit/generator.h"
#include "calor/limit/quadrature.h"
#include "calor/limit/regression.h"

namespace calor::limit {
namespace {

struct Noise {
  double points, epsilon, size;
  int set;  // 0 .. seeds - 1
};

// The noise of one random set at every eps of the ladder; `exact` is the operator without noise.
void add_noise(const DriftDiffusion& given, std::int64_t count, int set, std::uint64_t index, std::uint64_t seed, const std::vector<double>& ladder,
               const std::vector<std::vector<double>>& exact, const Sample& queries, const Context& context, std::vector<Noise>& noise) {
  Random random(seed, Purpose::test, index);
  const Sample points = given.manifold->random(count, random);
  const std::vector<double> h = functions_at(*given.manifold, points), own = functions_at(*given.manifold, queries);
  const Generator generator(points);
  const double alpha = 0;
  for (std::size_t k = 0; k < ladder.size(); ++k) {
    const std::vector<double> values = generator.at(queries, h, own, ladder[k], std::span(&alpha, 1), context).front();
    noise.push_back({static_cast<double>(count), ladder[k], root_mean_square_difference(values, exact[k]), set});
  }
}

// Slopes of the log of the mean square noise over the sets, without the set `left_out`, in log N and log eps.
Eigen::Vector2d slopes(const std::vector<Noise>& noise, int left_out) {
  std::map<std::pair<double, double>, double> squares;
  for (const Noise& one : noise)
    if (one.set != left_out) squares[{one.points, one.epsilon}] += one.size * one.size;
  Eigen::MatrixXd design(static_cast<Eigen::Index>(squares.size()), 3);
  Eigen::VectorXd y(design.rows());
  Eigen::Index i = 0;
  for (const auto& [at, sum] : squares) {
    design.row(i) << 1, std::log(at.first), std::log(at.second);
    y[i++] = 0.5 * std::log(sum);
  }
  return engine::pivoted_least_squares(design, y).col(0).tail<2>();
}

// {order in N, order in eps}, with jackknife intervals.
std::pair<Estimate, Estimate> orders(const std::vector<Noise>& noise, int sets) {
  const Eigen::Vector2d all = slopes(noise, -1);
  Eigen::MatrixXd without(2, sets);
  for (int k = 0; k < sets; ++k) without.col(k) = slopes(noise, k);
  const Eigen::Vector2d spread = (without.colwise() - without.rowwise().mean()).rowwise().squaredNorm();
  const Eigen::Vector2d half = analyse::student_t_quantile(0.975, sets - 1) * ((sets - 1.0) / sets * spread).cwiseSqrt();
  return {{all[0], all[0] - half[0], all[0] + half[0]}, {all[1], all[1] - half[1], all[1] + half[1]}};
}

Plot noise_plot(const std::vector<Noise>& noise, const std::vector<std::int64_t>& sizes, double power) {
  Plot plot{"Sampling noise against eps", "eps", "root mean square noise", true, true, {}};
  for (const std::int64_t size : sizes) {
    Series series{fmt::format("N = {}", size), {}, {}, false};
    for (const Noise& one : noise)
      if (one.points == static_cast<double>(size)) {
        series.x.push_back(one.epsilon);
        series.y.push_back(one.size);
      }
    plot.series.push_back(series);
    plot.series.push_back(order_line(series, power, fmt::format("order {:g}", power)));
  }
  return plot;
}

void require_memory(const Manifold& manifold, const std::vector<std::int64_t>& sizes, const std::vector<double>& ladder,
                    const Context& context) {
  const double point = 8.0 * (3 * manifold.ambient() + 6);  // as drawn, in leaves with weight and function, and its order
  const double side = resolving_degree(*std::min_element(ladder.begin(), ladder.end())) + 1.0;
  const double nodes = manifold.dimension() == 1 ? side : side * side / 2;
  const auto bytes = [&](double count) { return static_cast<std::uint64_t>(count * point); };
  context.memory.require(bytes(nodes), "limit", "the quadrature points of the least eps", "take a greater --epsilon");
  const auto most = static_cast<double>(*std::max_element(sizes.begin(), sizes.end()));
  context.memory.require(bytes(most), "limit", "the random points", "take fewer --points");
}

}  // namespace

std::vector<Row> sampling_rows(const DriftDiffusion& given, const Settings& settings, const Context& context) {
  const std::vector<std::int64_t>& sizes = settings.points.empty() ? given.points : settings.points;
  const std::vector<double>& ladder = settings.epsilon.empty() ? given.sampling_epsilon : settings.epsilon;
  require_memory(*given.manifold, sizes, ladder, context);
  const Sample queries = given.manifold->queries(settings.queries);
  std::vector<std::vector<double>> exact;
  for (const double epsilon : ladder) {
    const Sample points = given.manifold->quadrature(epsilon);
    exact.push_back(generator(points, functions_at(*given.manifold, points), queries, functions_at(*given.manifold, queries), epsilon, 0, context));
  }
  std::vector<Noise> noise;
  const double runs = static_cast<double>(sizes.size()) * settings.seeds;
  for (std::size_t s = 0; s < sizes.size(); ++s)
    for (int k = 0; k < settings.seeds; ++k) {
      const auto index = static_cast<std::uint64_t>(s) * 100000 + static_cast<std::uint64_t>(k);
      add_noise(given, sizes[s], k, index, settings.seed, ladder, exact, queries, context, noise);
      context.advance(static_cast<double>(s) * settings.seeds + k + 1, runs, given.name + ": random points");
    }

  const auto [in_n, in_eps] = orders(noise, settings.seeds);
  const int n = given.manifold->dimension();
  const double power = -(0.5 + n / 4.0);
  const Plot plot = noise_plot(noise, sizes, power);
  Row in_points{given.name + " sampling order in N", given.name, "T1", "The noise of random points falls like the root of their number.",
                -0.5, in_n.value, in_n.low, in_n.high, 0.1, false, {plot}};
  Row in_epsilon{given.name + " sampling order in eps", given.name, "T1",
                 fmt::format("The noise grows like eps^-(1/2 + n/4) as eps falls, here n = {}: eps cannot be taken small for few points.", n),
                 power, in_eps.value, in_eps.low, in_eps.high, 0.1, false, {plot}};
  return {judged(in_points), judged(in_epsilon)};
}

}  // namespace calor::limit

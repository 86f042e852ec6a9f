// T1 on random point sets: the noise of the operator around its bias, which the quadrature set at the same eps gives, falls
// like N^(-1/2) eps^-(1/2 + n/4) (Singer 2006).  Orders by regression over a ladder of N and eps with `seeds` sets each.
#include <fmt/format.h>

#include <cmath>

#include "calor/limit/experiments.h"
#include "calor/limit/generator.h"
#include "calor/limit/regression.h"

namespace calor::limit {
namespace {

constexpr std::int64_t query_count = 256;

struct Noise {
  double points, epsilon, size;
};

// The noise of one random set at every eps of the ladder; `exact` is the operator without noise.
void add_noise(const DriftDiffusion& given, std::int64_t count, std::uint64_t index, std::uint64_t seed, const std::vector<double>& ladder,
               const std::vector<std::vector<double>>& exact, const Sample& queries, const Context& context, std::vector<Noise>& noise) {
  Random random(seed, Purpose::test, index);
  const Sample points = given.manifold->random(count, random);
  const std::vector<double> h = functions_at(*given.manifold, points), own = functions_at(*given.manifold, queries);
  for (std::size_t k = 0; k < ladder.size(); ++k) {
    const std::vector<double> values = generator(points, h, queries, own, ladder[k], 0, context);
    noise.push_back({static_cast<double>(count), ladder[k], root_mean_square_difference(values, exact[k])});
  }
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

}  // namespace

std::vector<Row> sampling_rows(const DriftDiffusion& given, const Settings& settings, const Context& context) {
  const std::vector<std::int64_t>& sizes = settings.points.empty() ? given.points : settings.points;
  const std::vector<double>& ladder = settings.epsilon.empty() ? given.sampling_epsilon : settings.epsilon;
  const Sample queries = given.manifold->queries(query_count);
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
      add_noise(given, sizes[s], index, settings.seed, ladder, exact, queries, context, noise);
      context.advance(static_cast<double>(s) * settings.seeds + k + 1, runs, given.name + ": random points");
    }

  Eigen::MatrixXd design(static_cast<Eigen::Index>(noise.size()), 3);
  Eigen::VectorXd y(design.rows());
  for (Eigen::Index i = 0; i < y.size(); ++i) {
    const Noise& one = noise[static_cast<std::size_t>(i)];
    design.row(i) << 1, std::log(one.points), std::log(one.epsilon);
    y[i] = std::log(one.size);
  }
  const std::vector<Estimate> fit = least_squares(design, y);
  const int n = given.manifold->dimension();
  const double power = -(0.5 + n / 4.0);
  const Plot plot = noise_plot(noise, sizes, power);
  Row in_points{given.name + " sampling order in N", given.name, "T1", "The noise of random points falls like the root of their number.",
                -0.5, fit[1].value, fit[1].low, fit[1].high, 0.05, false, {plot}};
  Row in_epsilon{given.name + " sampling order in eps", given.name, "T1",
                 fmt::format("The noise grows like eps^-(1/2 + n/4) as eps falls, here n = {}: eps cannot be taken small for few points.", n),
                 power, fit[2].value, fit[2].low, fit[2].high, 0.1, false, {plot}};
  return {judged(in_points), judged(in_epsilon)};
}

}  // namespace calor::limit

#include "calor/pipeline/speed.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/engine/passes.h"
#include "calor/engine/record.h"

namespace calor::pipeline {
namespace {

// Rounds differ by what else the machine does; the fastest is the machine's own.
template <typename Work>
double fastest(const Work& work) {
  double best = std::numeric_limits<double>::infinity();
  for (int round = 0; round < 3; ++round) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

// Scores of all pairs, as the engine computes them.
double operations_a_second(const Context& context) {
  constexpr std::int64_t points = 768, features = 64;
  Random random(0, Purpose::tokens);
  Similarity record;
  auto coordinates = std::make_shared<Matrix>(points, features);
  for (double& value : coordinates->reshaped()) value = random.uniform();
  record.rows = record.columns = points;
  record.row_points = record.column_points = coordinates;
  record.score = {Score::Kind::power_distance, 2, Metric::euclidean};
  return points * points * (features + Estimate::value) / fastest([&] { best_columns(record, context); });
}

// Sums over numbers that lie in no order, as the ends of edges do, in more memory than caches hold.
double visits_a_second(const Context& context) {
  constexpr std::int64_t numbers = 1 << 21, pieces = 32, each = numbers / pieces;
  std::vector<double> values(numbers, 1), sums(pieces);
  std::vector<std::int32_t> ends(numbers);
  Random random(0, Purpose::tokens);
  for (std::int32_t& end : ends) end = static_cast<std::int32_t>(random.bits() % numbers);
  return numbers / fastest([&] {
    parallel_for(pieces, context.threads, [&](std::int64_t piece) {
      double sum = 0;
      for (std::int64_t i = piece * each; i < (piece + 1) * each; ++i) sum += values[ends[i]];
      sums[piece] = sum;
    });
  });
}

}  // namespace

Speed measure_speed(const Context& context) { return {operations_a_second(context), visits_a_second(context)}; }

double expected_seconds(const Estimate& work, const Speed& speed) {
  return work.operations / speed.operations + work.visits / speed.visits;
}

}  // namespace calor::pipeline

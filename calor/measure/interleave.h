// Timing for ratios: the contestants take turns within one run, so that a change of clock or load meets all of them alike,
// and each is summed up by its median.  Processor time of the process, not wall time: on one thread they are the same on
// a quiet machine, and on a shared one only the first measures the contestant.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace calor::measure {

struct Contestant {
  std::string name;
  std::function<void()> run;  // one repetition
  double seconds = 0;         // filled by interleave: median of one repetition
};

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

inline double seconds_of(const std::function<void()>& run, int repetitions = 1) {
  const std::clock_t start = std::clock();
  for (int i = 0; i < repetitions; ++i) run();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / repetitions;
}

// Rounds until each contestant has run for `budget_seconds`, at least `min_rounds`, at most `max_rounds`; the order turns
// by one every round.  A repetition shorter than 2 ms is repeated within its turn until the turn lasts that long.
inline void interleave(std::vector<Contestant>& contestants, double budget_seconds, int min_rounds, int max_rounds) {
  const std::size_t count = contestants.size();
  std::vector<std::vector<double>> samples(count);
  std::vector<int> repetitions(count);
  double slowest_turn = 0;
  for (std::size_t i = 0; i < count; ++i) {
    contestants[i].run();  // first touch of memory and lazily built state
    const double once = seconds_of(contestants[i].run);
    repetitions[i] = std::clamp(static_cast<int>(2e-3 / std::max(once, 1e-7)), 1, 1000);
    slowest_turn = std::max(slowest_turn, once * repetitions[i]);
  }
  const int rounds = std::clamp(static_cast<int>(budget_seconds / slowest_turn), min_rounds, max_rounds);
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t turn = 0; turn < count; ++turn) {
      const std::size_t i = (turn + static_cast<std::size_t>(round)) % count;
      samples[i].push_back(seconds_of(contestants[i].run, repetitions[i]));
    }
  }
  for (std::size_t i = 0; i < count; ++i) contestants[i].seconds = median(std::move(samples[i]));
}

}  // namespace calor::measure

// How fast the kernels run on this machine, as shares of what one core of it could do at best.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/measure/limits.h"

namespace calor::measure {

struct Work {
  std::string name, size;   // "attention, distances, with gradients"; "2,048 x 64, 4 heads": tokens and features of a head
  double seconds = 0;       // processor time of one thread, a median
  double operations = 0;    // multiply-adds counted as two
  double bound = 0;         // seconds that the operations and exponentials take at the measured limits
  double error = 0;         // the largest, relative to the largest value, against double, of all rows of one or two heads
  double tolerance = 0;     // an error above it is a fault
};

// What several threads gain: attention with gradients on one and on all, by the clock on the wall.
struct Threads {
  std::string size;
  int threads = 1;
  double speed_up = 1;
  bool same_bits = true;
};

// Each work is computed, checked against double, and then timed; `quick`: few repetitions of small sizes, figures without weight.
// Throws Fault::check, naming the work, for an answer that is wrong; Fault::interrupted.
std::vector<Work> measure_work(const Limits& limits, bool quick, const Context& context);

// threads: 0, all available.
Threads measure_threads(int threads, bool quick);

}  // namespace calor::measure

// What one core of this machine could do at best, measured: the two things that float attention is made of, out of cache.
#pragma once

#include <string>

namespace calor::measure {

struct Limits {
  std::string target;      // instruction set that was measured
  double flops = 0;        // multiply-adds of a register-tiled product, counted as two operations, a second
  double exp_seconds = 0;  // one exponential of a vectorised pass, relative error below 3e-7
};

// Median of several rounds, about 0.1 s.  Compiler and machine decide the instruction set: the best of Highway's.
Limits measure_limits();

}  // namespace calor::measure

// Prints the multiply-add rate of one core, in operations a second, for the benchmarks that are written in Python.
#include <cstdio>

#include "calor/measure/limits.h"

int main() {
  std::printf("%.6g\n", calor::measure::measure_limits().flops);
  return 0;
}

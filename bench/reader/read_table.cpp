// Reads a table as `calor run` does and prints rows, columns, the sum of all values, the seconds that it took and the most memory that was held.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <numeric>

#include "calor/io/dataset.h"

int main(int count, char** arguments) {
  if (count != 2) return std::fprintf(stderr, "usage: %s FILE\n", arguments[0]), 2;
  calor::io::LoadOptions options;
  options.labels = calor::io::LabelUse::none;
  const auto begin = std::chrono::steady_clock::now();
  const calor::io::Dataset data = calor::io::load_dataset(arguments[1], options, calor::Context());
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%ld %ld %.17g %.3f %ld\n", long(data.rows), long(data.columns), std::accumulate(data.values.begin(), data.values.end(), 0.0), seconds, usage.ru_maxrss);
}

// Reads a table as `calor run` does and prints rows, columns, seconds by the clock, seconds of the processor and the most memory that was held, in KiB.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <limits>
#include <string>

#include "calor/io/dataset.h"
#include "calor/io/output.h"
#include "calor/io/separated.h"

// Of this program alone; getrusage keeps what the process held before it.
static long most_memory() {
  std::ifstream status("/proc/self/status");
  std::string name;
  for (long kilobytes = 0; status >> name; status.ignore(std::numeric_limits<std::streamsize>::max(), '\n'))
    if (name == "VmHWM:" && status >> kilobytes) return kilobytes;
  return 0;
}

static double processor_seconds(const rusage& usage) {
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

int main(int count, char** arguments) {
  if (count < 2 || count > 4) return std::fprintf(stderr, "usage: %s FILE [THREADS [VALUES.npy]]\n", arguments[0]), 2;
  calor::io::LoadOptions options;
  options.labels = calor::io::LabelUse::none;
  calor::Context context;
  if (count > 2) context.threads = std::atoi(arguments[2]);
  try {
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    const auto begin = std::chrono::steady_clock::now();
    const calor::io::Dataset data = calor::io::load_dataset(arguments[1], options, context);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    getrusage(RUSAGE_SELF, &after);
    const long memory = most_memory();
    if (count > 3) calor::io::write_file(arguments[3], calor::io::npy_file(data.values, data.rows, data.columns));
    std::printf("%ld %ld %.4f %.4f %ld\n", static_cast<long>(data.rows), static_cast<long>(data.columns), seconds, processor_seconds(after) - processor_seconds(before), memory);
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "error: %s\n", error.what()), 1;
  }
}

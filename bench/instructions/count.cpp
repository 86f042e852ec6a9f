// Runs each kernel twice, the second time with instrumentation, and has callgrind write a file of its counts:
//
//   CALOR_ISA=avx2 valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file=FILE calor_count_instructions [WORD ...]
//
// with the kernels whose names hold one of the words (all where none is given).  Prints a line of JSON: the tools that made the counts what
// they are, and the kernels in the order of the files FILE.1, FILE.2, ...  `--list` prints it without running anything.
#include <Eigen/Core>
#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <hwy/highway.h>

#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/instructions/kernels.h"
#include "calor/core/error.h"
#include "calor/kernels/attention.h"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
constexpr bool can_count = true;
#else  // nothing is counted, and the document says so
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_DUMP_STATS_AT(name)
constexpr bool can_count = false;
#endif

namespace calor::bench {
namespace {

using nlohmann::json;

// What decides how many instructions the same source becomes.  Counts made with others are not comparable.
json tools() {
  json found;
  found["compiler"] = fmt::format("{} {}", CALOR_COMPILER, __VERSION__);
#ifdef __GLIBCXX__
  found["libstdc++"] = __GLIBCXX__;
#endif
  found["libc"] = gnu_get_libc_version();
  found["eigen"] = fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
  found["highway"] = fmt::format("{}.{}.{}", HWY_MAJOR, HWY_MINOR, HWY_PATCH);
  found["flags"] = CALOR_FLAGS;
  found["instructions"] = kernels::isa_name();
  return found;
}

bool wanted(const std::string& name, const std::vector<std::string>& words) {
  if (words.empty()) return true;
  for (const std::string& word : words)
    if (name.find(word) != std::string::npos) return true;
  return false;
}

int run(int count, char** arguments) {
  const bool list = count > 1 && std::strcmp(arguments[1], "--list") == 0;
  const std::vector<std::string> words(arguments + (list ? 2 : 1), arguments + count);
  json document{{"can_count", can_count}, {"tools", tools()}, {"kernels", json::array()}};
  for (const Kernel& kernel : counted_kernels()) {
    if (!wanted(kernel.name, words)) continue;
    document["kernels"].push_back(kernel.name);
    if (list) continue;
    const auto counted = kernel.prepare();
    counted();  // the first touch of memory and lazily built state
    CALLGRIND_START_INSTRUMENTATION;
    counted();
    CALLGRIND_STOP_INSTRUMENTATION;
    CALLGRIND_DUMP_STATS_AT(kernel.name.c_str());
  }
  fmt::print("{}\n", document.dump());
  return 0;
}

}  // namespace
}  // namespace calor::bench

int main(int count, char** arguments) {
  try {
    return calor::bench::run(count, arguments);
  } catch (const calor::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.fault());
  }
}

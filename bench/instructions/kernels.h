// The kernels whose instructions are counted: fixed problems on one thread, without torch.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace calor::bench {

struct Kernel {
  std::string name;                                // "attention forward dot float 1x1x512x64"
  std::function<std::function<void()>()> prepare;  // makes the problem; what it returns is counted, and can be called again
};

// Small ones: some ten million instructions each, so that all of them under valgrind take seconds.
std::vector<Kernel> counted_kernels();

}  // namespace calor::bench

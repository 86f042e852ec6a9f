#include "calor/engine/back_end.h"

#include <atomic>
#include <cstdlib>

#include "calor/core/error.h"

namespace calor::engine {

static std::atomic<const BackEnd*> in_use{nullptr};

static const BackEnd& named_by_environment() {
  const char* name = std::getenv("CALOR_DEVICE");
  const std::string wanted = name && *name ? name : "cpu";
  if (wanted == "cpu") return cpu_back_end();
  const BackEnd* gpu = gpu_back_end();
  require(wanted == "gpu" && gpu, Fault::usage, "[device] expected {}, found \"{}\" (CALOR_DEVICE): {}", gpu ? "\"cpu\" or \"gpu\"" : "\"cpu\"", wanted,
          wanted == "gpu" ? "this build has no back end for GPUs; attention on tensors of a GPU is calor.nn.functional.attention, in Python" : "name one that this build has");
  return *gpu;
}

const BackEnd& back_end() {
  if (const BackEnd* chosen = in_use.load(std::memory_order_acquire)) return *chosen;
  static const BackEnd& chosen = named_by_environment();
  return chosen;
}

void use_back_end(const BackEnd* chosen) { in_use.store(chosen, std::memory_order_release); }

}  // namespace calor::engine

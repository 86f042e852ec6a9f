#include "calor/core/threads.h"

#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

namespace calor {

int available_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int affinity = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : omp_get_num_procs();
  return std::max(1, std::min(affinity, omp_get_num_procs()));
}

void parallel_for(std::int64_t pieces, int threads, const std::function<void(std::int64_t)>& piece) {
  if (threads <= 0) threads = available_threads();
  const int team = static_cast<int>(std::min<std::int64_t>(threads, pieces));
  if (team <= 1) {
    for (std::int64_t i = 0; i < pieces; ++i) piece(i);
    return;
  }
  std::atomic<bool> stop{false};
  std::exception_ptr error;
  std::mutex guard;
#pragma omp parallel for num_threads(team) schedule(dynamic, 1)
  for (std::int64_t i = 0; i < pieces; ++i) {
    if (stop.load(std::memory_order_relaxed)) continue;
    try {
      piece(i);
    } catch (...) {
      const std::lock_guard lock(guard);
      if (!error) error = std::current_exception();
      stop.store(true, std::memory_order_relaxed);
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace calor

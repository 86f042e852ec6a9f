// Progress and interruption: how long work tells its caller how far it is, and learns that it should stop.
//
// A library function takes a Context and calls advance(); it never prints.  The command line draws a bar from it when
// stderr is a terminal, and requests a stop on Ctrl-C.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "calor/core/memory.h"

namespace calor {

// Set once, by a signal handler or another thread; read by every long loop.
class StopFlag {
 public:
  void request() noexcept { requested_.store(true, std::memory_order_relaxed); }
  bool requested() const noexcept { return requested_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> requested_{false};
  static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");
};

class DescentObserver;  // descent_observer.h

// What long work is given: threads, a memory limit, where to report to, whether to stop.  Cheap to copy.
struct Context {
  int threads = 0;  // 0: all available
  MemoryLimit memory;
  // Called with work done and total, in the same unit, and a few words; from any thread, one call at a time not
  // guaranteed: the receiver locks.
  std::function<void(double done, double total, std::string_view what)> progress;
  const StopFlag* stop = nullptr;
  DescentObserver* observer = nullptr;  // shown the points of descents while they move; null: nobody

  void advance(double done, double total, std::string_view what) const;
  bool stopping() const { return stop && stop->requested(); }
  void check_stop(std::string_view op) const;  // throws Fault::interrupted when a stop was requested
};

}  // namespace calor

// The engine at work for Python: without the interpreter's lock, on a thread of its own, so that the caller's can see Ctrl-C and show progress
// whatever the engine is doing.  (OpenMP's threads belong to the thread that asks for them; a process that forks later leaves none of them hanging.)
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "calor/api/values.h"
#include "python.h"

namespace calor::python {

// Progress and the request to stop, between two threads.  Values keep a session that points to it.
class Watch {
 public:
  // seed, threads, max_memory of the dict; its "progress" is called with (done, total, what).
  static std::shared_ptr<Watch> of(PyObject* session);
  ~Watch();
  Watch(const Watch&) = delete;

  // Of what is made while it watches; its progress and stop are this object's.
  Session session();
  // Runs the work on another thread and waits.  Throws what it throws; Raised for an exception of a signal's handler or of progress,
  // once the work has come to a stop.
  void run(const std::function<void()>& work);

 private:
  Watch() = default;
  bool wait();  // until the work is done, or for a moment
  void show();  // throws Raised

  PyObject* progress_ = nullptr;  // owned; null for none
  std::uint64_t seed_ = 0, max_memory_ = 0;
  int threads_ = 0;
  StopFlag stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool finished_ = false, news_ = false;
  double done_ = 0, total_ = 0;
  std::string what_;
};

}  // namespace calor::python

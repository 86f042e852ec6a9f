#include "work.h"

#include <chrono>
#include <exception>
#include <thread>

namespace calor::python {

static constexpr auto moment = std::chrono::milliseconds(25);  // between two looks at signals: not felt, and costs nothing

std::shared_ptr<Watch> Watch::of(PyObject* session) {
  std::shared_ptr<Watch> watch(new Watch);
  if (PyObject* seed = item(session, "seed")) watch->seed_ = PyLong_AsUnsignedLongLong(seed);
  if (PyObject* threads = item(session, "threads")) watch->threads_ = static_cast<int>(PyLong_AsLong(threads));
  if (PyObject* bytes = item(session, "max_memory")) watch->max_memory_ = PyLong_AsUnsignedLongLong(bytes);
  if (PyErr_Occurred()) throw Raised{};
  if (PyObject* progress = item(session, "progress")) watch->progress_ = borrowed(progress);
  return watch;
}

Watch::~Watch() { Py_XDECREF(progress_); }

Session Watch::session() {
  Session session{seed_, threads_, max_memory_, {}, &stop_};
  if (!progress_) return session;
  session.progress = [this](double done, double total, std::string_view what) {
    const std::lock_guard lock(mutex_);
    done_ = done;
    total_ = total;
    what_ = what;
    news_ = true;
  };
  return session;
}

bool Watch::wait() {
  PyThreadState* state = PyEval_SaveThread();
  bool finished = false;
  {
    std::unique_lock lock(mutex_);
    finished = changed_.wait_for(lock, moment, [this] { return finished_; });
  }
  PyEval_RestoreThread(state);
  return finished;
}

void Watch::show() {
  double done = 0, total = 0;
  std::string what;
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(news_, false)) return;
    done = done_;
    total = total_;
    what = what_;
  }
  Object(PyObject_CallFunction(progress_, "ddO", done, total, text_of(what).get()));
}

void Watch::run(const std::function<void()>& work) {
  std::exception_ptr error;
  finished_ = false;
  std::thread worker([&] {
    try {
      work();
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    finished_ = true;
    changed_.notify_all();
  });
  bool raised = false;
  while (!wait()) {
    if (raised) continue;  // it stops as soon as it sees the flag
    try {
      if (PyErr_CheckSignals() < 0) throw Raised{};
      show();
    } catch (const Raised&) {
      raised = true;
      stop_.request();
    }
  }
  worker.join();
  if (raised) {
    // A descent that was interrupted gives the map that it has, and says so in a note: that is kept instead of the interruption.
    if (error || !PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) throw Raised{};
    PyErr_Clear();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace calor::python

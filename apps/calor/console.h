// The terminal: a progress bar on stderr, Ctrl-C, and colours where they are wanted.
#pragma once

#include <chrono>
#include <mutex>
#include <string_view>

#include "calor/core/progress.h"

namespace calor::app {

// One line on stderr that is redrawn; nothing at all when stderr is no terminal or `quiet` is set.
class ProgressBar {
 public:
  explicit ProgressBar(bool quiet);
  ~ProgressBar() { clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(double done, double total, std::string_view what);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool shown_ = false, enabled_;
  Clock::time_point begin_ = Clock::now(), drawn_{};
  std::mutex guard_;
};

// Requests a stop on the first Ctrl-C (or SIGTERM); a second Ctrl-C ends the process at once with exit code 130.
const StopFlag& stop_on_signals();

// Whether text written to the descriptor may carry colours: a terminal, and NO_COLOR unset.
bool colours(int descriptor);

}  // namespace calor::app

#include "console.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace calor::app {

ProgressBar::ProgressBar(bool quiet) : enabled_(!quiet && isatty(STDERR_FILENO)) {}

static std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void ProgressBar::show(double done, double total, std::string_view what) {
  if (!enabled_ || total <= 0) return;
  const std::lock_guard lock(guard_);
  const auto now = Clock::now();
  if (shown_ && done < total && now - drawn_ < std::chrono::milliseconds(100)) return;
  drawn_ = now;
  const double share = std::clamp(done / total, 0.0, 1.0);
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  constexpr int width = 24;
  const int filled = static_cast<int>(share * width);
  std::string line = fmt::format("[{:=>{}}{:>{}}] {:3.0f} %", "", filled, "", width - filled, 100 * share);
  if (share > 0.02 && seconds > 2) line += fmt::format("  {:.0f} s left", seconds * (1 - share) / share);
  line += fmt::format("  {}", what);
  line.resize(std::min(line.size(), terminal_width() - 1));
  fmt::print(stderr, "\r{}\033[K", line);
  std::fflush(stderr);
  shown_ = true;
}

void ProgressBar::clear() {
  const std::lock_guard lock(guard_);
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

static StopFlag stop_flag;

static void on_signal(int number) {
  if (stop_flag.requested() && number == SIGINT) _exit(130);
  stop_flag.request();
}

const StopFlag& stop_on_signals() {
  struct sigaction action{};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return stop_flag;
}

bool colours(int descriptor) { return isatty(descriptor) && std::getenv("NO_COLOR") == nullptr; }

}  // namespace calor::app

// Errors: what went wrong, where, and what the caller can do about it.
//
// A message reads "[op] expected ..., found ... (place): remedy".  The library throws Error and never prints, exits or
// aborts; the command line turns the fault into its exit code.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace calor {

// The kinds of failure; the value is the command line's exit code.
enum class Fault {
  internal = 1,
  usage = 2,         // a wrong flag, name or combination
  input = 3,         // the data or a file is not what was asked for
  memory = 4,        // the estimate is over the limit
  convergence = 5,   // an iteration did not reach its tolerance
  check = 6,         // a check of a result failed
  interrupted = 130  // the caller asked to stop
};

class Error : public std::runtime_error {
 public:
  Error(Fault fault, const std::string& message) : std::runtime_error(message), fault_(fault) {}
  Fault fault() const noexcept { return fault_; }

 private:
  Fault fault_;
};

template <class... Args>
[[noreturn]] void fail(Fault fault, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fault, fmt::format(format, std::forward<Args>(args)...));
}

// require(condition, fault, "[op] expected ..., found {}", ...): throws unless the condition holds.
template <class... Args>
void require(bool condition, Fault fault, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) throw Error(fault, fmt::format(format, std::forward<Args>(args)...));
}

// The operating system's reason for the last failed call, for example "No space left on device".
std::string system_reason(int error_number);

}  // namespace calor

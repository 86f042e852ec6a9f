#include "calor/core/memory.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>

#include "calor/core/error.h"

namespace calor {

static std::uint64_t read_number(const char* path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  return file >> value ? value : 0;
}

std::uint64_t available_memory() {
  std::uint64_t available = 0;
  std::ifstream file("/proc/meminfo");
  std::string key, unit;
  std::uint64_t kib = 0;
  while (file >> key >> kib) {
    std::getline(file, unit);
    if (key == "MemAvailable:") available = kib * 1024;
  }
  // "max" in the limit file reads as 0: no limit.
  const std::uint64_t limit = read_number("/sys/fs/cgroup/memory.max");
  if (limit > 0) {
    const std::uint64_t used = std::min(limit, read_number("/sys/fs/cgroup/memory.current"));
    available = available ? std::min(available, limit - used) : limit - used;
  }
  return available;
}

std::uint64_t parse_bytes(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit(end, text.data() + text.size() - end);
  double factor = -1;
  if (unit.ends_with("iB")) unit.remove_suffix(2);
  else if (unit.ends_with("B")) unit.remove_suffix(1);
  if (unit.empty()) factor = 1;
  else if (unit == "K" || unit == "k") factor = 1024.0;
  else if (unit == "M") factor = 1024.0 * 1024;
  else if (unit == "G") factor = 1024.0 * 1024 * 1024;
  else if (unit == "T") factor = 1024.0 * 1024 * 1024 * 1024;
  const double bytes = value * factor;
  require(error == std::errc() && factor > 0 && bytes >= 1 && bytes < 9e18, Fault::usage,
          "[memory] expected a size such as 512M or 2G, found \"{}\"", text);
  return static_cast<std::uint64_t>(bytes);
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1024 && unit < 6) value /= 1024, ++unit;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.{}f} {}", value, value < 10 ? 1 : 0, units[unit]);
}

std::uint64_t resident_memory() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  return file >> all >> resident ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

Reservation& Reservation::operator=(Reservation&& other) noexcept {
  if (this != &other) {
    release();
    taken_ = std::move(other.taken_);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void Reservation::release() noexcept {
  if (bytes_) taken_->fetch_sub(bytes_);
  bytes_ = 0;
}

MemoryLimit::MemoryLimit(std::uint64_t bytes) : bytes_(bytes), taken_(std::make_shared<std::atomic<std::uint64_t>>(0)) {
  if (bytes_ == 0) bytes_ = available_memory() / 10 * 9;
  if (bytes_ == 0) bytes_ = std::numeric_limits<std::uint64_t>::max();
}

void MemoryLimit::refuse(std::uint64_t needed, std::uint64_t taken, std::string_view op, std::string_view what, std::string_view remedy) const {
  const std::string beside = taken ? fmt::format(", beside {} in use", format_bytes(taken)) : "";
  fail(Fault::memory, "[{}] expected at most {} of memory, found {} needed for {}{}: {}", op, format_bytes(bytes_), format_bytes(needed), what, beside, remedy);
}

void MemoryLimit::require(std::uint64_t needed, std::string_view op, std::string_view what, std::string_view remedy) const {
  if (const std::uint64_t taken = this->taken(); taken > bytes_ || needed > bytes_ - taken) refuse(needed, taken, op, what, remedy);
}

Reservation MemoryLimit::reserve(std::uint64_t needed, std::string_view op, std::string_view what, std::string_view remedy) const {
  std::uint64_t taken = taken_->load();
  do {
    if (taken > bytes_ || needed > bytes_ - taken) refuse(needed, taken, op, what, remedy);
  } while (!taken_->compare_exchange_weak(taken, taken + needed));
  return Reservation(taken_, needed);
}

}  // namespace calor

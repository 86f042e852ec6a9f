// Memory: an estimate before the allocation, checked against a limit, so that work streams or is refused and never dies
// half way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace calor {

// Bytes this process may still take: the least of the machine's available memory and the container's limit; 0: unknown.
std::uint64_t available_memory();

// "512M", "2G", "1.5GiB", "800000" -> bytes.  Throws Fault::usage for anything else.
std::uint64_t parse_bytes(std::string_view text);

// 1536 -> "1.5 KiB".
std::string format_bytes(std::uint64_t bytes);

// A limit in bytes; 0 means nine tenths of available_memory().
class MemoryLimit {
 public:
  explicit MemoryLimit(std::uint64_t bytes = 0);
  std::uint64_t bytes() const { return bytes_; }
  // Throws Fault::memory: "[op] expected at most <limit>, found <needed> for <what>: <remedy>".
  void require(std::uint64_t needed, std::string_view op, std::string_view what, std::string_view remedy) const;

 private:
  std::uint64_t bytes_;
};

}  // namespace calor

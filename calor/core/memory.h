// Memory: an estimate before the allocation, charged to an account with a limit, so that work streams or is refused and never dies
// half way.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace calor {

// Bytes this process may still take: the least of the machine's available memory and the container's limit; 0: unknown.
std::uint64_t available_memory();

// "512M", "2G", "1.5GiB", "800000" -> bytes.  Throws Fault::usage for anything else.
std::uint64_t parse_bytes(std::string_view text);

// 1536 -> "1.5 KiB".
std::string format_bytes(std::uint64_t bytes);

// Bytes of this process that are in memory now; 0: unknown.
std::uint64_t resident_memory();

// A share of a limit, given back when it ends.  Moves, does not copy.
class Reservation {
 public:
  Reservation() = default;
  Reservation(Reservation&& other) noexcept : taken_(std::move(other.taken_)), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation() { release(); }
  std::uint64_t bytes() const { return bytes_; }
  void release() noexcept;

 private:
  friend class MemoryLimit;
  Reservation(std::shared_ptr<std::atomic<std::uint64_t>> taken, std::uint64_t bytes) : taken_(std::move(taken)), bytes_(bytes) {}

  std::shared_ptr<std::atomic<std::uint64_t>> taken_;
  std::uint64_t bytes_ = 0;
};

// A limit in bytes and the account of what has been taken of it.  Copies share the account; it is safe to use from several threads.
class MemoryLimit {
 public:
  MemoryLimit() : MemoryLimit(0) {}
  explicit MemoryLimit(std::uint64_t bytes);  // 0 means nine tenths of available_memory()
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t taken() const { return taken_->load(); }
  // Takes for good: what the process holds already.
  void begin_with(std::uint64_t bytes) const { taken_->fetch_add(bytes); }
  // Takes what is needed until the reservation ends.  Throws Fault::memory where that is more than is left: "[op] expected at most <limit>
  // of memory, found <needed> needed for <what>, beside <taken>: <remedy>".
  [[nodiscard]] Reservation reserve(std::uint64_t needed, std::string_view op, std::string_view what, std::string_view remedy) const;
  // Throws the same, and takes nothing: for what is not held for long.
  void require(std::uint64_t needed, std::string_view op, std::string_view what, std::string_view remedy) const;

 private:
  [[noreturn]] void refuse(std::uint64_t needed, std::uint64_t taken, std::string_view op, std::string_view what, std::string_view remedy) const;

  std::uint64_t bytes_;
  std::shared_ptr<std::atomic<std::uint64_t>> taken_;
};

// A value that holds its reservation for as long as anyone holds the value.
template <class T>
std::shared_ptr<T> share_reserved(T value, Reservation reservation) {
  struct Held {
    T value;
    Reservation reservation;
  };
  auto held = std::make_shared<Held>(Held{std::move(value), std::move(reservation)});
  return std::shared_ptr<T>(held, &held->value);
}

}  // namespace calor

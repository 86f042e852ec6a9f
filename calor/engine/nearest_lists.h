// The k nearest of every point that a search has met so far, and who lies around whom by them.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "calor/core/progress.h"

namespace calor::engine {

// Lists of N points, each in order of the distance, of equal ones by number.  Different points' lists may change at once.
class NearestLists {
 public:
  // numbers[p] settles ties of the point p; it outlives the lists.
  NearestLists(std::int64_t n, std::int64_t k, const std::int32_t* numbers);

  static std::uint64_t bytes(std::int64_t n, std::int64_t k, std::int64_t looked_at);

  // What is farther from i is not among its k nearest.
  double reach(std::int64_t i) const { return sizes_[i] < k_ ? std::numeric_limits<double>::infinity() : distances_[(i + 1) * k_ - 1]; }

  // Whether the point is now in i's list and was not before.  The distance of two points is always given as the same number.
  bool offer(std::int64_t i, double distance, std::int32_t point);

  std::span<const std::int32_t> of(std::int64_t i) const { return {points_.data() + i * k_, static_cast<std::size_t>(sizes_[i])}; }

  // What lies around each point: its nearest, and the nearest of those that have it among theirs.
  class Around {
   public:
    // Sets of points by their numbers below 2^31 without order.
    class Set;
    // Adds those around the points around i that are not in i's list, each once, but for those that a round before has shown it.
    void candidates(std::int64_t i, Set& met, std::vector<std::int32_t>& result) const;

   private:
    friend class NearestLists;
    static constexpr std::uint32_t fresh = 0x80000000U;  // has come since the last round
    const NearestLists* lists_ = nullptr;
    std::vector<std::int64_t> begin_{0};
    std::vector<std::uint32_t> points_;
  };

  // By the `most` nearest and as many of the others' as they are now.  From here on what comes is fresh.
  Around around(std::int64_t most, const Context& context);

 private:
  std::int64_t n_, k_;
  const std::int32_t* numbers_;
  std::vector<double> distances_;
  std::vector<std::int32_t> points_, sizes_;
  std::vector<std::uint8_t> fresh_;
};

// Open addressing; emptied by counting up a generation.
class NearestLists::Around::Set {
 public:
  explicit Set(std::int64_t most) {
    std::size_t size = 64;
    while (static_cast<std::int64_t>(size) < 4 * most) size *= 2;
    slots_.assign(size, 0);
  }
  void clear() { ++generation_; }
  // Whether it was not there.
  bool insert(std::int32_t point) {
    const std::uint64_t wanted = generation_ << 32 | static_cast<std::uint32_t>(point);
    std::size_t at = static_cast<std::uint32_t>(point) * 2654435769U >> 7 & (slots_.size() - 1);
    for (; slots_[at] >> 32 == generation_; at = (at + 1) & (slots_.size() - 1))
      if (slots_[at] == wanted) return false;
    slots_[at] = wanted;
    return true;
  }

 private:
  std::vector<std::uint64_t> slots_;
  std::uint64_t generation_ = 1;
};

}  // namespace calor::engine

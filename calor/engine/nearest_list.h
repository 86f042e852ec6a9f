// The nearest of what a search has met so far.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace calor::engine {

// The k least by distance, ties to the lower column.
class NearestList {
 public:
  explicit NearestList(std::int64_t k) : k_(static_cast<std::size_t>(k)) {}

  // What is farther than this is not among them.
  double reach() const { return heap_.size() < k_ ? std::numeric_limits<double>::infinity() : heap_.front().distance; }

  void offer(double distance, std::int32_t column) {
    const Candidate candidate{distance, column};
    if (heap_.size() == k_) {
      if (!(candidate < heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
    }
    heap_.push_back(candidate);
    std::push_heap(heap_.begin(), heap_.end());
  }

  // Their columns, ascending; the list is empty after it.
  void take(std::int32_t* result) {
    const auto end = std::transform(heap_.begin(), heap_.end(), result, [](const Candidate& c) { return c.column; });
    std::sort(result, end);
    heap_.clear();
  }

 private:
  struct Candidate {
    double distance;
    std::int32_t column;
    bool operator<(const Candidate& other) const {
      return distance != other.distance ? distance < other.distance : column < other.column;
    }
  };
  std::size_t k_;
  std::vector<Candidate> heap_;  // the farthest first
};

}  // namespace calor::engine

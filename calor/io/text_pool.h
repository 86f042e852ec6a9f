// Distinct texts, each stored once and numbered in order of first appearance.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace calor::io {

// About 30 bytes a text beside its own: one arena, offsets, and an open table of numbers.
class TextPool {
 public:
  // The number of the text, which is new where it equals size() before the call; `line` is kept for a new one.  It counts as `count` of them.
  std::int64_t add(std::string_view text, std::int64_t line, std::int64_t count = 1);

  std::int64_t size() const { return static_cast<std::int64_t>(lines_.size()); }
  std::string_view text(std::int64_t id) const {
    const auto i = static_cast<std::size_t>(id);
    return std::string_view(arena_).substr(ends_[i], ends_[i + 1] - ends_[i]);
  }
  std::int64_t line(std::int64_t id) const { return lines_[static_cast<std::size_t>(id)]; }    // where it appeared first
  std::int64_t count(std::int64_t id) const { return counts_[static_cast<std::size_t>(id)]; }  // how often it was added
  std::vector<std::string> texts() const;

 private:
  void grow();

  std::string arena_;
  std::vector<std::size_t> ends_{0};
  std::vector<std::int64_t> lines_, counts_;
  std::vector<std::int32_t> table_;  // number + 1, 0: free; its size is a power of two
  std::int64_t last_ = -1;
};

}  // namespace calor::io

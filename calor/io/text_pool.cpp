#include "calor/io/text_pool.h"

#include <functional>
#include <limits>

#include "calor/core/error.h"

namespace calor::io {

std::int64_t TextPool::add(std::string_view text, std::int64_t line, std::int64_t count) {
  // Files are often sorted: the previous text is the likely one.
  if (last_ >= 0 && this->text(last_) == text) {
    counts_[static_cast<std::size_t>(last_)] += count;
    return last_;
  }
  if (2 * (lines_.size() + 1) > table_.size()) grow();
  const std::size_t mask = table_.size() - 1;
  std::size_t at = std::hash<std::string_view>{}(text) & mask;
  while (table_[at] != 0 && this->text(table_[at] - 1) != text) at = (at + 1) & mask;
  if (table_[at] == 0) {
    require(size() < std::numeric_limits<std::int32_t>::max(), Fault::memory, "[data] expected fewer than 2^31 different texts in a column, found more: split the file");
    arena_ += text;
    ends_.push_back(arena_.size());
    lines_.push_back(line);
    counts_.push_back(0);
    table_[at] = static_cast<std::int32_t>(size());
  }
  last_ = table_[at] - 1;
  counts_[static_cast<std::size_t>(last_)] += count;
  return last_;
}

void TextPool::grow() {
  constexpr std::size_t smallest = 64;
  table_.assign(std::max(smallest, 2 * table_.size()), 0);
  const std::size_t mask = table_.size() - 1;
  for (std::int64_t id = 0; id < size(); ++id) {
    std::size_t at = std::hash<std::string_view>{}(text(id)) & mask;
    while (table_[at] != 0) at = (at + 1) & mask;
    table_[at] = static_cast<std::int32_t>(id + 1);
  }
}

std::vector<std::string> TextPool::texts() const {
  std::vector<std::string> all;
  all.reserve(static_cast<std::size_t>(size()));
  for (std::int64_t id = 0; id < size(); ++id) all.emplace_back(text(id));
  return all;
}

}  // namespace calor::io

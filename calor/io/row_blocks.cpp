#include "calor/io/row_blocks.h"

#include <algorithm>

#include "calor/io/text_scanner.h"

namespace calor::io {
namespace {

// Line ends in a text that does not end between '\r' and '\n'.
std::int64_t line_ends(std::string_view text, bool returns) {
  auto count = static_cast<std::int64_t>(count_byte(text, '\n'));
  if (!returns) return count;
  for (std::size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) count += at + 1 == text.size() || text[at + 1] != '\n';
  return count;
}

}  // namespace

RowBlocks::RowBlocks(TextSource& source, char delimiter, const std::string& place, std::size_t block_size, std::int64_t line)
    : source_(source), delimiter_(delimiter), place_(place), block_size_(block_size), line_(line) {
  source_.rewind();
}

bool RowBlocks::next(RowBlock& block) {
  block.rows = {};
  if (ended_ && rest_.empty()) return false;
  if (block.bytes.size() < block_size_) block.bytes.resize(block_size_);
  while (block.bytes.size() <= rest_.size()) block.bytes.resize(2 * block.bytes.size());
  std::copy(rest_.begin(), rest_.end(), block.bytes.begin());
  std::size_t filled = rest_.size();
  rest_.clear();
  for (;;) {
    while (!ended_ && filled < block.bytes.size()) {
      const std::size_t count = source_.read(block.bytes.data() + filled, block.bytes.size() - filled);
      ended_ = count == 0;
      filled += count;
      read_ += count;
    }
    if (filled == 0) return false;
    const std::string_view text(block.bytes.data(), filled);
    block.line = line_;
    if (const std::size_t size = whole_rows(text); size > 0) {
      block.rows = text.substr(0, size);
      rest_ = text.substr(size);
      return true;
    }
    check_row_length(block.bytes.size(), place_, line_);
    block.bytes.resize(2 * block.bytes.size());
  }
}

std::size_t RowBlocks::whole_rows(std::string_view text) {
  if (text.find('"') != std::string_view::npos) return quoted_rows(text);
  const bool feeds = text.find('\n') != std::string_view::npos, returns = text.find('\r') != std::string_view::npos;
  std::size_t size = text.size();
  if (!ended_) {
    const std::size_t last = feeds ? text.rfind('\n') : text.substr(0, size - 1).rfind('\r');  // a '\n' may follow a '\r' at the end
    if (last == std::string_view::npos) return 0;
    size = last + 1;
  }
  line_ += line_ends(text.substr(0, size), returns);
  return size;
}

// The last row, which may go on, is left for the next block.
std::size_t RowBlocks::quoted_rows(std::string_view text) {
  if (ended_) return text.size();
  TextScanner scanner(text, delimiter_, '.', place_, line_);
  const char* last = text.data();
  std::int64_t line = line_, rows = 0;
  for (; scanner.begin_row(); ++rows) {
    last = scanner.row().data();
    line = scanner.line();
  }
  if (rows < 2) return 0;
  line_ = line;
  return static_cast<std::size_t>(last - text.data());
}

}  // namespace calor::io

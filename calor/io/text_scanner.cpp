#include "calor/io/text_scanner.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <fast_float/fast_float.h>

#include "calor/core/error.h"
#include "calor/core/text.h"

namespace calor::io {

static bool in_range(double value) { return std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()); }

TextScanner::TextScanner(TextSource& source, char delimiter, char decimal, const std::string& place)
    : source_(&source), delimiter_(delimiter), decimal_(decimal), place_(place) {
  constexpr std::size_t first_block = std::size_t{1} << 15;
  source_->rewind();
  buffer_.resize(first_block);
  begin_ = end_ = at_ = row_ = row_end_ = buffer_.data();
}

TextScanner::TextScanner(std::string_view rows, char delimiter, char decimal, const std::string& place, std::int64_t line)
    : delimiter_(delimiter), decimal_(decimal), place_(place), begin_(rows.data()), end_(begin_ + rows.size()), ended_(true),
      plain_(rows.find('"') == std::string_view::npos && rows.find('\r') == std::string_view::npos), at_(begin_), row_(begin_), row_end_(begin_), line_(line),
      next_line_(line) {}

// Moves what begins at `keep` to the front and reads behind it; false when there is no more.
bool TextScanner::refill(const char*& keep) {
  if (ended_) return false;
  auto filled = static_cast<std::size_t>(end_ - keep);
  std::memmove(buffer_.data(), keep, filled);
  consumed_ += static_cast<std::size_t>(keep - begin_);
  if (filled == buffer_.size()) {
    check_row_length(buffer_.size(), place_, next_line_);
    buffer_.resize(2 * buffer_.size());
  }
  const std::size_t count = source_->read(buffer_.data() + filled, buffer_.size() - filled);
  ended_ = count == 0;
  filled += count;
  begin_ = keep = buffer_.data();
  end_ = begin_ + filled;
  return !ended_;
}

// From row_ to the first line end outside quotes, or the end of the text; quotes count where a cell begins.
bool TextScanner::find_row_end() {
  const char* const end = end_;
  if (plain_) {
    const auto* feed = static_cast<const char*>(std::memchr(row_, '\n', static_cast<std::size_t>(end - row_)));
    row_end_ = feed ? feed : end;
    return feed != nullptr;
  }
  const auto line_end = [](const char* from, const char* to) {
    const auto* feed = static_cast<const char*>(std::memchr(from, '\n', static_cast<std::size_t>(to - from)));
    const char* const limit = feed ? feed : to;
    const auto* lone = static_cast<const char*>(std::memchr(from, '\r', static_cast<std::size_t>(limit - from)));
    return lone ? lone : limit;
  };
  const char* first = line_end(row_, end);
  if (std::memchr(row_, '"', static_cast<std::size_t>(first - row_)) == nullptr) {
    row_end_ = first;
    return first != end;
  }
  bool cell_begins = true;
  for (const char* p = row_; p != end;) {
    if (cell_begins && is_blank(*p)) {
      ++p;
    } else if (cell_begins && *p == '"') {
      for (++p; p != end; ++p) {
        if (*p != '"') continue;
        if (p + 1 == end || p[1] != '"') break;
        ++p;
      }
      if (p == end) break;  // not closed here
      ++p;
      cell_begins = false;
    } else if (*p == '\n' || *p == '\r') {
      row_end_ = p;
      return true;
    } else {
      cell_begins = *p == delimiter_ || (delimiter_ == ' ' && is_blank(*p));
      ++p;
    }
  }
  row_end_ = end;
  return false;
}

bool TextScanner::begin_row() {
  at_ = row_end_;
  // Over the end of the row before, and blank lines.
  for (;;) {
    const char* const end = end_;
    if (at_ == end) {
      if (!refill(at_)) return false;
      continue;
    }
    if (*at_ == '\r' && at_ + 1 == end && !ended_) {  // its '\n' may follow
      if (!refill(at_)) ended_ = true;
      continue;
    }
    if (*at_ == '\n' || *at_ == '\r') {
      at_ += *at_ == '\r' && at_ + 1 != end && at_[1] == '\n' ? 2 : 1;
      ++next_line_;
      continue;
    }
    const char* p = at_;
    while (p != end && is_blank(*p)) ++p;
    if (p == end) {
      if (!refill(at_)) return false;
      continue;
    }
    if (*p != '\n' && *p != '\r') break;
    at_ = p;
  }
  row_ = at_;
  while (!find_row_end()) {
    const bool more = refill(row_);
    if (more) continue;
    find_row_end();
    break;
  }
  at_ = row_;
  line_ = next_line_;
  // Line ends inside quotes.
  for (const char* p = row_; !plain_ && p != row_end_; ++p) {
    p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(row_end_ - p)));
    if (!p) break;
    ++next_line_;
  }
  if (delimiter_ == ' ') at_ = row_ = after_blanks(at_);
  return true;
}

bool TextScanner::next_cell() {
  if (at_ != row_end_ && *at_ == delimiter_ && delimiter_ != ' ') {
    ++at_;
    return true;
  }
  at_ = after_blanks(at_);
  if (at_ == row_end_) return false;
  if (delimiter_ != ' ') ++at_;
  return true;
}

std::string_view TextScanner::text_cell() {
  at_ = after_blanks(at_);
  if (at_ != row_end_ && *at_ == '"') return quoted_cell();
  const char* begin = at_;
  while (!cell_ends(at_)) ++at_;
  return trim({begin, static_cast<std::size_t>(at_ - begin)});
}

std::string_view TextScanner::quoted_cell() {
  unquoted_.clear();
  const char* const begin = at_++;
  const auto line_of = [&](const char* p) { return line_ + std::count(row_, p, '\n'); };
  for (;;) {
    const char* quote = std::find(at_, row_end_, '"');
    require(quote != row_end_, Fault::input, "[csv] expected a closing quote, found the end of the file ({}, line {}): close the quote", place_, line_of(begin));
    unquoted_.append(at_, quote);
    at_ = quote + 1;
    if (at_ == row_end_ || *at_ != '"') break;
    unquoted_ += '"';  // a doubled quote stands for one
    ++at_;
  }
  const char* rest = after_blanks(at_);
  require(cell_ends(at_) || cell_ends(rest), Fault::input,
          "[csv] expected the end of the cell after the closing quote, found \"{}\" ({}, line {}): double the quotes inside a cell",
          std::string_view(rest, std::min<std::size_t>(20, static_cast<std::size_t>(row_end_ - rest))), place_, line_of(at_));
  return unquoted_;
}

// Where the number that begins the cell ends; null where none fills it.
inline const char* TextScanner::number(const char* begin, double& value) const {
  const auto [end, error] = fast_float::from_chars_advanced(begin, row_end_, value, fast_float::parse_options(fast_float::chars_format::general, decimal_));
  return error == std::errc() && in_range(value) && (cell_ends(end) || cell_ends(after_blanks(end))) ? end : nullptr;
}

std::size_t TextScanner::number_cells(double* values, std::size_t most) {
  const char* p = at_;
  for (std::size_t count = 0; count < most; ++count) {
    const char* const end = number(after_blanks(p), values[count]);
    if (!end) return count;
    at_ = end;
    if (end == row_end_ || (delimiter_ != ' ' && *end != delimiter_)) return count + 1;
    p = delimiter_ != ' ' ? end + 1 : end;
  }
  return most;
}

void check_row_length(std::size_t bytes, const std::string& place, std::int64_t line) {
  constexpr std::size_t longest_row = std::size_t{1} << 28;
  require(bytes < longest_row, Fault::input, "[csv] expected a row of at most {} bytes, found a longer one ({}, line {}): close its quotes", longest_row, place, line);
}

std::vector<std::string> read_cells(TextScanner& scanner) {
  std::vector<std::string> cells;
  do cells.emplace_back(scanner.text_cell());
  while (scanner.next_cell());
  return cells;
}

}  // namespace calor::io

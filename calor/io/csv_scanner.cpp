#include "calor/io/csv_scanner.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"

namespace calor::io {

// Over "\n", "\r\n" or a lone "\r".
void CsvScanner::end_line() {
  if (at_ == end_) return;
  const bool carriage_return = *at_++ == '\r';
  if (carriage_return && at_ != end_ && *at_ == '\n') ++at_;
  ++line_;
}

bool CsvScanner::begin_row() {
  for (;;) {
    const char* p = at_;
    while (p != end_ && (*p == ' ' || *p == '\t')) ++p;
    if (p == end_) return false;
    if (*p != '\n' && *p != '\r') break;
    at_ = p;
    end_line();
  }
  if (delimiter_ == ' ') at_ = after_blanks(at_);
  return true;
}

bool CsvScanner::next_cell() {
  at_ = after_blanks(at_);
  if (at_ == end_) return false;
  if (*at_ == '\n' || *at_ == '\r') {
    end_line();
    return false;
  }
  if (delimiter_ != ' ') ++at_;
  return true;
}

std::string_view CsvScanner::text_cell() {
  at_ = after_blanks(at_);
  if (at_ != end_ && *at_ == '"') return quoted_cell();
  const char* begin = at_;
  while (!cell_ends(at_)) ++at_;
  return trim({begin, static_cast<std::size_t>(at_ - begin)});
}

std::string_view CsvScanner::quoted_cell() {
  const std::int64_t first_line = line_;
  unquoted_.clear();
  ++at_;
  for (;;) {
    const char* quote = std::find(at_, end_, '"');
    line_ += std::count(at_, quote, '\n');
    require(quote != end_, Fault::input,
            "[csv] expected a closing quote, found the end of the file ({}, line {}): close the quote", place_,
            first_line);
    unquoted_.append(at_, quote);
    at_ = quote + 1;
    if (at_ == end_ || *at_ != '"') break;
    unquoted_ += '"';  // a doubled quote stands for one
    ++at_;
  }
  const char* rest = after_blanks(at_);
  require(cell_ends(at_) || cell_ends(rest), Fault::input,
          "[csv] expected the end of the cell after the closing quote, found \"{}\" ({}, line {}): double the quotes "
          "inside a cell",
          std::string_view(rest, std::min<std::size_t>(20, static_cast<std::size_t>(end_ - rest))), place_, line_);
  return unquoted_;
}

bool CsvScanner::number_cell(double& value) {
  const char* begin = after_blanks(at_);
  const auto [stop, error] = std::from_chars(begin, end_, value);
  if (error != std::errc() || !std::isfinite(value)) return false;
  if (!cell_ends(stop) && !is_end(after_blanks(stop))) return false;
  at_ = stop;
  return true;
}

}  // namespace calor::io

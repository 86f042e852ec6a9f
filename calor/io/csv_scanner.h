// Cells and lines of separated text (RFC 4180, and what people make of it): quotes, CRLF, blanks around cells.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace calor::io {

// Walks over a text cell by cell; text and place must outlive it.  `delimiter` ' ' means runs of blanks.
class CsvScanner {
 public:
  CsvScanner(std::string_view text, char delimiter, const std::string& place)
      : at_(text.data()), end_(text.data() + text.size()), delimiter_(delimiter), place_(place) {}

  std::int64_t line() const { return line_; }  // from 1, of the next character

  // A place to come back to.
  struct Mark {
    const char* at;
    std::int64_t line;
  };
  Mark mark() const { return {at_, line_}; }
  void return_to(Mark mark) { at_ = mark.at, line_ = mark.line; }

  // Goes to the first cell of the next line that is not blank; false at the end of the text.
  bool begin_row();

  // Whether a further cell follows on this line; moves over the separator or the line's end.
  bool next_cell();

  // The cell here without blanks and quotes around it; valid until the next call.  Throws Fault::input for a quoted
  // cell that does not end, or ends before its separator.
  std::string_view text_cell();

  // Reads a finite number that fills the cell here; otherwise moves nothing and returns false.
  bool number_cell(double& value);

 private:
  bool is_blank(char c) const { return c == ' ' || (c == '\t' && delimiter_ != '\t'); }
  bool is_end(const char* p) const { return p == end_ || *p == delimiter_ || *p == '\n' || *p == '\r'; }
  const char* after_blanks(const char* p) const {
    while (p != end_ && is_blank(*p)) ++p;
    return p;
  }
  void end_line();
  std::string_view quoted_cell();
  // Whether a cell may end here; blanks that separate are left for next_cell().
  bool cell_ends(const char* p) const { return is_end(p) || (delimiter_ == ' ' && is_blank(*p)); }

  const char* at_;
  const char* end_;
  char delimiter_;
  std::int64_t line_ = 1;
  std::string unquoted_;
  const std::string& place_;
};

}  // namespace calor::io

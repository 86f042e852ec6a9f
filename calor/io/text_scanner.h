// Cells and lines of separated text (RFC 4180, and what people make of it): quotes, every kind of line end, blanks around cells.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "calor/io/text_source.h"

namespace calor::io {

// Walks over a text row by row and cell by cell; source and place must outlive it.  Holds one block of the text, or the longest row.
class TextScanner {
 public:
  // `delimiter` ' ' means runs of blanks; `decimal` is the mark before the fraction, '.' or ','.
  TextScanner(TextSource& source, char delimiter, char decimal, const std::string& place);
  // Over rows in memory, which must outlive it and are not copied; they begin at `line`.
  TextScanner(std::string_view rows, char delimiter, char decimal, const std::string& place, std::int64_t line);
  TextScanner(const TextScanner&) = delete;
  TextScanner& operator=(const TextScanner&) = delete;

  // Goes to the next line that is not blank and holds all of its row; false at the end of the text.
  bool begin_row();
  std::int64_t line() const { return line_; }            // from 1, where the row begins
  std::string_view row() const { return {row_, static_cast<std::size_t>(row_end_ - row_)}; }
  std::size_t bytes_read() const { return consumed_ + static_cast<std::size_t>(at_ - begin_); }

  // Whether a further cell follows on this row; moves over the separator.
  bool next_cell();
  // Leaves the rest of the row out.
  void skip_row() { at_ = row_end_; }
  // Back to the row's first cell.
  void restart_row() { at_ = row_; }

  // The cell here without blanks and quotes around it; valid until the next call.  Throws Fault::input for a quoted cell that does
  // not end, or ends before its separator.
  std::string_view text_cell();
  // Reads numbers in the range of float that fill this cell and those after it, `most` at most, and returns how many; stands behind the last
  // one then, and has not moved where there is none.
  std::size_t number_cells(double* values, std::size_t most);

 private:
  bool is_blank(char c) const { return c == ' ' || (c == '\t' && delimiter_ != '\t'); }
  const char* after_blanks(const char* p) const {
    while (p != row_end_ && is_blank(*p)) ++p;
    return p;
  }
  bool cell_ends(const char* p) const { return p == row_end_ || *p == delimiter_ || (delimiter_ == ' ' && is_blank(*p)); }
  bool refill(const char*& keep);
  bool find_row_end();
  const char* number(const char* begin, double& value) const;
  std::string_view quoted_cell();

  TextSource* source_ = nullptr;
  char delimiter_, decimal_;
  const std::string& place_;
  std::string buffer_, unquoted_;
  const char *begin_ = nullptr, *end_ = nullptr;  // of the text that is held
  std::size_t consumed_ = 0;                      // bytes of the text before it
  bool ended_ = false;                            // the source has no more
  bool plain_ = false;                            // there are neither quotes nor '\r'
  const char *at_ = nullptr, *row_ = nullptr, *row_end_ = nullptr;
  std::int64_t line_ = 1, next_line_ = 1;
};

// Throws Fault::input where `bytes` are held and the row that begins at `line` has no end in them: more than any row is.
void check_row_length(std::size_t bytes, const std::string& place, std::int64_t line);

// The cells of the row here, moving over it.
std::vector<std::string> read_cells(TextScanner& scanner);

}  // namespace calor::io

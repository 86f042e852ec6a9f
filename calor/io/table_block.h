// The rows of one block of a text as cells, before anything is known of the blocks around it.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "calor/io/dialect.h"
#include "calor/io/row_blocks.h"

namespace calor::io {

// A cell of which a table keeps the text: every cell of a column of texts, and what is no plain number elsewhere.
struct NotedCell {
  std::size_t cell = 0;            // counted in the block
  std::uint32_t begin = 0, size = 0;
  bool unquoted = false;           // where the text stands: in BlockCells::unquoted, else in the block
};

struct BlockCells {
  std::string_view text;           // of the block
  std::vector<double> cells;       // row-major, the first `count` of them; NaN for noted ones
  std::size_t count = 0;
  std::vector<NotedCell> noted;    // ascending
  std::string unquoted;
  std::vector<std::int64_t> lines; // of the rows, where something is noted
  std::int64_t rows = 0, comments = 0;
  std::exception_ptr error;        // the first in the block, which ends its rows

  std::string_view text_of(const NotedCell& noted_cell) const {
    return (noted_cell.unquoted ? std::string_view(unquoted) : text).substr(noted_cell.begin, noted_cell.size);
  }
};

// Reads blocks; any number of them at a time.  The arguments must outlive it.
class BlockReader {
 public:
  // `texts`: which columns hold texts.
  BlockReader(const Dialect& dialect, const std::vector<bool>& texts, const std::string& place);
  // Throws nothing: what is wrong in the block is kept as its error.
  void read(const RowBlock& block, BlockCells& into) const;

 private:
  void read_rows(const RowBlock& block, BlockCells& into) const;
  void read_row(class TextScanner& scanner, BlockCells& into) const;
  [[noreturn]] void fail_ragged(std::size_t cells, std::int64_t line) const;

  const Dialect& dialect_;
  const std::string& place_;
  std::vector<std::size_t> numbers_;  // at each column, how many columns of numbers follow from there
};

}  // namespace calor::io

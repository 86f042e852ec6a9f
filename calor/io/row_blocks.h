// A text in blocks of whole rows that can be read apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "calor/io/text_source.h"

namespace calor::io {

struct RowBlock {
  std::string bytes;      // grown to what is needed, and kept
  std::string_view rows;  // of it
  std::int64_t line = 1;  // where they begin
};

// Walks over a text; source and place must outlive it.  Where blocks end depends on the text alone.  Quotes may hold line ends, as
// TextScanner has them.
class RowBlocks {
 public:
  static constexpr std::size_t usual_size = std::size_t{1} << 16;
  // `line`: where the source begins in the text that it is of.
  RowBlocks(TextSource& source, char delimiter, const std::string& place, std::size_t block_size = usual_size, std::int64_t line = 1);

  // The next block_size bytes, or more until a row ends; false at the end.  Throws Fault::input for a row of more than 256 MB.
  bool next(RowBlock& block);
  std::size_t bytes_read() const { return read_; }

 private:
  // How many bytes are whole rows, 0: none; moves line_ over them.
  std::size_t whole_rows(std::string_view text);
  std::size_t quoted_rows(std::string_view text);

  TextSource& source_;
  char delimiter_;
  const std::string& place_;
  std::size_t block_size_;
  std::string rest_;          // of the block before: the beginning of a row
  std::int64_t line_;         // where the next block begins
  std::size_t read_ = 0;
  bool ended_ = false;
};

}  // namespace calor::io

// Text in blocks: a file, or bytes in memory, read from the beginning as often as needed, so that no table has to hold its text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "calor/core/progress.h"

namespace calor::io {

class TextSource {
 public:
  virtual ~TextSource() = default;
  // Up to `most` bytes; 0 at the end.
  virtual std::size_t read(char* into, std::size_t most) = 0;
  virtual void rewind() = 0;
};

std::unique_ptr<TextSource> text_in_memory(std::string text);        // owns it
std::unique_ptr<TextSource> text_view(std::string_view text);        // must outlive the source
// A regular file; throws Fault::input where it cannot be opened or read.
std::unique_ptr<TextSource> text_of_file(const std::string& path);
// Its bytes from `begin` up to `end`.
std::unique_ptr<TextSource> text_of_file(const std::string& path, std::uint64_t begin, std::uint64_t end);
// The content of gzipped bytes, which the source owns; unpacked block by block.
std::unique_ptr<TextSource> text_of_gzip(std::string packed, const std::string& place);

// What is known of a text before it is scanned.
struct TextFacts {
  std::string encoding = "UTF-8";   // what it was stored in
  std::size_t bytes = 0, lines = 0; // of the text in UTF-8: its length, and an upper bound of its lines
};

std::size_t count_byte(std::string_view text, char byte);

// Bytes and lines of what is read piece by piece.
class LineCount {
 public:
  void add(std::string_view bytes);
  std::size_t bytes() const { return bytes_; }
  std::size_t lines() const;

 private:
  std::size_t bytes_ = 0, feeds_ = 0, returns_ = 0;
};

// The source as UTF-8 without a byte order mark.  `encoding` "" means UTF-8, or UTF-16 where a byte order mark or zero bytes at every
// second place tell; any name that iconv knows is accepted (latin1, windows-1252, utf-16le, ...).  A text in another encoding than
// UTF-8 is held in memory.  `counted`: all of the source was counted before; else it is read once for that.  Rewinds it.
// Throws Fault::input for an empty text, for other binary data, for bytes that the encoding does not have and for UTF-16 cut in half;
// Fault::usage for an unknown encoding; Fault::memory.
std::unique_ptr<TextSource> as_utf8(std::unique_ptr<TextSource> source, const std::string& encoding, const std::string& place,
                                    const Context& context, TextFacts& facts, const LineCount& counted = {});

// All of it.  Throws Fault::memory.
std::string whole_text(TextSource& source, std::size_t bytes, const std::string& place, const Context& context);

}  // namespace calor::io

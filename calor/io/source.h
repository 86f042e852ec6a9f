// A file, standard input, or what is in either once it is unpacked.
#pragma once

#include <future>
#include <memory>
#include <string>

#include "calor/core/progress.h"
#include "calor/io/text_source.h"

namespace calor::io {

struct Source {
  std::shared_future<std::string> hash;  // SHA-256 of the bytes as stored, hex; made beside the reading
  std::string head;                  // the first bytes, unpacked
  std::string bytes;                 // all of them, unpacked, where they are no text; else empty
  std::unique_ptr<TextSource> text;  // else
  LineCount counted;                 // of a text that was read once for its hash
};

// Opens a path or "-".  A plain text is read in pieces, everything else held in memory.
// Throws Fault::input for a file that is not there (with the nearest name), a folder, an empty file; Fault::memory.
Source open_source(const std::string& path, const Context& context);

// Throws Fault::input, with the format and the remedy, for a file of another program that is known and not read.
void refuse_foreign(std::string_view head, const std::string& path);

}  // namespace calor::io

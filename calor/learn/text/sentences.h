// Text, one sentence a line, and text in two languages whose lines belong together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"

namespace calor::learn {

struct Sentences {
  std::vector<std::string> lines;  // UTF-8, without their line ends
  std::string hash;                // SHA-256 of the bytes as stored
};

// A path, also .gz, or "-".  Lines end with LF or CRLF; the last may have none.
// Throws Fault::input for a file that is missing or empty, binary, or not UTF-8 (UTF-16 with its mark is converted); Fault::memory.
Sentences read_sentences(const std::string& path, const Context& context);

struct ParallelText {
  std::vector<std::string> source, target;
  std::int64_t left_out = 0;  // pairs of which a side is blank
  std::string hash;
};

// Line k of the one is the translation of line k of the other.  Throws as above, and for unequal numbers of lines or no pair of two sentences.
ParallelText read_parallel(const std::string& source, const std::string& target, const Context& context);

}  // namespace calor::learn

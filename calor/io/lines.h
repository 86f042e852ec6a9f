// Small texts that are read line by line: sentences, labels, lists of files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"

namespace calor::io {

// The lines of a small text, without their ends; an empty last one does not count.
struct TextLines {
  std::vector<std::string> lines;
  std::string hash;  // SHA-256 of the file as stored, hex
};

// Of a file, plain or gzipped, or "-"; in UTF-8, or UTF-16 as as_utf8 finds it.  Throws Fault::input: "[op] expected <expected>, found binary data", and for other encodings, with the line;
// what open_source throws; Fault::memory.
TextLines read_lines(const std::string& path, std::string_view op, std::string_view expected, const Context& context);

}  // namespace calor::io

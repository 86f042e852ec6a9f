// Output files that appear complete or not at all: written beside the target, flushed, then renamed.
#pragma once

#include <string>
#include <string_view>

namespace calor::io {

// Replaces `path` with `bytes` in one step.  A symbolic link stays and the file it points to is replaced; an existing
// file keeps its permissions; a device, pipe or socket is written to directly.  Throws Fault::input: "[write] ...
// <path>: <the system's reason>"; the old file, where there was one, is then untouched and nothing is left beside it.
void write_file(const std::string& path, std::string_view bytes);

// Throws now what write_file would throw later for a folder that is missing or not writable, before long work begins.
void check_writable(const std::string& path);

// Whole content of a file, of standard input for "-"; gz files are not unpacked here.  Throws Fault::input: missing
// file, folder, unreadable.
std::string read_file(const std::string& path);

}  // namespace calor::io

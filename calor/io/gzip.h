// The gzip format (RFC 1952): one or more compressed members.
#pragma once

#include <string>
#include <string_view>

#include "calor/core/progress.h"

namespace calor::io {

bool is_gzip(std::string_view bytes);

// The content of every member.  Throws Fault::input, naming `place`, for bytes that are truncated, damaged (checksum)
// or followed by anything but zero padding; Fault::memory as soon as the content outgrows the limit.
std::string gunzip(std::string_view bytes, const std::string& place, const Context& context);

// Undoes one raw deflate stream of known size (the content of a zip entry).  Throws Fault::input as above.
std::string inflate_raw(std::string_view bytes, std::size_t size, const std::string& place);

}  // namespace calor::io

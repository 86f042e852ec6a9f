// The npy format, versions 1 to 3: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <string>
#include <string_view>

#include "calor/io/array.h"

namespace calor::io {

bool is_npy(std::string_view bytes);

// What a file begins with: the type and shape of its elements (`array.data` is empty), and the byte at which these begin.  `head`: as many of
// its first bytes as hold the header.  Throws as parse_any_npy does for a bad header.
struct NpyHeader {
  Array array;
  std::size_t begin = 0;
};
NpyHeader parse_npy_header(std::string_view head, const std::string& place);

// A view into `bytes`: booleans, integers of 1 to 8 bytes, floats of 2 to 8, text of fixed size, either byte order, C
// or Fortran order.  Throws Fault::input, naming `place`, for a bad or truncated file and for Python objects, complex
// numbers, records and scalars.
Array parse_npy(std::string_view bytes, const std::string& place);

// The same for parts of other formats, which also hold single values (an empty shape) and arrays without elements.
Array parse_any_npy(std::string_view bytes, const std::string& place);

// The pickle that an array of Python objects is; empty for an array of anything else.  Throws Fault::input as parse_npy does for a bad header.
std::string_view npy_objects(std::string_view bytes, const std::string& place);

// Sets element, size and byte order by a type as numpy writes it: "<f8" has byte order, kind, and size in bytes (in characters for U).  False for what is
// neither numbers nor text.
bool set_element(std::string_view type, Array& array);

}  // namespace calor::io

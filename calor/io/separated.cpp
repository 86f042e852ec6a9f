#include "calor/io/separated.h"

#include <bit>

#include <fmt/format.h>

namespace calor::io {

static_assert(std::endian::native == std::endian::little, "elements are written as little-endian");

std::string separated_cell(std::string_view text, char delimiter) {
  const bool plain = text.find(delimiter) == std::string_view::npos && text.find_first_of("\"\n\r") == std::string_view::npos;
  const bool edges = text.empty() || (text.front() != ' ' && text.back() != ' ' && text.front() != '\t' && text.back() != '\t' && text.front() != '#' && text.front() != '%');
  if (plain && edges) return std::string(text);
  std::string quoted(1, '"');
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  quoted += '"';
  return quoted;
}

std::string npy_header(std::int64_t rows, std::int64_t columns) {
  constexpr std::size_t alignment = 64, preamble = 10;
  std::string header = fmt::format("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  header.append(alignment - (preamble + header.size() + 1) % alignment, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xFF);
  file += static_cast<char>(header.size() >> 8);
  return file + header;
}

std::string npy_file(const std::vector<double>& values, std::int64_t rows, std::int64_t columns) {
  std::string file = npy_header(rows, columns);
  file.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
  return file;
}

}  // namespace calor::io

#include "calor/io/idx.h"

#include "calor/core/error.h"

namespace calor::io {

// Type code -> element; size 0: unknown.
static Array element_of(unsigned char code) {
  Array array;
  array.big_endian = true;
  switch (code) {
    case 0x08: array.element = Element::natural, array.size = 1; break;
    case 0x09: array.element = Element::integer, array.size = 1; break;
    case 0x0B: array.element = Element::integer, array.size = 2; break;
    case 0x0C: array.element = Element::integer, array.size = 4; break;
    case 0x0D: array.element = Element::real, array.size = 4; break;
    case 0x0E: array.element = Element::real, array.size = 8; break;
    default: array.size = 0;
  }
  return array;
}

bool is_idx(std::string_view bytes) {
  constexpr unsigned char most_dimensions = 8;  // none has more than 4; text never begins like this
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0) return false;
  const auto dimensions = static_cast<unsigned char>(bytes[3]);
  return element_of(static_cast<unsigned char>(bytes[2])).size > 0 && dimensions >= 1 && dimensions <= most_dimensions;
}

Array parse_idx(std::string_view bytes, const std::string& place) {
  require(is_idx(bytes), Fault::input,
          "[idx] expected a file that begins with 0 0 type dimensions, found other bytes ({}): is it an idx file?",
          place);
  Array array = element_of(static_cast<unsigned char>(bytes[2]));
  const std::size_t dimensions = static_cast<unsigned char>(bytes[3]), header = 4 + 4 * dimensions;
  require(bytes.size() >= header, Fault::input,
          "[idx] expected a header of {} bytes, found {} ({}): the file is truncated", header, bytes.size(), place);
  for (std::size_t at = 4; at < header; at += 4) {
    std::int64_t dimension = 0;
    for (std::size_t i = 0; i < 4; ++i) dimension = dimension << 8 | static_cast<unsigned char>(bytes[at + i]);
    array.shape.push_back(dimension);
  }
  array.data = bytes.substr(header);
  check_bytes(array.shape, array.size, array.data.size(), "idx", place);
  return array;
}

std::string labels_name(const std::string& images_path) {
  const std::size_t folder = images_path.rfind('/') + 1;  // npos + 1 == 0
  std::string name = images_path.substr(folder);
  const auto replace = [&](const std::string& from, const std::string& to) {
    const std::size_t at = name.find(from);
    if (at == std::string::npos) return false;
    name.replace(at, from.size(), to);
    return true;
  };
  if (!replace("images", "labels")) return "";
  replace("idx3", "idx1");
  return images_path.substr(0, folder) + name;
}

}  // namespace calor::io

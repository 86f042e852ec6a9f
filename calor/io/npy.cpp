#include "calor/io/npy.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "calor/core/error.h"
#include "calor/core/text.h"

namespace calor::io {

using namespace std::string_view_literals;

static constexpr std::string_view magic = "\x93NUMPY"sv;

bool is_npy(std::string_view bytes) { return bytes.starts_with(magic); }

bool set_element(std::string_view type, Array& array) {
  const std::string_view digits = type.size() > 2 ? type.substr(2) : ""sv;
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (error != std::errc() || end != digits.data() + digits.size() || "<>|="sv.find(type[0]) == std::string_view::npos) return false;
  const char kind = type[1];
  const bool power = size == 1 || size == 2 || size == 4 || size == 8;
  if (kind == 'b' && size == 1) array.element = Element::boolean;
  else if (kind == 'i' && power) array.element = Element::integer;
  else if (kind == 'u' && power) array.element = Element::natural;
  else if (kind == 'f' && power && size > 1) array.element = Element::real;
  else if (kind == 'S' && size > 0) array.element = Element::bytes;
  else if (kind == 'U' && size > 0 && size <= std::numeric_limits<std::size_t>::max() / 4) array.element = Element::unicode;
  else return false;
  array.size = kind == 'U' ? size * 4 : size;
  array.big_endian = type[0] == '>';
  return true;
}

namespace {

// The text after a key of the header, a Python dictionary such as
// {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
std::string_view after_key(std::string_view header, std::string_view key, const std::string& place) {
  for (const char quote : {'\'', '"'}) {
    const std::string quoted = fmt::format("{}{}{}", quote, key, quote);
    const std::size_t at = header.find(quoted);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = trim(header.substr(at + quoted.size()));
    if (rest.starts_with(':')) return trim(rest.substr(1));
  }
  fail(Fault::input, "[npy] expected a header with '{}', found none ({}): the file is damaged", key, place);
}

void parse_type(std::string_view text, Array& array, const std::string& place) {
  const char quote = text.empty() ? ' ' : text.front();
  require(quote == '\'' || quote == '"', Fault::input,
          "[npy] expected numbers or text of one type, found records ({}): save the columns as one array of numbers",
          place);
  const std::string_view type = text.substr(1, text.substr(1).find(quote));
  require(set_element(type, array), Fault::input,
          "[npy] expected numbers (b1, i1-i8, u1-u8, f2-f8) or text (S, U), found type \"{}\" ({}): {}", type, place,
          type.find('O') != std::string_view::npos ? "these are Python objects; save numbers with astype(\"float32\"), texts with astype(str)"
                                                   : "convert with astype(\"float32\")");
}

std::vector<std::int64_t> parse_shape(std::string_view text, const std::string& place) {
  const std::size_t close = text.find(')');
  const auto damaged = [&] {
    fail(Fault::input, "[npy] expected a shape such as (150, 4), found \"{}\" ({}): the header is damaged",
         text.substr(0, std::min<std::size_t>(close, 40)), place);
  };
  if (!text.starts_with('(') || close == std::string_view::npos) damaged();
  std::vector<std::int64_t> shape;
  for (const std::string& piece : split_text(text.substr(1, close - 1), ',')) {
    const std::string_view digits = trim(piece);
    if (digits.empty()) continue;  // "(3,)"
    std::int64_t dimension = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), dimension);
    if (error != std::errc() || end != digits.data() + digits.size() || dimension < 0) damaged();
    shape.push_back(dimension);
  }
  return shape;
}

// The header's text, and what follows it.
std::pair<std::string_view, std::string_view> split_header(std::string_view bytes, const std::string& place) {
  require(is_npy(bytes), Fault::input,
          "[npy] expected a file that begins with \\x93NUMPY, found other bytes ({}): is it an npy file?", place);
  const auto byte = [&](std::size_t at) { return std::size_t{static_cast<unsigned char>(bytes[at])}; };
  const std::size_t version = bytes.size() > magic.size() ? byte(magic.size()) : 0;
  const std::size_t length_at = magic.size() + 2, length_size = version == 1 ? 2 : 4;
  const std::size_t header_at = length_at + length_size;
  require(bytes.size() >= header_at, Fault::input,
          "[npy] expected a header, found {} bytes ({}): the file is truncated", bytes.size(), place);
  require(version >= 1 && version <= 3, Fault::input,
          "[npy] expected version 1, 2 or 3, found {} ({}): save it with numpy.save", version, place);
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_size; ++i) length |= byte(length_at + i) << (8 * i);
  require(length <= bytes.size() - header_at, Fault::input,
          "[npy] expected a header of at most {} bytes, found {} ({}): the file is truncated or damaged",
          bytes.size() - header_at, length, place);
  return {bytes.substr(header_at, length), bytes.substr(header_at + length)};
}

}  // namespace

std::string_view npy_objects(std::string_view bytes, const std::string& place) {
  const auto [header, content] = split_header(bytes, place);
  const std::string_view type = after_key(header, "descr", place).substr(0, 4);
  return type == "'|O'" || type == "\"|O\"" ? content : ""sv;
}

NpyHeader parse_npy_header(std::string_view head, const std::string& place) {
  const auto [header, content] = split_header(head, place);
  NpyHeader result;
  parse_type(after_key(header, "descr", place), result.array, place);
  result.array.fortran = after_key(header, "fortran_order", place).starts_with("True");
  result.array.shape = parse_shape(after_key(header, "shape", place), place);
  result.begin = head.size() - content.size();
  return result;
}

Array parse_any_npy(std::string_view bytes, const std::string& place) {
  auto [array, begin] = parse_npy_header(bytes, place);
  array.data = bytes.substr(begin);
  if (array.data.empty() && std::ranges::find(array.shape, 0) != array.shape.end()) return array;
  check_bytes(array.shape, array.size, array.data.size(), "npy", place);
  return array;
}

Array parse_npy(std::string_view bytes, const std::string& place) {
  const Array array = parse_any_npy(bytes, place);
  require(!array.shape.empty(), Fault::input, "[npy] expected rows, found a single value ({}): save a 2-D array",
          place);
  check_bytes(array.shape, array.size, array.data.size(), "npy", place);
  return array;
}

}  // namespace calor::io

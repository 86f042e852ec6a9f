#include "calor/io/array.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "calor/core/error.h"
#include "calor/io/number.h"

namespace calor::io {

static_assert(std::endian::native == std::endian::little, "elements are read as little-endian");

std::int64_t Array::columns() const {
  std::int64_t count = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) count *= shape[i];
  return count;
}

void check_bytes(const std::vector<std::int64_t>& shape, std::size_t element_size, std::size_t available,
                 std::string_view op, const std::string& place) {
  std::size_t bytes = element_size;
  bool fits = true;
  for (const std::int64_t dimension : shape)
    fits = fits && dimension >= 0 && !__builtin_mul_overflow(bytes, static_cast<std::size_t>(dimension), &bytes);
  require(!fits || bytes > 0, Fault::input,
          "[{}] expected at least one row and one column, found shape ({}) ({}): give a file with data", op,
          fmt::join(shape, ", "), place);
  require(fits, Fault::input, "[{}] expected a shape that memory can hold, found ({}) ({}): the header is damaged", op,
          fmt::join(shape, ", "), place);
  require(bytes == available, Fault::input,
          "[{}] expected {} bytes of data for shape ({}), found {} ({}): the file is {}; fetch or write it again", op,
          bytes, fmt::join(shape, ", "), available, place, bytes > available ? "truncated" : "damaged");
}

namespace {

// IEEE 754 binary16.
float half_to_float(std::uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const float magnitude = exponent == 31 ? (fraction ? NAN : INFINITY)
                          : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                          : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

struct Half {
  std::uint16_t bits;
  operator float() const { return half_to_float(bits); }
};

template <class T>
T load(const char* bytes, bool big_endian) {
  char ordered[sizeof(T)];
  std::memcpy(ordered, bytes, sizeof(T));
  if (big_endian) std::reverse(ordered, ordered + sizeof(T));
  return std::bit_cast<T>(ordered);
}

// Calls use(T{}) with the C++ type of a numeric element.
template <class Use>
void with_type(const Array& array, const Use& use) {
  const bool whole = array.element == Element::integer, real = array.element == Element::real;
  switch (array.size) {
    case 1: return whole ? use(std::int8_t{}) : use(std::uint8_t{});
    case 2: return real ? use(Half{}) : whole ? use(std::int16_t{}) : use(std::uint16_t{});
    case 4: return real ? use(float{}) : whole ? use(std::int32_t{}) : use(std::uint32_t{});
    case 8: return real ? use(double{}) : whole ? use(std::int64_t{}) : use(std::uint64_t{});
    default: fail(Fault::internal, "[array] expected elements of 1, 2, 4 or 8 bytes, found {}", array.size);
  }
}

// Position in the file of the element with a row-major index.
std::size_t position(const Array& array, std::size_t index) {
  if (!array.fortran) return index;
  std::size_t at = 0, stride = 1;
  for (const std::int64_t dimension : array.shape) stride *= static_cast<std::size_t>(dimension);
  for (std::size_t k = array.shape.size(); k-- > 0;) {
    const auto dimension = static_cast<std::size_t>(array.shape[k]);
    stride /= dimension;
    at += index % dimension * stride;
    index /= dimension;
  }
  return at;
}

// UTF-32 as numpy stores it, without the padding zeros, as UTF-8.
std::string unicode_text(const char* bytes, std::size_t size, bool big_endian) {
  std::string text;
  for (std::size_t i = 0; i + 4 <= size; i += 4) {
    const auto code = load<std::uint32_t>(bytes + i, big_endian);
    if (code == 0) break;
    append_utf8(text, code);
  }
  return text;
}

std::string element_text(const Array& array, std::size_t index) {
  const char* bytes = array.data.data() + position(array, index) * array.size;
  if (array.element == Element::unicode) return unicode_text(bytes, array.size, array.big_endian);
  if (array.element == Element::bytes) return std::string(bytes, strnlen(bytes, array.size));
  std::string text;
  with_type(array, [&]<class T>(T) {
    const T value = load<T>(bytes, array.big_endian);
    if constexpr (std::is_integral_v<T>) text = std::to_string(value);
    else if constexpr (std::is_same_v<T, float>)
      text = fmt::format("{}", value), text = format_number(*parse_number(text));
    else text = format_number(value);
  });
  return text;
}

template <class T>
void convert(const Array& array, double* values, std::size_t count) {
  const char* bytes = array.data.data();
  const auto number = [](T element) {
    if constexpr (std::is_same_v<T, Half>) return static_cast<double>(static_cast<float>(element));
    else return static_cast<double>(element);
  };
  if (array.big_endian && sizeof(T) > 1)
    for (std::size_t i = 0; i < count; ++i) values[i] = number(load<T>(bytes + i * sizeof(T), true));
  else
    for (std::size_t i = 0; i < count; ++i) values[i] = number(load<T>(bytes + i * sizeof(T), false));
}

}  // namespace

std::vector<double> array_values(const Array& array, const std::string& place, const Context& context, Gaps gaps) {
  require(array.element != Element::bytes && array.element != Element::unicode, Fault::input,
          "[data] expected an array of numbers, found texts ({}): only labels may be text", place);
  const auto columns = static_cast<std::size_t>(array.columns());
  const std::size_t count = static_cast<std::size_t>(array.rows()) * columns;
  context.memory.require(count * sizeof(double) * (array.fortran ? 2 : 1), "data",
                         fmt::format("the values of {}", place), "use fewer rows or columns, or raise --max-memory");
  std::vector<double> values(count);
  with_type(array, [&]<class T>(T) { convert<T>(array, values.data(), count); });
  if (array.fortran && array.shape.size() > 1) {
    std::vector<double> ordered(count);
    for (std::size_t i = 0; i < count; ++i) ordered[i] = values[position(array, i)];
    values.swap(ordered);
  }
  if (array.element == Element::real)
    for (std::size_t i = 0; i < count; ++i)
      if (!std::isfinite(static_cast<float>(values[i])) && !(gaps == Gaps::kept && std::isnan(values[i])))
        fail(Fault::input, "[data] expected finite numbers in the range of float, found {} ({}, row {}, column {}): remove the row or column, or fill in the value{}",
             element_text(array, i), place, i / columns + 1, i % columns + 1, gaps == Gaps::fillable ? " (missing ones also by --missing drop, mean or neighbours)" : "");
  return values;
}

LabelTexts array_labels(const Array& array, std::int64_t column) {
  LabelTexts texts("row");
  for (std::int64_t row = 0; row < array.rows(); ++row)
    texts.add(element_text(array, static_cast<std::size_t>(row * array.columns() + column)), row + 1);
  return texts;
}

}  // namespace calor::io

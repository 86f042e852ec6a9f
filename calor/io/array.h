// An array as npy and idx files hold it: an element type, a shape, and bytes that stay where they are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/labels.h"

namespace calor::io {

// natural: unsigned; bytes, unicode: text of a fixed size
enum class Element { boolean, integer, natural, real, bytes, unicode };

struct Array {
  Element element = Element::natural;
  std::size_t size = 1;     // bytes of an element
  bool big_endian = false;
  bool fortran = false;     // first index fastest
  std::vector<std::int64_t> shape;
  std::string_view data;    // exactly the elements; not owned

  std::int64_t rows() const { return shape.front(); }
  std::int64_t columns() const;  // product of the further dimensions; 1 for a vector
};

// Throws Fault::input unless the shape has no dimension below 1, its product fits, and it takes exactly the `available`
// bytes; nothing is allocated before that.
void check_bytes(const std::vector<std::int64_t>& shape, std::size_t element_size, std::size_t available,
                 std::string_view op, const std::string& place);

// NaN among the elements: refused; refused with --missing as a remedy; let through.
enum class Gaps { refused, fillable, kept };

// All elements as rows x columns doubles, row-major, every one finite.  Throws Fault::input for text and for non-finite
// values, with row and column counted from 1; Fault::memory.
std::vector<double> array_values(const Array& array, const std::string& place, const Context& context, Gaps gaps = Gaps::refused);

// The elements of one column as label texts: whole numbers without a point, texts as they are.
LabelTexts array_labels(const Array& array, std::int64_t column);

}  // namespace calor::io

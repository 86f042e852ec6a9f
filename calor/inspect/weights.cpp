#include "calor/inspect/weights.h"

#include <fmt/ranges.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "calor/core/error.h"
#include "calor/core/text.h"

namespace calor::inspect {

namespace {

template <class Number>
Number read_as(const std::uint8_t* at) {
  Number number;
  std::memcpy(&number, at, sizeof number);
  return number;
}

double from_half(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const double size = exponent == 31  ? (fraction ? NAN : INFINITY)
                      : exponent == 0 ? std::ldexp(fraction, -24)
                                      : std::ldexp(fraction + 1024, exponent - 25);
  return bits & 0x8000 ? -size : size;
}

double from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

}  // namespace

std::vector<double> Weights::numbers(const std::string& name, std::size_t rank) const {
  const auto found = content_.tensors.find(name);
  if (found == content_.tensors.end()) {
    std::vector<std::string> known;
    for (const auto& [other, tensor] : content_.tensors) known.push_back(other);
    const std::string near = nearest_name(name, known);
    fail(Fault::input, "[inspect] expected the tensor '{}', found none{} ({})", name,
         near.empty() ? "; there are " + list_names(known) : fmt::format(": did you mean '{}'?", near), path_);
  }
  const io::Tensor& tensor = found->second;
  require(tensor.shape.size() == rank, Fault::input, "[inspect] expected the tensor '{}' with {}, found the shape [{}] ({})",
          name, counted(static_cast<std::int64_t>(rank), "dimension"), fmt::join(tensor.shape, ", "), path_);
  const std::size_t size = tensor.dtype == "F64" ? 8 : tensor.dtype == "F32" ? 4 : tensor.dtype == "F16" || tensor.dtype == "BF16" ? 2 : 0;
  require(size > 0, Fault::input, "[inspect] expected the tensor '{}' of type F64, F32, F16 or BF16, found {} ({})", name, tensor.dtype, path_);
  std::vector<double> values(tensor.bytes.size() / size);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint8_t* at = tensor.bytes.data() + i * size;
    values[i] = size == 8                ? read_as<double>(at)
                : size == 4              ? read_as<float>(at)
                : tensor.dtype == "F16" ? from_half(read_as<std::uint16_t>(at))
                                         : from_bfloat(read_as<std::uint16_t>(at));
    require(std::isfinite(values[i]), Fault::input, "[inspect] expected finite weights, found NaN or infinity in the tensor '{}' ({})", name, path_);
  }
  return values;
}

Matrix Weights::matrix(const std::string& name, std::int64_t rows, std::int64_t columns) const {
  const std::vector<double> values = numbers(name, 2);
  const auto& shape = content_.tensors.at(name).shape;
  require((rows < 0 || shape[0] == rows) && (columns < 0 || shape[1] == columns) && shape[0] > 0 && shape[1] > 0, Fault::input,
          "[inspect] expected the tensor '{}' of shape [{}, {}], found [{}, {}] ({})", name, rows < 0 ? "any" : std::to_string(rows),
          columns < 0 ? "any" : std::to_string(columns), shape[0], shape[1], path_);
  return Eigen::Map<const Matrix>(values.data(), shape[0], shape[1]);
}

Vector Weights::vector(const std::string& name, std::int64_t size) const {
  const std::vector<double> values = numbers(name, 1);
  require(size < 0 || static_cast<std::int64_t>(values.size()) == size, Fault::input,
          "[inspect] expected the tensor '{}' of {} numbers, found {} ({})", name, size, values.size(), path_);
  return Eigen::Map<const Vector>(values.data(), static_cast<Eigen::Index>(values.size()));
}

}  // namespace calor::inspect

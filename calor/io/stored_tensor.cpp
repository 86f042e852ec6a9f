#include "calor/io/stored_tensor.h"

#include <bit>
#include <cstring>
#include <string_view>

#include "calor/core/error.h"

namespace calor::io {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

template <Storable Value>
constexpr std::string_view dtype_of() {
  if constexpr (std::same_as<Value, float>) return "F32";
  if constexpr (std::same_as<Value, double>) return "F64";
  if constexpr (std::same_as<Value, std::int32_t>) return "I32";
  return "I64";
}

}  // namespace

template <Storable Value>
Tensor stored(const std::vector<Value>& values, std::vector<std::int64_t> shape) {
  Tensor tensor{std::string(dtype_of<Value>()), std::move(shape), {}};
  tensor.bytes.resize(values.size() * sizeof(Value));
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

template <Storable Value>
std::vector<Value> restored(const Safetensors& content, const std::string& name, std::size_t rank, const char* op) {
  const auto found = content.tensors.find(name);
  require(found != content.tensors.end(), Fault::input, "[{}] expected the tensor '{}', found none", op, name);
  const Tensor& tensor = found->second;
  require(tensor.dtype == dtype_of<Value>() && tensor.shape.size() == rank, Fault::input,
          "[{}] expected the tensor '{}' of {} with {} dimensions, found {} with {}", op, name, dtype_of<Value>(), rank,
          tensor.dtype, tensor.shape.size());
  std::vector<Value> values(tensor.bytes.size() / sizeof(Value));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), values.size() * sizeof(Value));
  return values;
}

template Tensor stored(const std::vector<float>&, std::vector<std::int64_t>);
template Tensor stored(const std::vector<double>&, std::vector<std::int64_t>);
template Tensor stored(const std::vector<std::int64_t>&, std::vector<std::int64_t>);
template Tensor stored(const std::vector<std::int32_t>&, std::vector<std::int64_t>);
template std::vector<float> restored(const Safetensors&, const std::string&, std::size_t, const char*);
template std::vector<double> restored(const Safetensors&, const std::string&, std::size_t, const char*);
template std::vector<std::int64_t> restored(const Safetensors&, const std::string&, std::size_t, const char*);
template std::vector<std::int32_t> restored(const Safetensors&, const std::string&, std::size_t, const char*);

}  // namespace calor::io

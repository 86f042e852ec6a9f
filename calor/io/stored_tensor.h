// Vectors of numbers as safetensors tensors, and back with their kind and shape checked.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <vector>

#include "calor/io/safetensors.h"

namespace calor::io {

template <class Value>
concept Storable = std::same_as<Value, float> || std::same_as<Value, double> || std::same_as<Value, std::int64_t> || std::same_as<Value, std::int32_t>;

template <Storable Value>
Tensor stored(const std::vector<Value>& values, std::vector<std::int64_t> shape);

// Throws Fault::input, [op], for a tensor that is missing or of another dtype or rank.
template <Storable Value>
std::vector<Value> restored(const Safetensors& content, const std::string& name, std::size_t rank, const char* op);

}  // namespace calor::io

// The safetensors format: an 8-byte little-endian header length, a JSON header, then the tensors' bytes.
// https://github.com/huggingface/safetensors#format
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace calor::io {

struct Tensor {
  std::string dtype;  // "F32", "F64", "I64", "U8", ...
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> bytes;  // little-endian, row-major
};

struct Safetensors {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
};

// Throws Fault::input for a file that is truncated, has a header over 100 MB, offsets outside the file, overlapping or
// not matching dtype and shape; the message names the tensor.
Safetensors read_safetensors(const std::string& path);
std::string serialise(const Safetensors& content);
void write_safetensors(const std::string& path, const Safetensors& content);  // atomic

}  // namespace calor::io

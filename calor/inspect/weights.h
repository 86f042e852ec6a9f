// Named tensors of a safetensors file as matrices of doubles.
#pragma once

#include <cstdint>
#include <string>

#include "calor/inspect/head.h"
#include "calor/io/safetensors.h"

namespace calor::inspect {

class Weights {
 public:
  explicit Weights(const std::string& path) : path_(path), content_(io::read_safetensors(path)) {}

  bool has(const std::string& name) const { return content_.tensors.contains(name); }
  const io::Safetensors& content() const { return content_; }
  const std::string& path() const { return path_; }

  // A tensor of that shape; -1 stands for any extent.  F64, F32, F16 and BF16.  Throws Fault::input, naming the tensor and the
  // file, for one that is missing, of another shape or type, or not finite.
  Matrix matrix(const std::string& name, std::int64_t rows = -1, std::int64_t columns = -1) const;
  Vector vector(const std::string& name, std::int64_t size = -1) const;

 private:
  std::vector<double> numbers(const std::string& name, std::size_t rank) const;
  std::string path_;
  io::Safetensors content_;
};

}  // namespace calor::inspect

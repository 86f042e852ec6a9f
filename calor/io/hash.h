// SHA-256 (FIPS 180-4) of bytes, as 64 hex digits: identifies inputs in outputs and saved models.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "calor/io/hash_blocks.h"

namespace calor::io {

std::string sha256(std::string_view bytes);

// The same of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  std::string hex() const;

 private:
  HashState state_;
  std::string rest_;         // less than a block
  std::uint64_t size_ = 0;   // bytes in all
};

}  // namespace calor::io

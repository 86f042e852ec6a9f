// SHA-256 (FIPS 180-4) of bytes, as 64 hex digits: identifies inputs in outputs and saved models.
#pragma once

#include <string>
#include <string_view>

namespace calor::io {

std::string sha256(std::string_view bytes);

}  // namespace calor::io

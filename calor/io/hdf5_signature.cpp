#include "calor/io/hdf5.h"

namespace calor::io {

// The signature stands at byte 0, 512, 1024, 2048 and so on (HDF5 file format specification, section II.A).
bool is_hdf5(std::string_view first_bytes) {
  constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";
  for (std::size_t at = 0; at < first_bytes.size(); at = at == 0 ? 512 : 2 * at)
    if (first_bytes.substr(at).starts_with(signature)) return true;
  return false;
}

}  // namespace calor::io

// Reading zip archives in memory by libzip: entries stored or deflated, zip64, no encryption, one volume.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"

namespace calor::io {

struct ZipEntry {
  std::string name;
  std::uint64_t index = 0;             // in the archive
  std::uint64_t packed = 0, size = 0;  // bytes stored and unpacked, as announced
  unsigned method = 0;
  bool encrypted = false;
};

bool is_zip(std::string_view bytes);

// The entries that the central directory lists.  Throws Fault::input, naming `place`, for a truncated or damaged
// archive.
std::vector<ZipEntry> zip_entries(std::string_view bytes, const std::string& place);

// One entry's content, its checksum verified.  Throws Fault::input; Fault::memory before the content is allocated.
std::string zip_content(std::string_view bytes, const ZipEntry& entry, const std::string& place,
                        const Context& context);

}  // namespace calor::io

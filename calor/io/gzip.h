// The gzip format (RFC 1952): one or more compressed members.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "calor/core/progress.h"

namespace calor::io {

bool is_gzip(std::string_view bytes);

class Inflater;  // one step of zlib

// The content of every member, piece by piece, of bytes in memory, which must outlive the stream.
class GunzipStream {
 public:
  // Throws Fault::input, naming `place`, for fewer bytes than a gzip file has.
  GunzipStream(std::string_view packed, std::string place);
  ~GunzipStream();

  // The next `most` bytes; fewer only at the end, where all checksums have been verified, and then 0.  Throws Fault::input
  // for bytes that are truncated, damaged (checksum) or followed by anything but zero padding; then only rewind() may follow.
  std::size_t read(char* into, std::size_t most);
  void rewind();
  std::size_t packed_read() const { return packed_.size() - rest_.size(); }

 private:
  void end_member();
  std::unique_ptr<Inflater> inflater_;
  std::string_view packed_, rest_;
  std::string place_;
  std::size_t unpacked_ = 0;
  bool ended_ = false;
};

// All of it at once.  Throws as the stream does, and Fault::memory as soon as the content outgrows the limit.
std::string gunzip(std::string_view bytes, const std::string& place, const Context& context);

}  // namespace calor::io

#include "calor/io/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "calor/core/error.h"

namespace calor::io {

namespace {

constexpr int gzip_window = 15 + 16;  // zlib: 32 KiB window, gzip header and trailer

// Size of the last member's content as its trailer says, modulo 2^32: a hint.
std::size_t announced_size(std::string_view bytes) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i)
    size |= std::size_t{static_cast<unsigned char>(bytes[bytes.size() - 4 + i])} << (8 * i);
  return size;
}

}  // namespace

class Inflater {
 public:
  Inflater() {
    require(inflateInit2(&stream_, gzip_window) == Z_OK, Fault::internal, "[gzip] zlib could not start");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Consumes from `input` and fills `room`; zlib counts in 32 bits, so long texts take several calls.
  int step(std::string_view& input, char*& room, std::size_t& room_size) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    const auto given = static_cast<uInt>(std::min(input.size(), most));
    const auto space = static_cast<uInt>(std::min(room_size, most));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));  // zlib only reads it
    stream_.avail_in = given;
    stream_.next_out = reinterpret_cast<Bytef*>(room);
    stream_.avail_out = space;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    input.remove_prefix(given - stream_.avail_in);
    room += space - stream_.avail_out;
    room_size -= space - stream_.avail_out;
    return status;
  }
  void restart() { inflateReset(&stream_); }
  std::string reason() const { return stream_.msg ? stream_.msg : "bad compressed data"; }

 private:
  z_stream stream_{};
};

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

GunzipStream::GunzipStream(std::string_view packed, std::string place)
    : inflater_(std::make_unique<Inflater>()), packed_(packed), rest_(packed), place_(std::move(place)) {
  constexpr std::size_t smallest_gzip = 18;
  require(packed.size() >= smallest_gzip, Fault::input,
          "[gzip] expected a complete gzip file, found {} bytes ({}): the file is truncated; fetch or pack it again",
          packed.size(), place_);
}
GunzipStream::~GunzipStream() = default;

void GunzipStream::rewind() {
  inflater_->restart();
  rest_ = packed_;
  unpacked_ = 0;
  ended_ = false;
}

void GunzipStream::end_member() {
  ended_ = rest_.find_first_not_of('\0') == std::string_view::npos;
  if (ended_) {
    rest_ = {};
    return;
  }
  require(is_gzip(rest_), Fault::input,
          "[gzip] expected the end of the file, found {} more bytes that are no gzip data ({}): the file is damaged; "
          "fetch or pack it again",
          rest_.size(), place_);
  inflater_->restart();
}

std::size_t GunzipStream::read(char* into, std::size_t most) {
  std::size_t room = most;
  while (room > 0 && !ended_) {
    const int status = inflater_->step(rest_, into, room);
    if (status == Z_STREAM_END) {
      end_member();
      continue;
    }
    const bool sound = status == Z_OK || status == Z_BUF_ERROR;
    require(sound && !(rest_.empty() && room > 0), Fault::input,
            "[gzip] expected a complete gzip file, found {} ({}): fetch or pack it again",
            sound ? fmt::format("one that ends early, after {} unpacked bytes", unpacked_ + most - room)
                  : inflater_->reason(),
            place_);
  }
  unpacked_ += most - room;
  return most - room;
}

std::string gunzip(std::string_view bytes, const std::string& place, const Context& context) {
  constexpr std::size_t first_guess = 64 * 1024, likely_ratio = 16, piece = 4 << 20;
  const std::size_t packed = bytes.size();
  GunzipStream stream(bytes, place);
  const auto claim = [&](std::size_t size) {
    context.memory.require(size, "gzip", fmt::format("the unpacked content of {}", place),
                           "raise --max-memory, or use a smaller file");
  };
  // A truncated file announces nonsense, so an unlikely size is not believed; the content then grows as it comes.
  const std::size_t announced = announced_size(bytes);
  const std::size_t capacity = std::max(first_guess, announced / likely_ratio <= packed ? announced : packed * 4) + 1;
  claim(capacity);
  std::string content(capacity, '\0');
  std::size_t filled = 0;
  for (;;) {
    context.check_stop("gzip");
    if (filled == content.size()) {
      claim(2 * content.size());
      content.resize(2 * content.size());
    }
    const std::size_t got = stream.read(content.data() + filled, std::min(piece, content.size() - filled));
    if (got == 0) break;
    filled += got;
    context.advance(static_cast<double>(stream.packed_read()), static_cast<double>(packed), "unpacking");
  }
  content.resize(filled);
  return content;
}

}  // namespace calor::io

#include "calor/io/zip.h"

#include <zlib.h>

#include "calor/core/error.h"
#include "calor/io/gzip.h"

namespace calor::io {

namespace {

// Sizes of the fixed parts of the records, without their signature where it is searched for.
constexpr std::size_t end_size = 22, end64_locator_size = 20, end64_size = 56, central_size = 46, local_size = 30;
constexpr std::uint64_t in_zip64 = 0xFFFFFFFF, in_zip64_short = 0xFFFF;

// Little-endian numbers with every access checked against the archive's end.
class Reader {
 public:
  Reader(std::string_view bytes, const std::string& place) : bytes_(bytes), place_(place) {}

  [[noreturn]] void damaged(const char* what) const {
    fail(Fault::input,
         "[zip] expected {}, found none or a damaged one ({}): the archive is truncated or damaged; fetch or "
         "write it again",
         what, place_);
  }
  std::string_view part(std::uint64_t at, std::uint64_t size, const char* what) const {
    if (at > bytes_.size() || size > bytes_.size() - at) damaged(what);
    return bytes_.substr(at, size);
  }
  std::uint64_t number(std::uint64_t at, std::size_t size, const char* what) const {
    std::uint64_t value = 0;
    const std::string_view field = part(at, size, what);
    for (std::size_t i = 0; i < size; ++i) value |= std::uint64_t{static_cast<unsigned char>(field[i])} << (8 * i);
    return value;
  }
  void signature(std::uint64_t at, std::string_view expected, const char* what) const {
    if (part(at, expected.size(), what) != expected) damaged(what);
  }

 private:
  std::string_view bytes_;
  const std::string& place_;
};

struct Directory {
  std::uint64_t entries, offset;
};

Directory find_directory(std::string_view bytes, const Reader& reader) {
  constexpr const char* what = "the archive's directory at its end";
  const std::size_t end = bytes.rfind("PK\x05\x06");
  if (end == std::string_view::npos) reader.damaged(what);
  reader.part(end, end_size, what);
  Directory directory{reader.number(end + 10, 2, what), reader.number(end + 16, 4, what)};
  if (directory.entries != in_zip64_short && directory.offset != in_zip64) return directory;
  // The true numbers stand in the zip64 record, whose place the locator before the end record tells.
  if (end < end64_locator_size || bytes.substr(end - end64_locator_size, 4) != "PK\x06\x07") return directory;
  const std::uint64_t record = reader.number(end - end64_locator_size + 8, 8, what);
  reader.signature(record, "PK\x06\x06", what);
  reader.part(record, end64_size, what);
  return {reader.number(record + 32, 8, what), reader.number(record + 48, 8, what)};
}

// Replaces the fields that did not fit 32 bits by those of the zip64 extra field (id 1), in the order of APPNOTE 4.5.3.
void read_zip64_extra(ZipEntry& entry, const Reader& reader, std::uint64_t at, std::uint64_t size) {
  constexpr const char* what = "an entry's extra field";
  for (const std::uint64_t end = at + size; at + 4 <= end;) {
    const std::uint64_t id = reader.number(at, 2, what), length = reader.number(at + 2, 2, what);
    at += 4;
    if (id == 1) {
      for (std::uint64_t* field : {&entry.size, &entry.packed, &entry.offset})
        if (*field == in_zip64) {
          *field = reader.number(at, 8, what);
          at += 8;
        }
      return;
    }
    at += length;
  }
}

}  // namespace

bool is_zip(std::string_view bytes) { return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06"); }

std::vector<ZipEntry> zip_entries(std::string_view bytes, const std::string& place) {
  constexpr const char* what = "an entry in the archive's directory";
  const Reader reader(bytes, place);
  const Directory directory = find_directory(bytes, reader);
  std::vector<ZipEntry> entries;
  std::uint64_t at = directory.offset;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    reader.signature(at, "PK\x01\x02", what);
    ZipEntry entry;
    entry.flags = static_cast<unsigned>(reader.number(at + 8, 2, what));
    entry.method = static_cast<unsigned>(reader.number(at + 10, 2, what));
    entry.checksum = static_cast<std::uint32_t>(reader.number(at + 16, 4, what));
    entry.packed = reader.number(at + 20, 4, what);
    entry.size = reader.number(at + 24, 4, what);
    const std::uint64_t name = reader.number(at + 28, 2, what), extra = reader.number(at + 30, 2, what);
    const std::uint64_t comment = reader.number(at + 32, 2, what);
    entry.offset = reader.number(at + 42, 4, what);
    entry.name = reader.part(at + central_size, name, what);
    read_zip64_extra(entry, reader, at + central_size + name, extra);
    at += central_size + name + extra + comment;
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::string zip_content(std::string_view bytes, const ZipEntry& entry, const std::string& place,
                        const Context& context) {
  constexpr unsigned encrypted = 1, stored = 0, deflated = 8;
  constexpr const char* what = "an entry's content";
  const std::string where = fmt::format("{}, entry \"{}\"", place, entry.name);
  const Reader reader(bytes, where);
  require(
      !(entry.flags & encrypted) && (entry.method == stored || entry.method == deflated), Fault::input,
      "[zip] expected a stored or deflated entry, found {} ({}): write it with numpy.savez or numpy.savez_compressed",
      entry.flags & encrypted ? "an encrypted one" : fmt::format("method {}", entry.method), where);
  reader.signature(entry.offset, "PK\x03\x04", what);
  // The local header repeats the name and has an extra field of its own, so only its lengths are read.
  const std::uint64_t begin = entry.offset + local_size + reader.number(entry.offset + 26, 2, what) +
                              reader.number(entry.offset + 28, 2, what);
  const std::string_view packed = reader.part(begin, entry.packed, what);
  if (entry.method == stored && entry.packed != entry.size) reader.damaged(what);
  context.memory.require(entry.size, "zip", where, "raise --max-memory, or use a smaller file");

  std::string content = entry.method == stored ? std::string(packed) : inflate_raw(packed, entry.size, where);
  const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  require(checksum == entry.checksum, Fault::input,
          "[zip] expected checksum {:08x}, found {:08x} ({}): the archive is damaged; fetch or write it again",
          entry.checksum, checksum, where);
  return content;
}

}  // namespace calor::io

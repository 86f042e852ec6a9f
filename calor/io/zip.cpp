#include "calor/io/zip.h"

#include <zip.h>

#include <algorithm>
#include <memory>

#include "calor/core/error.h"

namespace calor::io {

namespace {

using Archive = std::unique_ptr<zip_t, void (*)(zip_t*)>;

[[noreturn]] void damaged(const char* expected, const std::string& found, const std::string& place) {
  fail(Fault::input, "[zip] expected {}, found \"{}\" ({}): the archive is truncated or damaged; fetch or write it again", expected, found, place);
}

Archive open_archive(std::string_view bytes, const std::string& place) {
  if (bytes.empty()) damaged("a zip archive", "nothing", place);  // to libzip an archive without entries
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  Archive archive(source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr, zip_discard);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  if (!archive) {
    zip_source_free(source);
    damaged("a zip archive", reason, place);
  }
  return archive;
}

}  // namespace

bool is_zip(std::string_view bytes) { return bytes.starts_with("PK\x03\x04") || bytes.starts_with("PK\x05\x06"); }

std::vector<ZipEntry> zip_entries(std::string_view bytes, const std::string& place) {
  const Archive archive = open_archive(bytes, place);
  const auto count = static_cast<std::uint64_t>(zip_get_num_entries(archive.get(), 0));
  std::vector<ZipEntry> entries;
  for (std::uint64_t i = 0; i < count; ++i) {
    zip_stat_t facts;
    if (zip_stat_index(archive.get(), i, ZIP_FL_ENC_RAW, &facts) != 0) damaged("an entry in the archive's directory", zip_strerror(archive.get()), place);
    entries.push_back({facts.name, i, facts.comp_size, facts.size, facts.comp_method, facts.encryption_method != ZIP_EM_NONE});
  }
  return entries;
}

std::string zip_content(std::string_view bytes, const ZipEntry& entry, const std::string& place,
                        const Context& context) {
  // Deflate packs at most 258 bytes into 2 bits: no honest content is more than this many times its packed size.
  constexpr std::uint64_t largest_ratio = 1032;
  const std::string where = fmt::format("{}, entry \"{}\"", place, entry.name);
  require(!entry.encrypted && (entry.method == ZIP_CM_STORE || entry.method == ZIP_CM_DEFLATE), Fault::input,
          "[zip] expected a stored or deflated entry, found {} ({}): write it with numpy.savez or numpy.savez_compressed",
          entry.encrypted ? "an encrypted one" : fmt::format("method {}", entry.method), where);
  const std::uint64_t packed = std::min<std::uint64_t>(entry.packed, bytes.size());
  require(entry.size / largest_ratio <= packed, Fault::input, "[zip] expected at most {} bytes from {} packed ones, found {} announced ({}): the file is damaged",
          packed * largest_ratio, packed, entry.size, where);
  context.memory.require(entry.size, "zip", where, "raise --max-memory, or use a smaller file");

  const Archive archive = open_archive(bytes, place);
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen_index(archive.get(), entry.index, 0), zip_fclose);
  if (!file) damaged("an entry's content", zip_strerror(archive.get()), where);
  std::string content(entry.size + 1, '\0');  // libzip verifies the checksum when it is asked for more than there is
  std::size_t filled = 0;
  zip_int64_t got = 0;
  while ((got = zip_fread(file.get(), content.data() + filled, content.size() - filled)) > 0) filled += static_cast<std::size_t>(got);
  if (got < 0) damaged("content that matches its checksum", zip_file_strerror(file.get()), where);
  require(filled == entry.size, Fault::input, "[zip] expected {} bytes of content, found {}{} ({}): the archive is truncated or damaged; fetch or write it again", entry.size,
          filled > entry.size ? "at least " : "", filled, where);
  content.resize(entry.size);
  return content;
}

}  // namespace calor::io

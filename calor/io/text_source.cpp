#include "calor/io/text_source.h"

#include <iconv.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/gzip.h"
#include "calor/io/number.h"

namespace calor::io {
namespace {

constexpr std::size_t block_size = std::size_t{1} << 16;

class MemoryText final : public TextSource {
 public:
  explicit MemoryText(std::string text) : owned_(std::move(text)), text_(owned_) {}
  explicit MemoryText(std::string_view text) : text_(text) {}
  std::size_t read(char* into, std::size_t most) override {
    const std::size_t count = std::min(most, text_.size() - at_);
    if (count > 0) std::memcpy(into, text_.data() + at_, count);
    at_ += count;
    return count;
  }
  void rewind() override { at_ = 0; }

 private:
  std::string owned_;
  std::string_view text_;
  std::size_t at_ = 0;
};

class FileText final : public TextSource {
 public:
  explicit FileText(std::string path, std::uint64_t begin = 0, std::uint64_t end = std::numeric_limits<std::uint64_t>::max())
      : path_(std::move(path)), file_(std::fopen(path_.c_str(), "rb")), begin_(begin), left_(end - begin), size_(end - begin) {
    require(file_ != nullptr, Fault::input, "[read] expected a readable file, found {}: {}", path_, system_reason(errno));
    std::setvbuf(file_, nullptr, _IONBF, 0);
    FileText::rewind();
  }
  ~FileText() override { std::fclose(file_); }
  FileText(const FileText&) = delete;
  FileText& operator=(const FileText&) = delete;
  std::size_t read(char* into, std::size_t most) override {
    const std::size_t count = std::fread(into, 1, static_cast<std::size_t>(std::min<std::uint64_t>(most, left_)), file_);
    require(count > 0 || std::ferror(file_) == 0, Fault::input, "[read] expected a readable file, found {}: {}", path_, system_reason(errno));
    left_ -= count;
    return count;
  }
  void rewind() override {
    std::clearerr(file_);
    fseeko(file_, static_cast<off_t>(begin_), SEEK_SET);
    left_ = size_;
  }

 private:
  std::string path_;
  std::FILE* file_;
  std::uint64_t begin_, left_, size_;
};

class GzipText final : public TextSource {
 public:
  GzipText(std::string packed, const std::string& place) : packed_(std::move(packed)), stream_(packed_, place) {}
  std::size_t read(char* into, std::size_t most) override { return stream_.read(into, most); }
  void rewind() override { stream_.rewind(); }

 private:
  std::string packed_;
  GunzipStream stream_;
};

// The first bytes tell what an encoding leaves open.
struct Start {
  std::string encoding;  // for iconv; "": UTF-8 already
  std::size_t mark = 0;  // bytes of a byte order mark
};

bool zeros_alternate(std::string_view bytes, std::size_t odd) {
  if (bytes.size() < 4) return false;
  std::size_t zeros = 0, others = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) (i % 2 == odd ? zeros : others) += bytes[i] == '\0';
  return others == 0 && 4 * zeros >= 3 * (bytes.size() / 2);
}

Start start_of(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) return {"", 3};
  if (bytes.starts_with(std::string_view("\xFF\xFE\0\0", 4))) return {"UTF-32LE", 4};
  if (bytes.starts_with("\xFF\xFE")) return {"UTF-16LE", 2};
  if (bytes.starts_with("\xFE\xFF")) return {"UTF-16BE", 2};
  if (zeros_alternate(bytes, 1)) return {"UTF-16LE", 0};
  if (zeros_alternate(bytes, 0)) return {"UTF-16BE", 0};
  return {};
}

class Converter {
 public:
  Converter(const std::string& encoding, const std::string& place) : encoding_(encoding), place_(place), handle_(iconv_open("UTF-8", encoding.c_str())) {
    require(handle_ != iconv_t(-1), Fault::usage,
            "[data] expected an encoding such as utf-8, utf-16, latin1 or windows-1252, found \"{}\": see `iconv --list`", encoding);
  }
  ~Converter() { iconv_close(handle_); }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;

  std::string convert(std::string& bytes) const {
    std::string text(2 * bytes.size() + 16, '\0');
    char *in = bytes.data(), *out = text.data();
    std::size_t left = bytes.size(), room = text.size();
    while (left > 0) {
      if (iconv(handle_, &in, &left, &out, &room) != static_cast<std::size_t>(-1)) break;
      require(errno == E2BIG, Fault::input, "[data] expected text in {}, found {} at byte {} ({}): name another --encoding, or save the file as UTF-8",
              encoding_, errno == EINVAL ? "its end in the middle of a character" : "other bytes", bytes.size() - left + 1, place_);
      const std::size_t filled = text.size() - room;
      text.resize(2 * text.size());
      out = text.data() + filled;
      room = text.size() - filled;
    }
    text.resize(text.size() - room);
    return text;
  }

 private:
  std::string encoding_;
  const std::string& place_;
  iconv_t handle_;
};

bool is_utf8_name(const std::string& encoding) {
  const std::string name = lower_case(encoding);
  return name.empty() || name == "utf-8" || name == "utf8" || name == "utf-8-sig" || name == "ascii" || name == "us-ascii";
}

// A source less its first bytes.
class After final : public TextSource {
 public:
  After(std::unique_ptr<TextSource> source, std::size_t skipped) : source_(std::move(source)), skipped_(skipped) { After::rewind(); }
  std::size_t read(char* into, std::size_t most) override { return source_->read(into, most); }
  void rewind() override {
    source_->rewind();
    char bytes[4];
    for (std::size_t left = skipped_; left > 0;) {
      const std::size_t got = source_->read(bytes, std::min<std::size_t>(left, sizeof bytes));
      if (got == 0) break;
      left -= got;
    }
  }

 private:
  std::unique_ptr<TextSource> source_;
  std::size_t skipped_;
};

}  // namespace

std::unique_ptr<TextSource> text_in_memory(std::string text) { return std::make_unique<MemoryText>(std::move(text)); }
std::unique_ptr<TextSource> text_view(std::string_view text) { return std::make_unique<MemoryText>(text); }
std::unique_ptr<TextSource> text_of_file(const std::string& path) { return std::make_unique<FileText>(path); }
std::unique_ptr<TextSource> text_of_file(const std::string& path, std::uint64_t begin, std::uint64_t end) { return std::make_unique<FileText>(path, begin, end); }

std::unique_ptr<TextSource> text_of_gzip(std::string packed, const std::string& place) { return std::make_unique<GzipText>(std::move(packed), place); }

// In strides whose counts fit a byte, which compilers make vectors of.
std::size_t count_byte(std::string_view text, char byte) {
  constexpr std::size_t lanes = 32, most = 255;
  std::size_t count = 0, i = 0;
  while (text.size() - i >= lanes) {
    std::uint8_t counts[lanes] = {};
    const std::size_t strides = std::min(most, (text.size() - i) / lanes);
    for (std::size_t s = 0; s < strides; ++s, i += lanes)
      for (std::size_t lane = 0; lane < lanes; ++lane) counts[lane] = static_cast<std::uint8_t>(counts[lane] + (text[i + lane] == byte));
    for (const std::uint8_t lane : counts) count += lane;
  }
  for (; i < text.size(); ++i) count += text[i] == byte;
  return count;
}

void LineCount::add(std::string_view bytes) {
  bytes_ += bytes.size();
  feeds_ += count_byte(bytes, '\n');
  if (bytes.find('\r') != std::string_view::npos) returns_ += count_byte(bytes, '\r');
}

std::size_t LineCount::lines() const { return 1 + std::max(feeds_, returns_); }

std::string whole_text(TextSource& source, std::size_t bytes, const std::string& place, const Context& context) {
  context.memory.require(bytes, "data", fmt::format("the text of {}", place), "use a smaller file, or raise --max-memory");
  std::string text(bytes + 1, '\0');
  std::size_t filled = 0;
  source.rewind();
  while (const std::size_t count = source.read(text.data() + filled, text.size() - filled)) {
    filled += count;
    if (filled == text.size()) {
      context.memory.require(2 * text.size(), "data", fmt::format("the text of {}", place), "use a smaller file, or raise --max-memory");
      text.resize(2 * text.size());
    }
  }
  text.resize(filled);
  source.rewind();
  return text;
}

std::unique_ptr<TextSource> as_utf8(std::unique_ptr<TextSource> source, const std::string& encoding, const std::string& place,
                                    const Context& context, TextFacts& facts, const LineCount& counted) {
  constexpr std::size_t looked_at = 4096;
  std::vector<char> block(block_size);
  facts = {};
  LineCount count = counted;
  source->rewind();
  std::string_view bytes(block.data(), source->read(block.data(), block.size()));
  const Start found = start_of(bytes.substr(0, looked_at));
  const bool zero = bytes.substr(0, looked_at).find('\0') != std::string_view::npos;
  bool blank = bytes.substr(std::min(found.mark, bytes.size())).find_first_not_of(" \t\r\n") == std::string_view::npos;
  for (bool first = true; !bytes.empty() && (blank || counted.bytes() == 0); first = false) {
    if (counted.bytes() == 0) count.add(bytes);
    if (!first) blank = blank && bytes.find_first_not_of(" \t\r\n") == std::string_view::npos;
    context.check_stop("data");
    bytes = {block.data(), source->read(block.data(), block.size())};
  }
  source->rewind();
  require(!blank, Fault::input, "[data] expected rows of data, found an empty file ({}): give a file with data", place);
  facts.bytes = count.bytes();
  facts.lines = count.lines();

  Start start = found;
  const bool mark_tells = lower_case(encoding) == "utf-16" && start.mark == 2;  // which of the two byte orders
  if (!is_utf8_name(encoding)) start.encoding = mark_tells ? start.encoding : encoding;
  else if (!encoding.empty()) start.encoding.clear();
  if (start.encoding.empty()) {
    require(!zero, Fault::input,
            "[data] expected a table, a graph or an array (csv, npy, npz, idx, h5, ...), found other binary data ({}): convert the file to one of these", place);
    facts.bytes -= start.mark;
    if (start.mark == 0) return source;
    return std::make_unique<After>(std::move(source), start.mark);
  }
  context.memory.require(3 * facts.bytes, "data", fmt::format("the text of {} in UTF-8", place), "save it as UTF-8, which is read in pieces, or raise --max-memory");
  std::string stored = whole_text(*source, facts.bytes, place, context);
  stored.erase(0, start.mark);
  std::string text = Converter(start.encoding, place).convert(stored);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  facts.encoding = start.encoding;
  facts.bytes = text.size();
  LineCount converted;
  converted.add(text);
  facts.lines = converted.lines();
  require(text.find('\0') == std::string::npos, Fault::input, "[data] expected text in {}, found zero characters ({}): name another --encoding", start.encoding, place);
  return text_in_memory(std::move(text));
}

}  // namespace calor::io

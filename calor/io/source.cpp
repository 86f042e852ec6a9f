#include "calor/io/source.h"

#include <algorithm>
#include <filesystem>
#include <future>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/container.h"
#include "calor/io/dataset.h"
#include "calor/io/foreign_format.h"
#include "calor/io/gzip.h"
#include "calor/io/hash.h"
#include "calor/io/output.h"

namespace calor::io {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t head_size = 4096;

// A file that is not there: perhaps a bundled name or a neighbouring file was meant.
[[noreturn]] void fail_missing(const std::string& path) {
  std::vector<std::string> names, neighbours;
  for (const BundledSet& set : bundled_sets()) names.push_back(set.name);
  require(std::find(names.begin(), names.end(), path) == names.end(), Fault::input,
          "[data] expected a file, found {}, a bundled table: name a file (of edges for a graph; knn and radius make one of a table)", path);
  std::error_code error;
  const fs::path folder = fs::path(path).parent_path();
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, error), end; !error && entry != end; entry.increment(error))
    neighbours.push_back((folder / entry->path().filename()).string());
  std::string meant = nearest_name(path, names);
  if (meant.empty()) meant = nearest_name(path, neighbours);
  fail(Fault::input, "[data] expected a file or a bundled name ({}), found neither ({}): {}", list_names(names), path,
       meant.empty() ? "check the name" : fmt::format("did you mean \"{}\"?", meant));
}

// Reads all of a file piece by piece.
template <class Piece>
void each_piece(TextSource& file, const Context& context, Piece&& piece) {
  constexpr std::size_t size = std::size_t{1} << 17;  // stays in the cache between two uses
  std::vector<char> block(size);
  while (const std::size_t count = file.read(block.data(), block.size())) {
    piece(std::string_view(block.data(), count));
    context.check_stop("data");
  }
  file.rewind();
}

std::shared_future<std::string> hash_beside(const std::string& path, const Context& context) {
  return std::async(std::launch::async, [path, context] {
    Sha256 hash;
    each_piece(*text_of_file(path), context, [&](std::string_view bytes) { hash.add(bytes); });
    return hash.hex();
  });
}

std::shared_future<std::string> ready(std::string hash) {
  std::promise<std::string> promise;
  promise.set_value(std::move(hash));
  return promise.get_future().share();
}

// "a web page", "an Excel workbook"; formats are names.
std::string with_article(const std::string& format) {
  if (format == "web page" || format == "picture") return "a " + format;
  if (format == "Excel workbook" || format == "OpenDocument spreadsheet") return "an " + format;
  return format;
}

}  // namespace

void refuse_foreign(std::string_view head, const std::string& path) {
  const std::string format = foreign_format(head);
  require(format.empty(), Fault::input, "[data] expected a format that is read here, found {} ({}): {}", with_article(format), path, foreign_remedy(format));
}

Source open_source(const std::string& path, const Context& context) {
  std::error_code error;
  if (path != "-" && !fs::exists(path, error) && !error) fail_missing(path);
  Source source;
  if (path != "-" && fs::is_regular_file(path, error)) {
    auto file = text_of_file(path);
    source.head.resize(head_size);
    source.head.resize(file->read(source.head.data(), head_size));
    file->rewind();
    require(!source.head.empty(), Fault::input, "[data] expected rows of data, found an empty file ({}): give a file with data", path);
    if (!is_gzip(source.head) && !is_container(source.head)) {
      source.hash = hash_beside(path, context);
      each_piece(*file, context, [&](std::string_view bytes) { source.counted.add(bytes); });
      source.text = std::move(file);
      return source;
    }
    context.memory.require(fs::file_size(path, error), "data", path, "use a smaller file, or raise --max-memory");
  }
  source.bytes = read_file(path);
  require(!source.bytes.empty(), Fault::input, "[data] expected rows of data, found an empty file ({}): give a file with data", path);
  source.hash = ready(sha256(source.bytes));
  if (is_gzip(source.bytes)) {  // a packed text is read in pieces too
    auto text = text_of_gzip(std::move(source.bytes), path);
    source.head.resize(head_size);
    source.head.resize(text->read(source.head.data(), head_size));
    text->rewind();
    if (!is_container(source.head)) {
      source.text = std::move(text);
      return source;
    }
    source.bytes = whole_text(*text, source.head.size(), path, context);
  }
  source.head = source.bytes.substr(0, head_size);
  if (!is_container(source.head)) source.text = text_in_memory(std::move(source.bytes));
  return source;
}

}  // namespace calor::io

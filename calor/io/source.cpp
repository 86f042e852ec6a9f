#include "calor/io/source.h"

#include <filesystem>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/container.h"
#include "calor/io/dataset.h"
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
  std::error_code error;
  const fs::path folder = fs::path(path).parent_path();
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, error), end; !error && entry != end; entry.increment(error))
    neighbours.push_back((folder / entry->path().filename()).string());
  std::string meant = nearest_name(path, names);
  if (meant.empty()) meant = nearest_name(path, neighbours);
  fail(Fault::input, "[data] expected a file or a bundled name ({}), found neither ({}): {}", list_names(names), path,
       meant.empty() ? "check the name" : fmt::format("did you mean \"{}\"?", meant));
}

// The hash of a file and its first bytes, without holding it.
std::string hash_of(TextSource& file, std::string& head, const Context& context) {
  constexpr std::size_t piece = std::size_t{1} << 20;
  std::vector<char> block(piece);
  Sha256 hash;
  while (const std::size_t count = file.read(block.data(), block.size())) {
    if (head.size() < head_size) head.append(block.data(), std::min(count, head_size - head.size()));
    hash.add({block.data(), count});
    context.check_stop("data");
  }
  file.rewind();
  return hash.hex();
}

}  // namespace

Source open_source(const std::string& path, const Context& context) {
  std::error_code error;
  if (path != "-" && !fs::exists(path, error) && !error) fail_missing(path);
  Source source;
  if (path != "-" && fs::is_regular_file(path, error)) {
    auto file = text_of_file(path);
    source.hash = hash_of(*file, source.head, context);
    require(!source.head.empty(), Fault::input, "[data] expected rows of data, found an empty file ({}): give a file with data", path);
    if (!is_gzip(source.head) && !is_container(source.head)) {
      source.text = std::move(file);
      return source;
    }
    context.memory.require(fs::file_size(path, error), "data", path, "use a smaller file, or raise --max-memory");
  }
  source.bytes = read_file(path);
  require(!source.bytes.empty(), Fault::input, "[data] expected rows of data, found an empty file ({}): give a file with data", path);
  source.hash = sha256(source.bytes);
  if (is_gzip(source.bytes)) source.bytes = gunzip(source.bytes, path, context);
  source.head = source.bytes.substr(0, head_size);
  if (!is_container(source.head)) source.text = text_in_memory(std::move(source.bytes));
  return source;
}

}  // namespace calor::io

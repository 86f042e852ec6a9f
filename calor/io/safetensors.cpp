#include "calor/io/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/output.h"

namespace calor::io {

namespace {

using Json = nlohmann::json;

constexpr std::size_t length_size = 8;           // of the header's length
constexpr std::size_t alignment = 8;             // of the data's start in the file
constexpr std::size_t longest_header = 100'000'000;  // the limit of the reference implementation
constexpr const char* metadata_key = "__metadata__";

struct Dtype {
  const char* name;
  std::size_t size;
};
constexpr Dtype dtypes[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
                            {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
                            {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};

// 0 for an unknown one.
std::size_t dtype_size(std::string_view name) {
  const auto found = std::ranges::find_if(dtypes, [&](const Dtype& dtype) { return name == dtype.name; });
  return found == std::end(dtypes) ? 0 : found->size;
}

// The bytes that a shape takes; false when they cannot be counted.
bool count_bytes(const std::string& dtype, const std::vector<std::int64_t>& shape, std::size_t& bytes) {
  bytes = dtype_size(dtype);
  for (const std::int64_t dimension : shape)
    if (dimension < 0 || __builtin_mul_overflow(bytes, static_cast<std::size_t>(dimension), &bytes)) return false;
  return bytes > 0 || std::ranges::find(shape, 0) != shape.end();
}

// Where a tensor's bytes lie in the data.
struct Extent {
  std::size_t begin, end;
  std::string name;
};

class HeaderReader {
 public:
  HeaderReader(const std::string& path, std::string_view data) : path_(path), data_(data) {}

  void read(std::string_view text, Safetensors& content) {
    const Json header = parse(text);
    for (const auto& [name, entry] : header.items())
      if (name == metadata_key) read_metadata(entry, content);
      else content.tensors.emplace(name, read_tensor(name, entry));
    check_extents();
  }

 private:
  template <class... Args>
  void check(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    if (!condition)
      fail(Fault::input, "[safetensors] {} ({}): the file is damaged, or it is not a safetensors file",
           fmt::format(format, std::forward<Args>(args)...), path_);
  }

  // The names of one object must differ; the parser would keep the last of them.
  Json parse(std::string_view text) const {
    check(text.starts_with('{'), "expected a JSON object as header, found other text");
    std::set<std::string> names;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
      if (event == Json::parse_event_t::key && depth == 1)
        check(names.insert(parsed.get<std::string>()).second, "expected different tensor names, found \"{}\" twice",
              parsed.get<std::string>());
      return true;
    };
    try {
      return Json::parse(text, watch);
    } catch (const Json::exception& error) {
      fail(Fault::input,
           "[safetensors] expected a JSON header, found: {} ({}): the file is damaged, or it is not a safetensors file",
           error.what(), path_);
    }
  }

  void read_metadata(const Json& entry, Safetensors& content) const {
    check(entry.is_object(), "expected texts as metadata, found {}", entry.type_name());
    for (const auto& [key, value] : entry.items()) {
      check(value.is_string(), "expected a text for metadata \"{}\", found {}", key, value.type_name());
      content.metadata.emplace(key, value.get<std::string>());
    }
  }

  Tensor read_tensor(const std::string& name, const Json& entry) {
    const auto is_count = [](const Json& value) {
      return value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX);
    };
    check(entry.is_object() && entry.contains("dtype") && entry.contains("shape") && entry.contains("data_offsets"),
          "expected dtype, shape and data_offsets for tensor \"{}\", found fewer", name);
    const Json &dtype = entry["dtype"], &shape = entry["shape"], &offsets = entry["data_offsets"];
    check(dtype.is_string() && dtype_size(dtype.get<std::string>()) > 0,
          "expected a known dtype for tensor \"{}\", found {}", name, dtype.dump());
    check(shape.is_array() && std::ranges::all_of(shape, is_count),
          "expected whole numbers as shape of tensor \"{}\", found {}", name, shape.dump());
    check(offsets.is_array() && offsets.size() == 2 && std::ranges::all_of(offsets, is_count),
          "expected two offsets for tensor \"{}\", found {}", name, offsets.dump());

    Tensor tensor;
    tensor.dtype = dtype.get<std::string>();
    tensor.shape = shape.get<std::vector<std::int64_t>>();
    const auto begin = offsets[0].get<std::size_t>(), end = offsets[1].get<std::size_t>();
    check(begin <= end && end <= data_.size(),
          "expected offsets within {} bytes of data for tensor \"{}\", found {} to {}", data_.size(), name, begin, end);
    std::size_t bytes = 0;
    const bool counted = count_bytes(tensor.dtype, tensor.shape, bytes);
    check(counted && bytes == end - begin, "expected {} bytes for tensor \"{}\" ({} of shape {}), found {}",
          counted ? fmt::to_string(bytes) : "countable", name, tensor.dtype, shape.dump(), end - begin);
    const std::string_view part = data_.substr(begin, end - begin);
    tensor.bytes.assign(part.begin(), part.end());
    extents_.push_back({begin, end, name});
    return tensor;
  }

  // The format allows neither overlaps nor gaps: every byte belongs to one tensor.
  void check_extents() {
    std::ranges::sort(extents_, {}, [](const Extent& extent) { return std::pair(extent.begin, extent.end); });
    std::size_t covered = 0;
    for (const Extent& extent : extents_) {
      check(extent.begin == covered, "expected tensor \"{}\" to begin at byte {} of the data, found {}: {}",
            extent.name, covered, extent.begin,
            extent.begin < covered ? "it overlaps another tensor" : "bytes before it belong to no tensor");
      covered = extent.end;
    }
    check(covered == data_.size(), "expected {} bytes of data, found {}", covered, data_.size());
  }

  const std::string& path_;
  std::string_view data_;
  std::vector<Extent> extents_;
};

}  // namespace

Safetensors read_safetensors(const std::string& path) {
  const std::string file = read_file(path);
  require(file.size() >= length_size, Fault::input,
          "[safetensors] expected at least {} bytes, found {} ({}): the file is truncated, or it is not a safetensors file",
          length_size, file.size(), path);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < length_size; ++i) length |= std::uint64_t{static_cast<unsigned char>(file[i])} << (8 * i);
  const std::size_t rest = file.size() - length_size;
  require(length <= std::min(rest, longest_header), Fault::input,
          "[safetensors] expected a header of at most {} bytes, found {} ({}): the file is truncated, damaged or no "
          "safetensors file",
          std::min(rest, longest_header), length, path);

  Safetensors content;
  const std::string_view bytes(file);
  HeaderReader(path, bytes.substr(length_size + length)).read(bytes.substr(length_size, length), content);
  return content;
}

std::string serialise(const Safetensors& content) {
  // Wide types first: with the data's start aligned, every tensor is then aligned to its element.
  std::vector<std::pair<std::string_view, const Tensor*>> order;
  for (const auto& [name, tensor] : content.tensors) order.emplace_back(name, &tensor);
  std::ranges::sort(order, [](const auto& a, const auto& b) {
    const std::size_t wide = dtype_size(a.second->dtype), other = dtype_size(b.second->dtype);
    return wide != other ? wide > other : a.first < b.first;
  });

  Json header = Json::object();
  if (!content.metadata.empty()) header[metadata_key] = content.metadata;
  std::size_t offset = 0;
  for (const auto& [name, tensor] : order) {
    std::size_t bytes = 0;
    require(name != metadata_key && count_bytes(tensor->dtype, tensor->shape, bytes) && bytes == tensor->bytes.size(),
            Fault::internal, "[safetensors] expected {} bytes for tensor \"{}\" ({} of shape ({})), found {}", bytes,
            name, tensor->dtype, fmt::join(tensor->shape, ", "), tensor->bytes.size());
    header[std::string(name)] = {
        {"dtype", tensor->dtype}, {"shape", tensor->shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }

  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception& error) {
    fail(Fault::input, "[safetensors] expected names and metadata in UTF-8, found: {}: rename them", error.what());
  }
  text.append((alignment - text.size() % alignment) % alignment, ' ');
  require(text.size() <= longest_header, Fault::input,
          "[safetensors] expected a header of at most {} bytes, found {}: store less metadata", longest_header,
          text.size());

  std::string file;
  file.reserve(length_size + text.size() + offset);
  for (std::size_t i = 0; i < length_size; ++i) file += static_cast<char>(text.size() >> (8 * i) & 0xff);
  file += text;
  for (const auto& [name, tensor] : order) file.append(tensor->bytes.begin(), tensor->bytes.end());
  return file;
}

void write_safetensors(const std::string& path, const Safetensors& content) { write_file(path, serialise(content)); }

}  // namespace calor::io

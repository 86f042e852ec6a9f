// The elements of HDF5's data sets.
#include <algorithm>
#include <array>

#include "calor/core/error.h"
#include "calor/io/hdf5_file.h"
#include "calor/io/number.h"

namespace calor::io {

namespace {

constexpr std::uint64_t piece = 1 << 20;  // elements read at a time, in whole rows
constexpr const char* smaller = "use a smaller file, or raise --max-memory";

// Texts of any length, which the library asks for one by one: kept together, and refused once they outgrow the limit.
class TextRoom {
 public:
  explicit TextRoom(std::uint64_t most) : most_(most) {}
  static void* allocate(std::size_t size, void* room) {
    auto& self = *static_cast<TextRoom*>(room);
    self.taken_ += size;
    if (self.taken_ > self.most_) return nullptr;
    try {
      return self.texts_.emplace_back(new char[size]).get();
    } catch (...) {
      return nullptr;  // no exception may pass through the library
    }
  }
  static void release(void*, void*) {}
  bool full() const { return taken_ > most_; }
  std::uint64_t taken() const { return taken_; }
  void clear() { texts_.clear(); }

 private:
  std::uint64_t most_, taken_ = 0;
  std::vector<std::unique_ptr<char[]>> texts_;
};

// Two truth values as h5py writes them: an enumeration of FALSE and TRUE.
bool is_boolean(hid_t type) {
  if (H5Tget_nmembers(type) != 2) return false;
  std::array<std::int64_t, 2> values{};
  for (const auto& [name, value] : {std::pair{"FALSE", 0}, std::pair{"TRUE", 1}}) {
    const int at = H5Tget_member_index(type, name);
    std::array<unsigned char, 8> bytes{};
    if (at < 0 || H5Tget_size(type) > bytes.size() || H5Tget_member_value(type, static_cast<unsigned>(at), bytes.data()) < 0) return false;
    values[static_cast<std::size_t>(value)] = std::ranges::count_if(bytes, [](unsigned char b) { return b != 0; });
  }
  return values[0] == 0 && values[1] == 1;
}

// The rows of a data set in pieces of whole chunks: calls read(first, rows, file space).
template <class Read>
void for_each_piece(hid_t dataset, hid_t space, const std::vector<std::uint64_t>& shape, const std::string& place, const Context& context, const Read& read) {
  const std::uint64_t rows = shape.empty() ? 1 : shape[0];
  std::uint64_t width = 1, step = 1;
  for (std::size_t k = 1; k < shape.size(); ++k) width *= shape[k];
  const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose, "a data set's layout", place);
  if (H5Pget_layout(creation) == H5D_CHUNKED) {
    std::array<hsize_t, H5S_MAX_RANK> chunk{};
    if (H5Pget_chunk(creation, H5S_MAX_RANK, chunk.data()) > 0) step = std::clamp<std::uint64_t>(chunk[0], 1, std::max<std::uint64_t>(rows, 1));
  }
  step *= std::max<std::uint64_t>(1, piece / std::max<std::uint64_t>(1, width * step));
  for (std::uint64_t first = 0; first < rows; first += step) {
    context.check_stop("h5");
    const std::uint64_t count = std::min(step, rows - first);
    if (!shape.empty()) {
      std::vector<hsize_t> start(shape.size(), 0), size(shape.begin(), shape.end());
      start[0] = first;
      size[0] = count;
      if (H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr) < 0) fail_hdf5("rows", place);
    }
    allow_hdf5();
    read(first * width, count * width);
    context.advance(static_cast<double>(first + count), static_cast<double>(rows), "reading");
  }
}

}  // namespace

std::vector<std::uint64_t> Hdf5Object::shape() const {
  require(is_dataset(), Fault::input, "[h5] expected a data set, found a group ({}): the file is damaged; write it again", place_);
  const Hdf5Handle space(H5Dget_space(*object_), H5Sclose, "a data set's shape", place_);
  const H5S_class_t extent = H5Sget_simple_extent_type(space);
  if (extent == H5S_NULL) return {0};
  if (extent == H5S_SCALAR) return {};
  std::array<hsize_t, H5S_MAX_RANK> sizes{};
  const int rank = H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  if (rank < 0) fail_hdf5("a data set's shape", place_);
  return {sizes.begin(), sizes.begin() + rank};
}

std::uint64_t Hdf5Object::count() const {
  std::uint64_t count = 1;
  bool fits = true;
  for (const std::uint64_t size : shape()) fits = fits && !__builtin_mul_overflow(count, size, &count);
  constexpr std::uint64_t most = std::uint64_t{1} << 56;  // its bytes can still be counted
  require(fits && count < most, Fault::input, "[h5] expected a shape that memory can hold, found ({}) ({}): the file is damaged; fetch or write it again",
          fmt::join(shape(), ", "), place_);
  return count;
}

Hdf5Kind Hdf5Object::kind() const {
  if (!is_dataset()) return Hdf5Kind::other;
  const Hdf5Handle type(H5Dget_type(*object_), H5Tclose, "a data set's type", place_);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER: return Hdf5Kind::integer;
    case H5T_FLOAT: return Hdf5Kind::real;
    case H5T_STRING: return Hdf5Kind::text;
    case H5T_ENUM: return is_boolean(type) ? Hdf5Kind::boolean : Hdf5Kind::other;
    default: return Hdf5Kind::other;
  }
}

void Hdf5Object::require_kind(bool fits, const char* expected) const {
  constexpr const char* names[] = {"whole numbers", "numbers", "truth values", "texts", "other elements"};
  require(fits, Fault::input, "[h5] expected {}, found {} ({}): write the file again", expected,
          is_dataset() ? names[static_cast<std::size_t>(kind())] : "a group", place_);
}

void Hdf5Object::require_readable() const {
  const Hdf5Handle creation(H5Dget_create_plist(*object_), H5Pclose, "a data set's layout", place_);
  require(H5Pget_external_count(creation) == 0 && H5Pget_layout(creation) != H5D_VIRTUAL, Fault::input,
          "[h5] expected data in this file, found some that lies in another ({}): copy the data into the file", place_);
  const int filters = H5Pget_nfilters(creation);
  for (int f = 0; f < filters; ++f) {
    std::array<char, 64> name{};
    unsigned flags = 0;
    std::size_t values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation, static_cast<unsigned>(f), &flags, &values, nullptr, name.size() - 1, name.data(), nullptr);
    require(filter >= 0 && H5Zfilter_avail(filter) > 0, Fault::input,
            "[h5] expected a compression that libhdf5 has, found \"{}\" (number {}) ({}): write the file with compression=\"gzip\"", name.data(), filter, place_);
  }
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  if (H5Pget_layout(creation) != H5D_CHUNKED) return;
  const Hdf5Handle type(H5Dget_type(*object_), H5Tclose, "a data set's type", place_);
  std::uint64_t bytes = H5Tget_size(type);
  const int rank = H5Pget_chunk(creation, H5S_MAX_RANK, chunk.data());
  bool fits = rank > 0;
  for (int k = 0; k < rank; ++k) fits = fits && !__builtin_mul_overflow(bytes, chunk[static_cast<std::size_t>(k)], &bytes);
  context_->memory.require(fits ? bytes : ~std::uint64_t{0}, "h5", fmt::format("a chunk of {}", place_), smaller);
}

template <class T>
std::vector<T> Hdf5Object::read(hid_t memory_type) const {
  const std::uint64_t elements = count();
  context_->memory.require(elements * sizeof(T), "h5", fmt::format("{} elements of {}", elements, place_), smaller);
  require_readable();
  allow_hdf5(static_cast<double>(elements * sizeof(T)));
  std::vector<T> values(elements);
  if (elements == 0) return values;
  const Hdf5Handle space(H5Dget_space(*object_), H5Sclose, "a data set's shape", place_);
  for_each_piece(*object_, space, shape(), place_, *context_, [&](std::uint64_t first, std::uint64_t number) {
    const hsize_t size = number;
    const Hdf5Handle memory(H5Screate_simple(1, &size, nullptr), H5Sclose, "memory", place_);
    if (H5Dread(*object_, memory_type, memory, space, H5P_DEFAULT, values.data() + first) < 0) fail_hdf5("elements", place_);
  });
  return values;
}

std::vector<double> Hdf5Object::numbers() const {
  const Hdf5Kind found = kind();
  require_kind(found == Hdf5Kind::integer || found == Hdf5Kind::real || found == Hdf5Kind::boolean, "numbers");
  return read<double>(H5T_NATIVE_DOUBLE);
}

std::vector<std::int64_t> Hdf5Object::wholes() const {
  require_kind(kind() == Hdf5Kind::integer, "whole numbers");
  return read<std::int64_t>(H5T_NATIVE_INT64);
}

std::vector<std::int32_t> Hdf5Object::indices() const {
  require_kind(kind() == Hdf5Kind::integer, "whole numbers");
  return read<std::int32_t>(H5T_NATIVE_INT32);
}

std::string Hdf5Object::checked_text(std::string text) const {
  require(is_utf8(text), Fault::input, "[h5] expected texts in UTF-8, found other bytes ({}): write the file again with UTF-8", place_);
  return text;
}

std::vector<std::string> Hdf5Object::fixed_texts(hid_t type) const {
  const std::uint64_t elements = count();
  const std::size_t size = H5Tget_size(type);
  std::uint64_t bytes = 0;
  const bool fits = !__builtin_mul_overflow(elements, 2 * size + sizeof(std::string), &bytes);
  context_->memory.require(fits ? bytes : ~std::uint64_t{0}, "h5", fmt::format("{} texts of {}", elements, place_), smaller);
  allow_hdf5(static_cast<double>(elements * size));
  std::string all(elements * size, '\0');
  if (elements > 0 && H5Dread(*object_, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()) < 0) fail_hdf5("texts", place_);
  const bool padded_by_blanks = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
  std::vector<std::string> texts;
  texts.reserve(elements);
  for (std::uint64_t i = 0; i < elements; ++i) {
    std::string text = all.substr(i * size, size);
    text.resize(std::min(text.find('\0'), text.size()));
    if (padded_by_blanks) text.resize(text.find_last_not_of(' ') + 1);
    texts.push_back(checked_text(std::move(text)));
  }
  return texts;
}

std::vector<std::string> Hdf5Object::variable_texts(hid_t type) const {
  const std::uint64_t elements = count();
  context_->memory.require(elements * sizeof(std::string), "h5", fmt::format("{} texts of {}", elements, place_), smaller);
  TextRoom room(context_->memory.bytes());
  const Hdf5Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose, "a transfer", place_);
  if (H5Pset_vlen_mem_manager(transfer, TextRoom::allocate, &room, TextRoom::release, &room) < 0) fail_hdf5("a transfer", place_);
  const Hdf5Handle space(H5Dget_space(*object_), H5Sclose, "a data set's shape", place_);
  std::vector<std::string> texts;
  if (elements == 0) return texts;
  texts.reserve(elements);
  std::uint64_t before = 0;  // bytes of the texts up to this piece
  allow_hdf5(static_cast<double>(elements * sizeof(std::string)));
  for_each_piece(*object_, space, shape(), place_, *context_, [&](std::uint64_t, std::uint64_t number) {
    const hsize_t size = number;
    const Hdf5Handle memory(H5Screate_simple(1, &size, nullptr), H5Sclose, "memory", place_);
    std::vector<char*> pointers(number, nullptr);
    const bool read = H5Dread(*object_, type, memory, space, transfer, pointers.data()) >= 0;
    if (room.full()) context_->memory.require(room.taken(), "h5", fmt::format("the texts of {}", place_), smaller);
    if (!read) fail_hdf5("texts", place_);
    allow_hdf5(static_cast<double>(room.taken() - before));
    before = room.taken();
    for (const char* text : pointers) texts.push_back(checked_text(text ? text : ""));
    room.clear();
  });
  return texts;
}

std::vector<std::string> Hdf5Object::texts() const {
  require_kind(kind() == Hdf5Kind::text, "texts");
  require_readable();
  const Hdf5Handle type(H5Dget_type(*object_), H5Tclose, "a data set's type", place_);
  return H5Tis_variable_str(type) > 0 ? variable_texts(type) : fixed_texts(type);
}

}  // namespace calor::io

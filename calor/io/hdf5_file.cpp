#include "calor/io/hdf5_file.h"

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/child.h"

namespace calor::io {

namespace {

// What the innermost function that failed said.
std::string reason() {
  std::string text;
  const auto take = [](unsigned, const H5E_error2_t* error, void* into) -> herr_t {
    auto& first = *static_cast<std::string*>(into);
    if (first.empty() && error->desc) first = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take, &text);
  return text.empty() ? "no reason given" : text;
}

}  // namespace

void silence_hdf5() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

void allow_hdf5(double bytes) {
  constexpr double metadata = 3, slowest = 10e6;  // seconds; bytes a second, a tenth of what inflate unpacks
  static double total = 0;                        // of this child
  total += bytes;
  allow_child(metadata + total / slowest);
}

void fail_hdf5(std::string_view expected, const std::string& place) {
  fail(Fault::input, "[h5] expected {}, found what libhdf5 cannot read: {} ({}): the file is damaged; fetch or write it again", expected, reason(), place);
}

Hdf5Handle::Hdf5Handle(hid_t id, Close close, std::string_view what, const std::string& place) : id_(id), close_(close) {
  if (id < 0) fail_hdf5(what, place);
}

Hdf5Object::Hdf5Object(Shared file, Shared object, const std::string& file_place, std::string path, const Context& context)
    : file_(std::move(file)), object_(std::move(object)), file_place_(file_place), path_(std::move(path)),
      place_(path_.empty() ? file_place : fmt::format("{}, {}", file_place, path_)), context_(&context) {}

Hdf5Object Hdf5Object::open(const std::string& path, const Context& context) {
  constexpr const char* what = "a complete HDF5 file";
  allow_hdf5();
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, what, path);
  H5Pset_file_locking(access, false, true);  // a file system without locks is no reason not to read
  auto file = std::make_shared<const Hdf5Handle>(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access), H5Fclose, what, path);
  auto root = std::make_shared<const Hdf5Handle>(H5Gopen2(*file, "/", H5P_DEFAULT), H5Gclose, what, path);
  return {std::move(file), std::move(root), path, "", context};
}

Hdf5Object Hdf5Object::open(std::string_view bytes, const std::string& place, const Context& context) {
  constexpr const char* what = "a complete HDF5 file";
  constexpr std::size_t growth = 1 << 16;  // of an image that is never written
  context.memory.require(bytes.size(), "h5", place, "give the file itself instead of a pipe, or raise --max-memory");
  allow_hdf5();
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, what, place);
  const bool set = H5Pset_fapl_core(access, growth, false) >= 0 && H5Pset_file_image(access, const_cast<char*>(bytes.data()), bytes.size()) >= 0;
  if (!set) fail_hdf5(what, place);
  auto file = std::make_shared<const Hdf5Handle>(H5Fopen("image", H5F_ACC_RDONLY, access), H5Fclose, what, place);
  auto root = std::make_shared<const Hdf5Handle>(H5Gopen2(*file, "/", H5P_DEFAULT), H5Gclose, what, place);
  return {std::move(file), std::move(root), place, "", context};
}

bool Hdf5Object::is_group() const { return H5Iget_type(*object_) == H5I_GROUP; }
bool Hdf5Object::is_dataset() const { return H5Iget_type(*object_) == H5I_DATASET; }

std::vector<std::string> Hdf5Object::names() const {
  std::vector<std::string> names;
  const auto take = [](hid_t, const char* name, const H5L_info_t*, void* into) -> herr_t {
    try {
      static_cast<std::vector<std::string>*>(into)->emplace_back(name);
      return 0;
    } catch (...) {
      return -1;  // no exception may pass through the library
    }
  };
  hsize_t at = 0;
  allow_hdf5();
  if (H5Literate(*object_, H5_INDEX_NAME, H5_ITER_INC, &at, take, &names) < 0) fail_hdf5("a group", place_);
  return names;
}

bool Hdf5Object::has(const std::string& name) const { return is_group() && H5Lexists(*object_, name.c_str(), H5P_DEFAULT) > 0; }

Hdf5Object Hdf5Object::at(const std::string& name) const {
  const std::string path = path_.empty() ? name : fmt::format("{}/{}", path_, name);
  const std::string place = fmt::format("{}, {}", file_place_, path);
  require(has(name), Fault::input, "[h5] expected \"{}\", found {} ({}): the file is damaged; write it again", name,
          is_group() ? fmt::format("only {}", names().empty() ? "an empty group" : list_names(names())) : "no group", place_);
  allow_hdf5();
  H5L_info_t link;
  if (H5Lget_info(*object_, name.c_str(), &link, H5P_DEFAULT) < 0) fail_hdf5("a link", place);
  require(link.type == H5L_TYPE_HARD || link.type == H5L_TYPE_SOFT, Fault::input,
          "[h5] expected data in this file, found a link to another ({}): copy the data into the file", place);
  auto object = std::make_shared<const Hdf5Handle>(H5Oopen(*object_, name.c_str(), H5P_DEFAULT), H5Oclose, "a group or data set", place);
  return {file_, std::move(object), file_place_, path, *context_};
}

std::optional<std::string> Hdf5Object::text_attribute(const char* name) const {
  allow_hdf5();
  if (H5Aexists(*object_, name) <= 0) return {};
  const std::string place = fmt::format("{}, attribute {}", place_, name);
  const Hdf5Handle attribute(H5Aopen(*object_, name, H5P_DEFAULT), H5Aclose, "an attribute", place);
  const Hdf5Handle type(H5Aget_type(attribute), H5Tclose, "an attribute's type", place);
  const Hdf5Handle space(H5Aget_space(attribute), H5Sclose, "an attribute's size", place);
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) return {};
  const Hdf5Handle memory(H5Tcopy(type), H5Tclose, "an attribute's type", place);
  if (H5Tis_variable_str(type) > 0) {
    char* text = nullptr;
    if (H5Aread(attribute, memory, &text) < 0) fail_hdf5("a text", place);
    const std::string copy = text ? text : "";
    H5Dvlen_reclaim(memory, space, H5P_DEFAULT, &text);
    return copy;
  }
  const std::size_t size = H5Tget_size(type);
  context_->memory.require(size, "h5", place, "the file is damaged, or raise --max-memory");
  std::string text(size, '\0');
  if (H5Aread(attribute, memory, text.data()) < 0) fail_hdf5("a text", place);
  return text.substr(0, text.find('\0'));
}

std::optional<std::vector<std::int64_t>> Hdf5Object::whole_attribute(const char* name, std::size_t count) const {
  allow_hdf5();
  if (H5Aexists(*object_, name) <= 0) return {};
  const std::string place = fmt::format("{}, attribute {}", place_, name);
  const Hdf5Handle attribute(H5Aopen(*object_, name, H5P_DEFAULT), H5Aclose, "an attribute", place);
  const Hdf5Handle type(H5Aget_type(attribute), H5Tclose, "an attribute's type", place);
  const Hdf5Handle space(H5Aget_space(attribute), H5Sclose, "an attribute's size", place);
  if (H5Tget_class(type) != H5T_INTEGER || H5Sget_simple_extent_npoints(space) != static_cast<hssize_t>(count)) return {};
  std::vector<std::int64_t> values(count);
  if (H5Aread(attribute, H5T_NATIVE_INT64, values.data()) < 0) fail_hdf5("whole numbers", place);
  return values;
}

}  // namespace calor::io

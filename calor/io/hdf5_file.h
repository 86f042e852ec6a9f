// libhdf5 as the readers of single-cell data need it: groups, attributes, and data sets as lists of numbers or texts.
// Every size is asked of the memory limit before it is allocated, and every failure is thrown with the library's reason.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"

namespace calor::io {

// The library is not safe for threads, prints its errors, and crashes on some damaged files: use it in a child (child.h).
void silence_hdf5();

// Time for what comes next, to which so many bytes of elements were added: a child that takes longer goes in circles, as the library does on some
// damaged files.
void allow_hdf5(double bytes = 0);

// One of the library's identifiers, closed at the end.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);
  // Throws Fault::input, "expected `what`", for an identifier that says failure.
  Hdf5Handle(hid_t id, Close close, std::string_view what, const std::string& place);
  ~Hdf5Handle() { close_(id_); }
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
  Close close_;
};

// Throws Fault::input with the library's reason for a call that failed.
[[noreturn]] void fail_hdf5(std::string_view expected, const std::string& place);

enum class Hdf5Kind { integer, real, boolean, text, other };

// A group or a data set of an open file.
class Hdf5Object {
 public:
  // A file's root.  Throws Fault::input for one that the library cannot open; bytes are copied, asked of the limit.
  static Hdf5Object open(const std::string& path, const Context& context);
  static Hdf5Object open(std::string_view bytes, const std::string& place, const Context& context);

  const std::string& place() const { return place_; }  // "f.h5ad, obs/cell_type"
  const Context& context() const { return *context_; }
  bool is_group() const;
  bool is_dataset() const;

  // Of a group: the names in it, ascending; whether it has one; what one stands for.  Throws Fault::input for a name that
  // is not there and for a link to another file.
  std::vector<std::string> names() const;
  bool has(const std::string& name) const;
  Hdf5Object at(const std::string& name) const;

  // An attribute that holds one text, or so many whole numbers; nothing where there is none such.
  std::optional<std::string> text_attribute(const char* name) const;
  std::optional<std::vector<std::int64_t>> whole_attribute(const char* name, std::size_t count) const;

  // Of a data set: empty for a single value, one size of 0 for none.
  std::vector<std::uint64_t> shape() const;
  std::uint64_t count() const;  // the product; throws Fault::input where it cannot be counted
  Hdf5Kind kind() const;

  // All elements, row-major.  Throws Fault::input for other elements than these, filters that the library lacks and data that
  // lies in other files; Fault::memory; Fault::interrupted.
  std::vector<double> numbers() const;        // integer, real, boolean
  std::vector<std::int64_t> wholes() const;   // integer; those beyond 64 bits become the largest
  std::vector<std::int32_t> indices() const;  // integer; those beyond 32 bits become the largest or the least
  std::vector<std::string> texts() const;     // text, in UTF-8

 private:
  using Shared = std::shared_ptr<const Hdf5Handle>;
  Hdf5Object(Shared file, Shared object, const std::string& file_place, std::string path, const Context& context);
  void require_kind(bool fits, const char* expected) const;
  void require_readable() const;
  template <class T>
  std::vector<T> read(hid_t memory_type) const;
  std::vector<std::string> fixed_texts(hid_t type) const;
  std::vector<std::string> variable_texts(hid_t type) const;
  std::string checked_text(std::string text) const;

  Shared file_, object_;
  std::string file_place_, path_, place_;
  const Context* context_;
};

}  // namespace calor::io

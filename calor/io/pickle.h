// Python pickles of numbers, texts, lists, dictionaries, numpy arrays and scipy's csr matrices, read without running anything.
// https://docs.python.org/3/library/pickletools.html
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/array.h"
#include "calor/io/sparse.h"

namespace calor::io {

// sparse: a csr_matrix or csr_array; global: a class or function of the closed list; type: a numpy dtype.
enum class PickleKind { none, boolean, whole, real, bytes, text, list, tuple, dictionary, array, sparse, global, type };

// "a list", "None": as messages have it.
std::string_view name_of(PickleKind kind);

struct PickleValue {
  PickleKind kind = PickleKind::none;
  std::int64_t whole = 0;                  // of whole and boolean
  double real = 0;
  std::string_view text;                   // of bytes and text (UTF-8); a global's name
  // Of a list or tuple; of a dictionary keys and values in turn; of an array of objects the list of them; of a sparse matrix the dictionary of its
  // parts.  They may lead back to the value itself: follow them to a fixed depth.
  std::vector<const PickleValue*> items;
  std::unique_ptr<Array> array;            // of an array of numbers or texts, and of a type; its elements lie in the pickle

  bool is_text(std::string_view wanted) const { return (kind == PickleKind::text || kind == PickleKind::bytes) && text == wanted; }  // Python 2 wrote texts as bytes
};

// One pickled value and what it is made of, which live as long as the pickle.  Protocols 0 to 5 without persistent ids, out-of-band buffers, sets
// and extension codes.  Nesting is no recursion here, so its depth is limited by the memory alone; O(bytes), about 100 times that at worst.
// Throws Fault::input, naming `place` and the byte, for a class or function that is not on the list (pickle_objects.cpp), by its name, and for
// bytes that are no pickle; Fault::memory.
class Pickle {
 public:
  Pickle(std::string bytes, std::string place, const Context& context);
  Pickle(const Pickle&) = delete;
  Pickle& operator=(const Pickle&) = delete;
  const PickleValue& root() const { return *root_; }
  const std::string& place() const { return place_; }

  // The value of a key that is a text, the last where there are several; null where there is none.
  static const PickleValue* find(const PickleValue& dictionary, std::string_view key);

  // An array of numbers or texts.  Throws Fault::input for another value; `what` says which is meant.
  const Array& array(const PickleValue& value, std::string_view what) const;
  // A csr matrix, or an array of numbers with two dimensions, without its zeros.  Throws Fault::input, and Fault::memory.
  SparseMatrix matrix(const PickleValue& value, std::string_view what) const;

 private:
  friend class PickleMachine;

  std::string bytes_, place_;
  Context context_;
  std::deque<PickleValue> values_;
  std::deque<std::string> decoded_;  // texts that are not in the bytes as they are
  const PickleValue* root_ = nullptr;
};

}  // namespace calor::io

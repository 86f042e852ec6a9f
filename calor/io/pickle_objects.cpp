// Which classes and functions a pickle may name, and what comes of them.
#include <algorithm>

#include "calor/core/error.h"
#include "calor/io/npy.h"
#include "calor/io/pickle_machine.h"

namespace calor::io {

namespace {

struct Known {
  std::string_view module, name;
  Global global;
};

// All that may be named, as Python 2 and 3, and numpy and scipy before and after their modules moved, name it.
constexpr Known known_globals[] = {
    {"collections", "defaultdict", Global::defaultdict},
    {"__builtin__", "list", Global::list},
    {"builtins", "list", Global::list},
    {"__builtin__", "object", Global::object},
    {"builtins", "object", Global::object},
    {"__builtin__", "bytes", Global::bytes},
    {"builtins", "bytes", Global::bytes},
    {"_codecs", "encode", Global::encode},
    {"copy_reg", "_reconstructor", Global::reconstructor},
    {"copyreg", "_reconstructor", Global::reconstructor},
    {"numpy", "ndarray", Global::ndarray},
    {"numpy", "dtype", Global::dtype},
    {"numpy.core.multiarray", "_reconstruct", Global::reconstruct},
    {"numpy._core.multiarray", "_reconstruct", Global::reconstruct},
    {"numpy.core.numeric", "_frombuffer", Global::frombuffer},
    {"numpy._core.numeric", "_frombuffer", Global::frombuffer},
    {"scipy.sparse.csr", "csr_matrix", Global::csr},
    {"scipy.sparse._csr", "csr_matrix", Global::csr},
    {"scipy.sparse._csr", "csr_array", Global::csr},
};

}  // namespace

void PickleMachine::global(std::string_view module, std::string_view name) {
  const auto found = std::ranges::find_if(known_globals, [&](const Known& known) { return known.module == module && known.name == name; });
  if (found == std::end(known_globals))
    refuse("numbers, texts, lists, dictionaries, numpy arrays and csr matrices alone", fmt::format("\"{}.{}\"", module.substr(0, 80), name.substr(0, 80)),
        foreign_pickle);
  PickleValue& value = make(PickleKind::global);
  value.whole = static_cast<std::int64_t>(found->global);
  value.text = found->name;
}

void PickleMachine::call(const PickleValue& function, const std::vector<const PickleValue*>& arguments) {
  const auto argument = [&](std::size_t i) -> const PickleValue& {
    if (i >= arguments.size()) refuse(fmt::format("argument {} of {}", i + 1, function.text), "none");
    return *arguments[i];
  };
  switch (static_cast<Global>(function.whole)) {
    case Global::defaultdict: make(PickleKind::dictionary); return;
    case Global::bytes:
      if (!arguments.empty()) break;
      make(PickleKind::bytes);
      return;
    case Global::encode: {
      expect(argument(0), PickleKind::text, "bytes");
      if (!argument(1).is_text("latin1") && !argument(1).is_text("latin-1")) break;
      make(PickleKind::bytes).text = latin1(argument(0).text);
      return;
    }
    case Global::reconstructor:
      if (!is_global(argument(0), Global::csr)) break;
      make(PickleKind::sparse);
      return;
    case Global::reconstruct:
      if (!is_global(argument(0), Global::ndarray)) break;
      make(PickleKind::array);
      return;
    case Global::dtype: set_type(make(PickleKind::type), argument(0), "<"); return;
    case Global::frombuffer: {
      const PickleValue &buffer = argument(0), &type = argument(1), &shape = argument(2), &order = argument(3);
      set_array(make(PickleKind::array), type, shape, order.is_text("F"), buffer);
      return;
    }
    default: break;
  }
  refuse("a call that makes an array or a dictionary", fmt::format("a call of {}", function.text), foreign_pickle);
}

// Code points below 256 as bytes: so Python 3 writes bytes in the protocols of Python 2.
std::string_view PickleMachine::latin1(std::string_view utf8) {
  if (std::ranges::all_of(utf8, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return utf8;
  charge(utf8.size());
  std::string plain;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto first = static_cast<unsigned char>(utf8[i]), second = static_cast<unsigned char>(i + 1 < utf8.size() ? utf8[i + 1] : 0);
    if (first < 0x80) {
      plain += utf8[i];
      continue;
    }
    if ((first != 0xC2 && first != 0xC3) || (second & 0xC0) != 0x80) refuse("characters of latin1 as bytes", "others");
    plain += static_cast<char>(first << 6 | (second & 0x3F));
    ++i;
  }
  return keep(std::move(plain));
}

// A type without `array` is that of Python objects.
void PickleMachine::set_type(PickleValue& type, const PickleValue& name, std::string_view order) {
  if (name.kind != PickleKind::text && name.kind != PickleKind::bytes) refuse("a type's name", name_of(name.kind));
  type.text = name.text;
  type.array.reset();
  if (name.text == "O" || name.text == "O8" || name.text == "O4") return;
  Array element;
  if (!set_element(fmt::format("{}{}", order, name.text.substr(0, 20)), element))
    refuse("an array of numbers (b1, i1-i8, u1-u8, f2-f8), texts (S, U) or objects (O)", fmt::format("type \"{}\"", name.text.substr(0, 20)), foreign_pickle);
  charge(sizeof(Array));
  type.array = std::make_unique<Array>(std::move(element));
}

void PickleMachine::set_array(PickleValue& value, const PickleValue& type, const PickleValue& shape, bool fortran, const PickleValue& content) {
  expect(type, PickleKind::type, "an array's type");
  expect(shape, PickleKind::tuple, "an array's shape");
  constexpr std::size_t most_dimensions = 32;
  std::vector<std::int64_t> sizes;
  for (const PickleValue* const size : shape.items) {
    expect(*size, PickleKind::whole, "a dimension");
    if (size->whole < 0 || sizes.size() == most_dimensions) refuse("a shape of at most 32 dimensions, none below 0", fmt::format("{}", size->whole));
    sizes.push_back(size->whole);
  }
  value.items.clear();
  value.array.reset();
  if (!type.array) {
    expect(content, PickleKind::list, "an array's objects");
    value.items = {&content};
    return;
  }
  expect(content, PickleKind::bytes, "an array's elements");
  charge(sizeof(Array) + sizes.size() * sizeof(std::int64_t));
  Array array = *type.array;
  array.fortran = fortran;
  array.shape = std::move(sizes);
  array.data = content.text;
  const bool empty = array.data.empty() && std::ranges::find(array.shape, 0) != array.shape.end();
  if (!empty) check_bytes(array.shape, array.size, array.data.size(), "pickle", fmt::format("{}, byte {}", pickle_.place_, opcode_at_ + 1));
  value.array = std::make_unique<Array>(std::move(array));
}

void PickleMachine::build(PickleValue& value, const PickleValue& state) {
  if (value.kind == PickleKind::sparse) {
    expect(state, PickleKind::dictionary, "a matrix's state");
    value.items = {&state};
    return;
  }
  if (value.kind != PickleKind::array && value.kind != PickleKind::type) refuse("an array or a sparse matrix to build", name_of(value.kind), foreign_pickle);
  expect(state, PickleKind::tuple, "its state");
  const std::vector<const PickleValue*>& parts = state.items;
  if (value.kind == PickleKind::array) {  // version, shape, type, Fortran order, elements
    if (parts.size() != 5) refuse("an array's state of 5 parts", fmt::format("{}", parts.size()));
    set_array(value, *parts[2], *parts[1], parts[3]->whole != 0, *parts[4]);
    return;
  }
  // version, byte order, base, names and fields of records, sizes, flags
  if (parts.size() < 8) refuse("a type's state of 8 parts", fmt::format("{}", parts.size()));
  for (const std::size_t part : {2, 3, 4})
    if (parts[part]->kind != PickleKind::none) refuse("an array of numbers or texts", "one of records", foreign_pickle);
  PickleValue name;
  name.kind = PickleKind::text;
  name.text = value.text;
  set_type(value, name, parts[1]->is_text(">") ? ">" : "<");
}

}  // namespace calor::io

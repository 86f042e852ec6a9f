// What is taken from a pickle that was read.
#include <algorithm>

#include "calor/core/error.h"
#include "calor/io/number.h"
#include "calor/io/pickle_machine.h"
#include "calor/io/sparse_assembly.h"

namespace calor::io {

std::string_view name_of(PickleKind kind) {
  constexpr std::string_view names[] = {"None", "a truth value", "a whole number", "a fraction", "bytes", "a text", "a list", "a tuple", "a dictionary", "an array",
                                        "a sparse matrix", "a class or function", "a numpy dtype"};
  return names[static_cast<std::size_t>(kind)];
}

const PickleValue* Pickle::find(const PickleValue& dictionary, std::string_view key) {
  for (std::size_t i = dictionary.items.size(); i >= 2; i -= 2)
    if (dictionary.items[i - 2]->is_text(key)) return dictionary.items[i - 1];
  return nullptr;
}

const Array& Pickle::array(const PickleValue& value, std::string_view what) const {
  require(value.kind == PickleKind::array && value.array, Fault::input, "[pickle] expected an array of numbers or texts as {}, found {} ({}): {}", what,
          value.kind == PickleKind::array ? "one of other things" : name_of(value.kind), place_, foreign_pickle);
  return *value.array;
}

namespace {

// A list of whole numbers from 0 to `most`.
template <class T>
std::vector<T> indices_of(const Array& array, std::int64_t most, std::string_view name, const std::string& place, const Context& context) {
  require(array.shape.size() == 1 && (array.element == Element::integer || array.element == Element::natural), Fault::input,
          "[pickle] expected a list of whole numbers as {}, found {} of shape ({}) ({}): {}", name,
          array.element == Element::real ? "fractions" : "an array", fmt::join(array.shape, ", "), place, damaged_pickle);
  const std::vector<double> values = array_values(array, place, context);
  std::vector<T> whole(values.size());
  for (std::size_t e = 0; e < values.size(); ++e) {
    if (values[e] < 0 || values[e] > static_cast<double>(most))
      fail(Fault::input, "[pickle] expected {} from 0 to {}, found {} ({}, entry {}): {}", name, most, format_number(values[e]), place, e + 1, damaged_pickle);
    whole[e] = static_cast<T>(values[e]);
  }
  return whole;
}

}  // namespace

SparseMatrix Pickle::matrix(const PickleValue& value, std::string_view what) const {
  const std::string place = fmt::format("{}, {}", place_, what);
  if (value.kind == PickleKind::array) {
    const Array& dense = array(value, what);
    require(dense.shape.size() == 2, Fault::input,
            "[pickle] expected a matrix as {}, found shape ({}) ({}): {}", what, fmt::join(dense.shape, ", "), place_, foreign_pickle);
    check_sparse_size(dense.shape[0], dense.shape[1], static_cast<std::uint64_t>(dense.shape[0] * dense.shape[1]), 0, "pickle", place, context_);
    return sparse_of(array_values(dense, place, context_), dense.shape[0], dense.shape[1]);
  }
  require(value.kind == PickleKind::sparse && !value.items.empty(), Fault::input, "[pickle] expected a csr matrix as {}, found {} ({}): {}", what,
          value.kind == PickleKind::sparse ? "one without content" : name_of(value.kind), place_, foreign_pickle);
  const PickleValue& state = *value.items[0];
  const auto part = [&](std::string_view name) -> const PickleValue& {
    const PickleValue* found = find(state, name);
    if (!found && name == "_shape") found = find(state, "shape");
    require(found, Fault::input, "[pickle] expected \"{}\" in the matrix, found none ({}): {}", name, place, damaged_pickle);
    return *found;
  };
  const PickleValue& shape = part("_shape");
  require(shape.kind == PickleKind::tuple && shape.items.size() == 2 && shape.items[0]->kind == PickleKind::whole && shape.items[1]->kind == PickleKind::whole, Fault::input,
          "[pickle] expected a shape of two whole numbers, found another ({}): {}", place, damaged_pickle);
  Compressed compressed;
  compressed.rows = shape.items[0]->whole;
  compressed.columns = shape.items[1]->whole;
  const Array& data = array(part("data"), "data");
  require(data.shape.size() == 1, Fault::input,
          "[pickle] expected a list of values, found shape ({}) ({}): {}", fmt::join(data.shape, ", "), place, damaged_pickle);
  check_sparse_size(compressed.rows, compressed.columns, static_cast<std::uint64_t>(data.rows()), 2 * sizeof(double), "pickle", place, context_);
  compressed.value = array_values(data, place, context_);
  compressed.index = indices_of<std::int32_t>(array(part("indices"), "indices"), compressed.columns - 1, "indices", place, context_);
  compressed.begin = indices_of<std::int64_t>(array(part("indptr"), "indptr"), data.rows(), "row pointers", place, context_);
  return assemble(std::move(compressed), "pickle", place);
}

}  // namespace calor::io

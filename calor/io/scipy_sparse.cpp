#include "calor/io/scipy_sparse.h"

#include <algorithm>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/npy.h"
#include "calor/io/sparse_assembly.h"

namespace calor::io {

namespace {

const ZipEntry* find_entry(const std::vector<ZipEntry>& entries, std::string_view name) {
  const auto found = std::ranges::find_if(entries, [&](const ZipEntry& entry) {
    return entry.name.size() == name.size() + 4 && entry.name.starts_with(name) && entry.name.ends_with(".npy");
  });
  return found == entries.end() ? nullptr : &*found;
}

// An array of the archive, and the bytes that it lies in.
struct Part {
  std::string place, bytes;
  Array array;
};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& prefix, const std::string& place, const Context& context)
      : bytes_(bytes), entries_(zip_entries(bytes, place)), prefix_(prefix), place_(place), context_(context) {}

  SparseMatrix read() const {
    const std::string format = prefix_.empty() ? format_name() : "csr";
    const auto [rows, columns] = shape();
    if (format == "coo") return coordinates(rows, columns);
    return compressed(rows, columns, format == "csc");
  }

 private:
  Part part(std::string_view plain) const {
    const std::string name = fmt::format("{}{}", prefix_, plain);
    const ZipEntry* entry = find_entry(entries_, name);
    require(entry, Fault::input,
            "[scipy] expected an array \"{}\", found none ({}): write the file with scipy.sparse.save_npz", name, place_);
    Part part{fmt::format("{}, array \"{}\"", place_, name), zip_content(bytes_, *entry, place_, context_), {}};
    part.array = parse_any_npy(part.bytes, part.place);
    return part;
  }

  // Bytes in an old file, UTF-32 in a file of Python 3 text: the same letters between zeros.
  std::string format_name() const {
    const Part format = part("format");
    const bool text = format.array.element == Element::bytes || format.array.element == Element::unicode;
    std::string name;
    if (text && format.array.shape.empty()) std::ranges::copy_if(format.array.data, std::back_inserter(name), [](char c) { return c != '\0'; });
    const std::vector<std::string> others{"bsr", "dia", "lil", "dok"};
    require(std::ranges::find(others, name) == others.end(), Fault::input,
            "[scipy] expected a matrix in csr, csc or coo format, found {} ({}): convert it with .tocsr() before save_npz", name, place_);
    require(name == "csr" || name == "csc" || name == "coo", Fault::input,
            "[scipy] expected csr, csc or coo as format, found {} ({}): write the file with scipy.sparse.save_npz",
            text && name.size() < 8 ? fmt::format("\"{}\"", name) : "no such text", format.place);
    return name;
  }

  // Whole numbers in a list; one that no double holds comes out as the largest one, which fits nowhere.
  std::vector<std::int64_t> whole_numbers(const Part& part) const {
    const Array& array = part.array;
    require(array.shape.size() == 1 && (array.element == Element::integer || array.element == Element::natural), Fault::input,
            "[scipy] expected a list of whole numbers, found {} of shape ({}) ({}): the file is damaged; write it again",
            array.element == Element::integer || array.element == Element::natural ? "an array" : "other elements",
            fmt::join(array.shape, ", "), part.place);
    const std::vector<double> values = array_values(array, part.place, context_);
    std::vector<std::int64_t> whole(values.size());
    std::ranges::transform(values, whole.begin(), [](double value) {
      constexpr double largest_exact = 0x1p53;
      return value > largest_exact ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(value);
    });
    return whole;
  }

  std::pair<std::int64_t, std::int64_t> shape() const {
    const Part shape = part("shape");
    const std::vector<std::int64_t> sizes = whole_numbers(shape);
    require(sizes.size() == 2, Fault::input, "[scipy] expected a matrix, found {} dimension{} ({}): save a matrix of two dimensions", sizes.size(),
            sizes.size() == 1 ? "" : "s", shape.place);
    return {sizes[0], sizes[1]};
  }

  // Indices that are to be below `count`, in the 32 bits that hold them.
  std::vector<std::int32_t> indices(const char* name, std::int64_t count) const {
    const Part indices = part(name);
    const std::vector<std::int64_t> whole = whole_numbers(indices);
    std::vector<std::int32_t> narrow(whole.size());
    for (std::size_t e = 0; e < whole.size(); ++e) {
      require(whole[e] >= 0 && whole[e] < count, Fault::input,
              "[scipy] expected indices from 0 to {}, found {} ({}, entry {}): the file is damaged; write it again", count - 1, whole[e], indices.place, e + 1);
      narrow[e] = static_cast<std::int32_t>(whole[e]);
    }
    return narrow;
  }

  // The values, once it is known that they and the matrix fit.
  std::vector<double> values(std::int64_t rows, std::int64_t columns) const {
    const Part data = part("data");
    require(data.array.shape.size() == 1, Fault::input, "[scipy] expected a list of values, found shape ({}) ({}): the file is damaged; write it again",
            fmt::join(data.array.shape, ", "), data.place);
    const auto entries = static_cast<std::uint64_t>(data.array.rows());
    constexpr std::uint64_t as_read = 2 * sizeof(double);  // bytes of an index array while it is converted
    check_sparse_size(rows, columns, entries, as_read, "scipy", place_, context_);
    return array_values(data.array, data.place, context_);
  }

  void check_count(const std::vector<std::int32_t>& found, std::size_t values, const char* name) const {
    require(found.size() == values, Fault::input, "[scipy] expected as many indices as values, {}, found {} ({}, array \"{}\"): the file is damaged; write it again",
            values, found.size(), place_, prefix_ + name);
  }

  SparseMatrix coordinates(std::int64_t rows, std::int64_t columns) const {
    Triplets triplets{rows, columns, {}, {}, values(rows, columns)};
    triplets.row = indices("row", rows);
    check_count(triplets.row, triplets.value.size(), "row");
    triplets.column = indices("col", columns);
    check_count(triplets.column, triplets.value.size(), "col");
    return assemble(std::move(triplets), "scipy", place_);
  }

  SparseMatrix compressed(std::int64_t rows, std::int64_t columns, bool by_columns) const {
    Compressed matrix{rows, columns, by_columns, {}, {}, values(rows, columns)};
    matrix.index = indices("indices", by_columns ? rows : columns);
    check_count(matrix.index, matrix.value.size(), "indices");
    matrix.begin = whole_numbers(part("indptr"));
    return assemble(std::move(matrix), "scipy", place_);
  }

  std::string_view bytes_;
  std::vector<ZipEntry> entries_;
  const std::string prefix_;  // of the names of arrays
  const std::string& place_;
  const Context& context_;
};

}  // namespace

bool is_scipy_sparse(const std::vector<ZipEntry>& entries) {
  return find_entry(entries, "format") && find_entry(entries, "shape") && find_entry(entries, "data");
}

SparseMatrix parse_scipy_sparse(std::string_view zip_bytes, const std::string& place, const Context& context) {
  return Reader(zip_bytes, {}, place, context).read();
}

SparseMatrix parse_prefixed_csr(std::string_view zip_bytes, const std::string& prefix, const std::string& place, const Context& context) {
  return Reader(zip_bytes, prefix, place, context).read();
}

}  // namespace calor::io

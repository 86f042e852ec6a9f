#include "calor/io/container.h"

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/array.h"
#include "calor/io/idx.h"
#include "calor/io/npy.h"
#include "calor/io/number.h"
#include "calor/io/roles.h"
#include "calor/io/zip.h"

namespace calor::io {
namespace {

// A table of numbers; its label is one of its columns, unless there are labels of their own.
Dataset data_of_array(const Array& array, const std::string& place, const LoadOptions& options, const std::optional<LabelsBeside>& beside, const Context& context) {
  const bool wants_label = options.labels == LabelUse::expected && !beside && !options.known() && !options.label;
  require(!wants_label, Fault::input,
          "[data] expected labels, found an array of {} columns without names ({}): name the label column with --label (1 to {}, or -1 for the last), or a labels file "
          "after a comma",
          array.columns(), place, array.columns());
  Table table = table_of_numbers(array_values(array, place, context, options.missing != Missing::refuse), generic_names(array.columns()), false);
  Dataset data = data_of_table(std::move(table), options, place, beside, [&](std::int64_t column) { return array_labels(array, column); });
  data.floats = array.element == Element::real && array.size < sizeof(double);
  return data;
}

const ZipEntry* find_entry(const std::vector<ZipEntry>& entries, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    for (const ZipEntry& entry : entries)
      if (entry.name == name + ".npy") return &entry;
  return nullptr;
}

std::string array_name(const ZipEntry& entry) { return entry.name.ends_with(".npy") ? entry.name.substr(0, entry.name.size() - 4) : entry.name; }

Dataset data_of_npz(const File& file, const LoadOptions& options, const std::optional<LabelsBeside>& beside, const Context& context) {
  const std::vector<ZipEntry> entries = zip_entries(file.bytes, file.path);
  std::vector<std::string> names;
  for (const ZipEntry& entry : entries) names.push_back(array_name(entry));
  const bool workbook = std::ranges::find(names, "xl/workbook.xml") != names.end();
  require(!workbook, Fault::input, "[data] expected a table or arrays, found an Excel workbook ({}): save it as csv", file.path);
  const bool arrays = std::ranges::any_of(entries, [](const ZipEntry& entry) { return entry.name.ends_with(".npy"); });
  require(arrays, Fault::input, "[data] expected a npz file of arrays, found a zip archive of {} ({}): unpack it, and give the file inside",
          names.empty() ? "nothing" : list_names(names, 4), file.path);

  const ZipEntry* points = find_entry(entries, {"X", "x", "data"});
  require(points, Fault::input, "[npz] expected an array named X, x or data, found {} ({}): save it with numpy.savez(file, X=..., y=...)", list_names(names), file.path);
  const auto where = [&](const ZipEntry& entry) { return fmt::format("{}, array \"{}\"", file.path, array_name(entry)); };
  std::optional<LabelsBeside> labels = beside;
  if (options.labels != LabelUse::none && options.label != "none" && !labels) {
    const ZipEntry* classes = options.label ? find_entry(entries, {*options.label}) : nullptr;
    if (!classes) classes = find_entry(entries, {"y", "labels", "target"});
    require(classes || options.label || options.known() || options.labels == LabelUse::shown, Fault::input,
            "[npz] expected labels in an array named y, labels or target, found {} ({}): name the array with --label", list_names(names), file.path);
    if (classes)
      labels = LabelsBeside{array_name(*classes), labels_of_container({where(*classes), zip_content(file.bytes, *classes, file.path, context), ""})};
  }
  const std::string content = zip_content(file.bytes, *points, file.path, context);
  Dataset data = data_of_array(parse_npy(content, where(*points)), where(*points), options, labels, context);
  data.reading.format = "npz";
  return data;
}

}  // namespace

bool is_container(std::string_view bytes) { return is_zip(bytes) || is_npy(bytes) || is_idx(bytes); }

Dataset parse_container(const File& file, const LoadOptions& options, const std::optional<LabelsBeside>& beside, const Context& context) {
  if (is_zip(file.bytes)) return data_of_npz(file, options, beside, context);
  const bool npy = is_npy(file.bytes);
  const Array array = npy ? parse_npy(file.bytes, file.path) : parse_idx(file.bytes, file.path);
  require(npy || array.shape.size() > 1 || beside || options.labels != LabelUse::expected, Fault::input,
          "[idx] expected images, found a list of {} values ({}): give the images file; its labels are found beside it", array.rows(), file.path);
  Dataset data = data_of_array(array, file.path, options, beside, context);
  data.reading.format = npy ? "npy" : "idx";
  return data;
}

LabelTexts labels_of_container(const File& file) {
  require(is_npy(file.bytes) || is_idx(file.bytes), Fault::input, "[data] expected labels as csv, npy or idx, found another kind of file ({}): convert it", file.path);
  const Array array = is_npy(file.bytes) ? parse_npy(file.bytes, file.path) : parse_idx(file.bytes, file.path);
  require(array.columns() == 1, Fault::input, "[data] expected one label a row, found {} columns ({}): give a file with the labels alone", array.columns(), file.path);
  return array_labels(array, 0);
}

Dataset data_of_sparse(SparseMatrix&& matrix, std::vector<std::string> features, const std::optional<LabelsBeside>& beside, const LoadOptions& options, const std::string& place,
                       const Context& context) {
  Dataset data;
  data.rows = matrix.rows;
  data.columns = matrix.columns;
  data.features = std::move(features);
  data.coding = numbers_named(data.features);
  if (beside && options.labels == LabelUse::shown && !options.label && looks_measured(beside->texts)) {
    data.reading.notes.push_back(fmt::format("the label \"{}\" holds measured values, which are left out here", beside->name));
  } else if (beside && options.labels != LabelUse::none) {
    data.label = beside->name;
    set_labels(data, beside->texts, options, place);
  }
  if (options.sparse) {
    data.sparse = std::make_shared<const SparseMatrix>(std::move(matrix));
    return data;
  }
  const std::uint64_t bytes = static_cast<std::uint64_t>(matrix.rows) * static_cast<std::uint64_t>(matrix.columns) * sizeof(double);
  context.memory.require(bytes, "data", fmt::format("{} columns of {} rows of {}, made dense", matrix.columns, matrix.rows, place), "use fewer rows or columns, or raise --max-memory");
  data.values.resize(static_cast<std::size_t>(matrix.rows * matrix.columns));
  for (std::int64_t i = 0; i < matrix.rows; ++i)
    for (std::int64_t e = matrix.begin[static_cast<std::size_t>(i)]; e < matrix.begin[static_cast<std::size_t>(i) + 1]; ++e)
      data.values[static_cast<std::size_t>(i * matrix.columns + matrix.column[static_cast<std::size_t>(e)])] = matrix.value[static_cast<std::size_t>(e)];
  return data;
}

}  // namespace calor::io

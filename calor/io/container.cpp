#include "calor/io/container.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/array.h"
#include "calor/io/file_options.h"
#include "calor/io/hdf5.h"
#include "calor/io/idx.h"
#include "calor/io/npy.h"
#include "calor/io/number.h"
#include "calor/io/roles.h"
#include "calor/io/scipy_sparse.h"
#include "calor/io/sparse_assembly.h"
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
  Table table = table_of_numbers(array_values(array, place, context, options.missing == Missing::refuse ? Gaps::fillable : Gaps::kept), generic_names(array.columns()), false);
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

[[noreturn]] void fail_no_array(const std::string& label, const std::vector<std::string>& names, std::int64_t columns, const std::string& place) {
  const std::string nearest = nearest_name(label, names);
  fail(Fault::input, "[npz] expected an array for --label ({}), or a column of the points from 1 to {}, found \"{}\" ({}): {}", list_names(names), columns, label, place,
       nearest.empty() ? "name one of the arrays" : fmt::format("did you mean \"{}\"?", nearest));
}

Dataset data_of_npz(const File& file, const LoadOptions& options, const std::optional<LabelsBeside>& beside, const Context& context) {
  const std::vector<ZipEntry> entries = zip_entries(file.bytes, file.path);
  std::vector<std::string> names;
  for (const ZipEntry& entry : entries) names.push_back(array_name(entry));
  const bool workbook = std::ranges::find(names, "xl/workbook.xml") != names.end();
  require(!workbook, Fault::input, "[data] expected a table or arrays, found an Excel workbook ({}): save it as csv", file.path);
  if (is_scipy_sparse(entries)) {
    check_options(sparse_matrix, options, beside.has_value(), file.path);
    require(beside || options.labels != LabelUse::expected || options.label == "none" || options.known(), Fault::input,
            "[npz] expected labels, found a sparse matrix alone ({}): name a labels file after a comma, as in matrix.npz,labels.csv", file.path);
    SparseMatrix matrix = parse_scipy_sparse(file.bytes, file.path, context);
    const std::int64_t columns = matrix.columns;
    Dataset data = data_of_sparse(std::move(matrix), generic_names(columns), beside, options, file.path, context);
    data.reading.format = "scipy.sparse npz";
    return data;
  }
  const bool arrays = std::ranges::any_of(entries, [](const ZipEntry& entry) { return entry.name.ends_with(".npy"); });
  require(arrays, Fault::input, "[data] expected a npz file of arrays, found a zip archive of {} ({}): unpack it, and give the file inside",
          names.empty() ? "nothing" : list_names(names, 4), file.path);

  const ZipEntry* points = find_entry(entries, {"X", "x", "data"});
  require(points, Fault::input, "[npz] expected an array named X, x or data, found {} ({}): save it with numpy.savez(file, X=..., y=...)", list_names(names), file.path);
  check_options(array_file, options, beside.has_value(), file.path);
  const auto where = [&](const ZipEntry& entry) { return fmt::format("{}, array \"{}\"", file.path, array_name(entry)); };
  const std::string content = zip_content(file.bytes, *points, file.path, context);
  const Array array = parse_npy(content, where(*points));
  std::optional<LabelsBeside> labels = beside;
  if (options.labels != LabelUse::none && options.label != "none" && !labels) {
    const ZipEntry* classes = options.label ? find_entry(entries, {*options.label}) : nullptr;
    const bool column = !classes && options.label && column_position(*options.label, array.columns());
    if (!classes && asks_label(options) && !column) fail_no_array(*options.label, names, array.columns(), file.path);
    if (!classes && !column) classes = find_entry(entries, {"y", "labels", "target"});
    require(classes || options.label || options.known() || options.labels == LabelUse::shown, Fault::input,
            "[npz] expected labels in an array named y, labels or target, found {} ({}): name the array with --label", list_names(names), file.path);
    if (classes)
      labels = LabelsBeside{array_name(*classes), labels_of_container({where(*classes), zip_content(file.bytes, *classes, file.path, context), ""}), where(*classes)};
  }
  Dataset data = data_of_array(array, where(*points), options, labels, context);
  data.reading.format = "npz";
  return data;
}

// Annotations as a table of texts, of which one may be the label.
std::optional<LabelsBeside> annotated_labels(const AnnotatedMatrix& matrix, const LoadOptions& options, const std::string& place) {
  std::vector<std::string> names;
  for (const Annotation& annotation : matrix.annotations) names.push_back(annotation.name);
  const Annotation* chosen = nullptr;
  if (options.label == "none" || options.labels == LabelUse::none) return std::nullopt;
  if (options.label) {
    const auto found = std::ranges::find(names, *options.label);
    const std::string nearest = nearest_name(*options.label, names);
    const bool optional = !asks_label(options);
    require(found != names.end() || optional, Fault::input, "[h5] expected one of the columns of obs for --label ({}), found \"{}\" ({}){}",
            names.empty() ? "there are none" : list_names(names), *options.label, place, nearest.empty() ? "" : fmt::format(": did you mean \"{}\"?", nearest));
    if (found == names.end()) return std::nullopt;
    chosen = &matrix.annotations[static_cast<std::size_t>(found - names.begin())];
  }
  for (const Annotation& annotation : matrix.annotations)
    if (!chosen && options.labels == LabelUse::expected && is_label_name(annotation.name)) chosen = &annotation;
  if (!chosen) {
    std::vector<const Annotation*> words;
    for (const Annotation& annotation : matrix.annotations)
      if (annotation.text) words.push_back(&annotation);
    if (words.size() == 1) chosen = words.front();
  }
  require(chosen || options.labels != LabelUse::expected || options.known(), Fault::input, "[h5] expected a label, found {} ({}): name a column of obs with --label",
          names.empty() ? "no columns of obs" : fmt::format("the columns of obs {}", list_names(names)), place);
  if (!chosen) return std::nullopt;
  LabelsBeside labels{chosen->name, LabelTexts("row"), fmt::format("{}, obs", place)};
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    const auto row = static_cast<std::size_t>(i);
    labels.texts.add(chosen->text ? chosen->texts[row] : std::isnan(chosen->numbers[row]) ? std::string() : format_number(chosen->numbers[row]), i + 1);
  }
  return labels;
}

Dataset data_of_hdf5(const File& file, const LoadOptions& options, const std::optional<LabelsBeside>& beside, const Context& context) {
  AnnotatedMatrix matrix = parse_hdf5(file.bytes, file.path, {options.layer, options.obsm}, context);
  check_options(matrix.sparse ? sparse_h5 : dense_h5, options, beside.has_value(), file.path);
  const std::optional<LabelsBeside> labels = beside ? beside : annotated_labels(matrix, options, file.path);
  std::vector<std::string> names = matrix.column_names.empty() ? generic_names(matrix.columns) : std::move(matrix.column_names);
  std::vector<std::string> left_out = std::move(matrix.left_out);
  for (const Annotation& annotation : matrix.annotations)
    if (!labels || annotation.name != labels->name) left_out.push_back(annotation.name);
  Dataset data;
  const bool named = options.names == "none";
  if (matrix.sparse) {
    data = data_of_sparse(std::move(*matrix.sparse), std::move(names), labels, options, file.path, context);
  } else {
    LoadOptions chosen = options;
    chosen.names = "none";
    if (!labels) chosen.labels = LabelUse::none;
    data = data_of_table(table_of_numbers(std::move(matrix.dense), std::move(names), true), chosen, file.path, labels);
  }
  if (!named && !matrix.row_names.empty()) {
    data.row_names = std::move(matrix.row_names);
    data.row_names_column = "obs";
  }
  data.reading.format = "h5";
  data.reading.left_out.insert(data.reading.left_out.end(), left_out.begin(), left_out.end());
  return data;
}

}  // namespace

bool is_container(std::string_view bytes) { return is_zip(bytes) || is_npy(bytes) || is_idx(bytes) || is_hdf5(bytes); }

Dataset parse_container(const File& file, const LoadOptions& options, const std::optional<LabelsBeside>& beside, const Context& context) {
  if (is_hdf5(file.bytes)) return data_of_hdf5(file, options, beside, context);
  if (is_zip(file.bytes)) return data_of_npz(file, options, beside, context);
  const bool npy = is_npy(file.bytes);
  const Array array = npy ? parse_npy(file.bytes, file.path) : parse_idx(file.bytes, file.path);
  require(npy || array.shape.size() > 1 || beside || options.labels != LabelUse::expected, Fault::input,
          "[idx] expected images, found a list of {} values ({}): give the images file; its labels are found beside it", array.rows(), file.path);
  check_options(array_file, options, beside.has_value(), file.path);
  Dataset data = data_of_array(array, file.path, options, beside, context);
  data.reading.format = npy ? "npy" : "idx";
  return data;
}

LabelTexts labels_of_container(const File& file) {
  require(is_npy(file.bytes) || is_idx(file.bytes), Fault::input, "[data] expected labels as csv, npy or idx, found another kind of file ({}): convert it", file.path);
  const Array array = is_npy(file.bytes) ? parse_npy(file.bytes, file.path) : parse_idx(file.bytes, file.path);
  require(array.columns() == 1, Fault::input, "[data] expected one label per row, found {} columns ({}): give a file with the labels alone", array.columns(), file.path);
  return array_labels(array, 0);
}

// The columns that --features or a saved model names, in their order.
static void choose_columns(SparseMatrix& matrix, Dataset& data, const LoadOptions& options, const std::string& place) {
  std::vector<std::int64_t> columns(static_cast<std::size_t>(matrix.columns));
  std::iota(columns.begin(), columns.end(), std::int64_t{0});
  if (options.known()) {
    const std::vector<std::string> wanted = options.coding.inputs();
    auto found = columns_by_name(data.features, data.features != generic_names(matrix.columns), wanted, place);
    require(found || static_cast<std::int64_t>(wanted.size()) == matrix.columns, Fault::input,
            "[data] expected {} feature columns as the model was trained on, found {} columns ({}): give the same columns in the same order", wanted.size(), matrix.columns, place);
    if (!found) return;
    columns = *std::move(found);
  } else if (options.select.empty()) {
    return;
  } else {
    columns = selected_columns(data.features, std::move(columns), options, place);
    require(!columns.empty(), Fault::input, "[data] expected feature columns, found none ({}): check --features", place);
  }
  std::vector<bool> kept(data.features.size());
  std::vector<std::string> names;
  for (const std::int64_t c : columns) {
    kept[static_cast<std::size_t>(c)] = true;
    names.push_back(data.features[static_cast<std::size_t>(c)]);
  }
  for (std::size_t c = 0; c < kept.size(); ++c)
    if (!kept[c]) data.reading.left_out.push_back(data.features[c]);
  data.features = std::move(names);
  matrix = columns_of(matrix, columns);
}

Dataset data_of_sparse(SparseMatrix&& matrix, std::vector<std::string> features, const std::optional<LabelsBeside>& beside, const LoadOptions& options, const std::string& place,
                       const Context& context) {
  Dataset data;
  data.rows = matrix.rows;
  data.features = std::move(features);
  choose_columns(matrix, data, options, place);
  data.columns = matrix.columns;
  data.coding = numbers_named(data.features);
  if (beside && options.labels == LabelUse::shown && !options.label && looks_measured(beside->texts)) {
    data.reading.notes.push_back(fmt::format("the label \"{}\" holds measured values, which are left out here", beside->name));
  } else if (beside && options.labels != LabelUse::none) {
    data.label = beside->name;
    set_labels(data, beside->texts, options, beside->place);
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

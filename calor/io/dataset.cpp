#include "calor/io/dataset.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/array.h"
#include "calor/io/bundled.h"
#include "calor/io/columns.h"
#include "calor/io/csv.h"
#include "calor/io/gzip.h"
#include "calor/io/hash.h"
#include "calor/io/idx.h"
#include "calor/io/libsvm.h"
#include "calor/io/npy.h"
#include "calor/io/number.h"
#include "calor/io/output.h"
#include "calor/io/zip.h"

namespace calor::io {

namespace {

namespace fs = std::filesystem;

// A file as read: its bytes, unpacked where they were gzipped, and the hash of what is stored.
struct File {
  std::string path, bytes, hash;
};

// A file that is not there: perhaps a bundled name or a neighbouring file was meant.
[[noreturn]] void fail_missing(const std::string& path) {
  std::vector<std::string> names, neighbours;
  for (const BundledSet& set : bundled_sets()) names.push_back(set.name);
  std::error_code error;
  const fs::path folder = fs::path(path).parent_path();
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, error), end; !error && entry != end;
       entry.increment(error))
    neighbours.push_back((folder / entry->path().filename()).string());
  std::string meant = nearest_name(path, names);
  if (meant.empty()) meant = nearest_name(path, neighbours);
  fail(Fault::input, "[data] expected a file or a bundled name ({}), found neither ({}): {}", list_names(names), path,
       meant.empty() ? "check the name" : fmt::format("did you mean \"{}\"?", meant));
}

File read_source(const std::string& path, const Context& context) {
  std::error_code error;
  if (path != "-" && !fs::exists(path, error) && !error) fail_missing(path);
  if (const auto size = fs::file_size(path, error); !error)
    context.memory.require(size, "data", path, "use a smaller file, or raise --max-memory");
  File file{path, read_file(path), ""};
  require(!file.bytes.empty(), Fault::input,
          "[data] expected rows of data, found an empty file ({}): give a file with data", path);
  file.hash = sha256(file.bytes);
  if (is_gzip(file.bytes)) file.bytes = gunzip(file.bytes, path, context);
  return file;
}

// "data,labels" unless a file has that very name; the second is empty without one.
std::array<std::string, 2> split_pair(const std::string& source) {
  std::error_code error;
  const std::size_t comma = source.rfind(',');
  if (comma == std::string::npos || fs::exists(source, error)) return {source, ""};
  return {source.substr(0, comma), source.substr(comma + 1)};
}

// Without folder, ".gz" and one further suffix.
std::string short_name(const std::string& path) {
  if (path == "-") return "stdin";
  fs::path name = fs::path(path).filename();
  if (name.extension() == ".gz") name = name.stem();
  return name.stem().string();
}

// Labels from a file that holds nothing else.
LabelTexts read_labels(const File& file, const Context& context) {
  if (!is_npy(file.bytes) && !is_idx(file.bytes)) return parse_label_csv(file.bytes, file.path, context);
  const Array array = is_npy(file.bytes) ? parse_npy(file.bytes, file.path) : parse_idx(file.bytes, file.path);
  require(array.columns() == 1, Fault::input,
          "[data] expected one label a row, found {} columns ({}): give a file with the labels alone", array.columns(),
          file.path);
  return array_labels(array, 0);
}

// A labels file that was named, or the one beside an images file; an empty path: none.
std::string labels_path(const File& file, const std::string& named, const LoadOptions& options) {
  if (!options.labelled || !named.empty() || !is_idx(file.bytes)) return options.labelled ? named : "";
  const std::string beside = labels_name(file.path);
  if (!beside.empty() && fs::exists(beside)) return beside;
  const bool optional = !options.features.empty();
  require(optional || options.label, Fault::input,
          "[idx] expected a labels file beside the images{}, found none ({}): name it after a comma, "
          "as in images.gz,labels.gz",
          beside.empty() ? "" : fmt::format(", {}", beside), file.path);
  return "";
}

// Drops the columns of a row-major table that are no features.
void keep_features(std::vector<double>& values, const std::vector<std::int64_t>& roles) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (roles[i % roles.size()] >= 0) values[kept++] = values[i];
  values.resize(kept);
}

// A table of numbers; its label is one of its columns, unless there are labels of their own.
Dataset from_array(const Array& array, const std::string& place, const LoadOptions& options, bool has_labels,
                   const Context& context) {
  LoadOptions columns_options = options;
  columns_options.labelled = options.labelled && !has_labels;
  const bool wants_label = columns_options.labelled && options.features.empty();
  require(!wants_label || options.label, Fault::input,
          "[data] expected labels, found an array of {} columns without names ({}): name the label column with --label "
          "(1 to {}, or -1 "
          "for the last), or a labels file after a comma",
          array.columns(), place, array.columns());
  const Columns columns = assign_columns(generic_names(array.columns()), false, columns_options, place);

  Dataset data;
  data.rows = array.rows();
  data.columns = static_cast<std::int64_t>(columns.features.size());
  data.features = columns.features;
  if (columns.label >= 0) {
    data.label = fmt::format("x{}", columns.label + 1);
    set_labels(data, array_labels(array, columns.label), options, place);
  }
  data.floats = array.element == Element::real && array.size < sizeof(double);
  data.values = array_values(array, place, context);
  if (data.columns < array.columns()) keep_features(data.values, columns.roles);
  return data;
}

const ZipEntry* find_entry(const std::vector<ZipEntry>& entries, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    for (const ZipEntry& entry : entries)
      if (entry.name == name + ".npy") return &entry;
  return nullptr;
}

Dataset from_npz(const File& file, const LoadOptions& options, bool has_labels, const Context& context) {
  const std::vector<ZipEntry> entries = zip_entries(file.bytes, file.path);
  std::vector<std::string> names;
  for (const ZipEntry& entry : entries)
    names.push_back(entry.name.ends_with(".npy") ? entry.name.substr(0, entry.name.size() - 4) : entry.name);
  const bool workbook = std::ranges::find(names, "xl/workbook.xml") != names.end();
  require(!workbook, Fault::input, "[data] expected csv, npy, npz or idx, found an Excel workbook ({}): save it as csv",
          file.path);

  const ZipEntry* points = find_entry(entries, {"X", "x", "data"});
  require(points, Fault::input,
          "[npz] expected an array named X, x or data, found {} ({}): save it with numpy.savez(file, X=..., y=...)",
          names.empty() ? "no array" : list_names(names), file.path);
  const ZipEntry* classes = nullptr;
  if (options.labelled && !has_labels) {
    if (options.label) classes = find_entry(entries, {*options.label});
    if (!classes) classes = find_entry(entries, {"y", "labels", "target"});
    require(classes || options.label || !options.features.empty(), Fault::input,
            "[npz] expected labels in an array named y, labels or target, found {} ({}): name the array with --label",
            list_names(names), file.path);
  }

  const auto where = [&](const ZipEntry& entry) {
    return fmt::format("{}, array \"{}\"", file.path, entry.name.substr(0, entry.name.size() - 4));
  };
  const std::string content = zip_content(file.bytes, *points, file.path, context);
  Dataset data =
      from_array(parse_npy(content, where(*points)), where(*points), options, has_labels || classes, context);
  if (!classes) return data;
  const File labels{where(*classes), zip_content(file.bytes, *classes, file.path, context), ""};
  data.label = classes->name.substr(0, classes->name.size() - 4);
  set_labels(data, read_labels(labels, context), options, labels.path);
  return data;
}

Dataset parse(const File& file, const LoadOptions& options, bool has_labels, const Context& context) {
  if (is_zip(file.bytes)) return from_npz(file, options, has_labels, context);
  if (is_npy(file.bytes)) return from_array(parse_npy(file.bytes, file.path), file.path, options, has_labels, context);
  if (is_idx(file.bytes)) {
    const Array array = parse_idx(file.bytes, file.path);
    require(
        array.shape.size() > 1 || has_labels || !options.labelled, Fault::input,
        "[idx] expected images, found a list of {} values ({}): give the images file; its labels are found beside it",
        array.rows(), file.path);
    return from_array(array, file.path, options, has_labels, context);
  }
  if (is_libsvm(file.bytes)) {
    require(!has_labels, Fault::input, "[libsvm] expected the labels in the lines, found a file of labels beside ({}): give the one file", file.path);
    return parse_libsvm(file.bytes, file.path, options, context);
  }
  LoadOptions csv_options = options;
  csv_options.labelled = options.labelled && !has_labels;
  return parse_csv(file.bytes, file.path, {}, csv_options, context);
}

}  // namespace

Dataset load_dataset(const std::string& source, const LoadOptions& options, const Context& context) {
  require(!source.empty(), Fault::usage, "[data] expected a file or a bundled name, found nothing: name one");
  if (auto bundled = load_bundled(source, options, context)) return *std::move(bundled);

  const auto [data_path, named_labels] = split_pair(source);
  const File file = read_source(data_path, context);
  const std::string labels = labels_path(file, named_labels, options);
  Dataset data = parse(file, options, !labels.empty(), context);
  data.name = short_name(data_path);
  data.source = source;
  data.hash = file.hash;
  if (!labels.empty()) {
    const File labels_file = read_source(labels, context);
    data.label = "label";
    set_labels(data, read_labels(labels_file, context), options, labels);
    data.hash = sha256(file.hash + labels_file.hash);
  }
  return data;
}

}  // namespace calor::io

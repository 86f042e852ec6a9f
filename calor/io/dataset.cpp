#include "calor/io/dataset.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/bundled.h"
#include "calor/io/container.h"
#include "calor/io/file_options.h"
#include "calor/io/graphml.h"
#include "calor/io/gzip.h"
#include "calor/io/hash.h"
#include "calor/io/idx.h"
#include "calor/io/libsvm.h"
#include "calor/io/matrix_market.h"
#include "calor/io/number.h"
#include "calor/io/output.h"
#include "calor/io/roles.h"
#include "calor/io/source.h"

namespace calor::io {
namespace {

namespace fs = std::filesystem;

// "data,labels" unless a file has that very name; the second is empty without one.
std::array<std::string, 2> split_pair(const std::string& source) {
  std::error_code error;
  const std::size_t comma = source.rfind(',');
  if (comma == std::string::npos || fs::exists(source, error)) return {source, ""};
  return {source.substr(0, comma), source.substr(comma + 1)};
}

}  // namespace

std::string data_part(const std::string& source) { return split_pair(source)[0]; }

// Without folder, ".gz" and one further suffix.
std::string short_name(const std::string& path) {
  if (path == "-") return "stdin";
  fs::path name = fs::path(path).filename();
  if (name.extension() == ".gz") name = name.stem();
  return name.stem().string();
}

namespace {

// A labels file that was named, or the one beside an images file; an empty path: none.
std::string labels_path(const std::string& path, bool images, const std::string& named, const LoadOptions& options) {
  if (options.labels == LabelUse::none || options.label == "none") return "";
  if (!named.empty() || !images || asks_label(options)) return named;
  const std::string beside = labels_name(path);
  if (!beside.empty() && fs::exists(beside)) return beside;
  require(options.known() || options.label || options.labels == LabelUse::shown, Fault::input,
          "[idx] expected a labels file beside the images{}, found none ({}): name it after a comma, as in images.gz,labels.gz",
          beside.empty() ? "" : fmt::format(", {}", beside), path);
  return "";
}

LabelTexts read_labels(const std::string& path, const LoadOptions& options, std::string& hash, const Context& context) {
  Source source = open_source(path, context);
  hash = source.hash.get();
  if (is_container(source.head)) return labels_of_container({path, std::move(source.bytes), ""});
  TextFacts facts;
  const auto text = as_utf8(std::move(source.text), options.text.encoding, path, context, facts, source.counted);
  return labels_of_text(*text, facts, options, path, context);
}

Dataset data_of_libsvm(TextSource& text, const TextFacts& facts, const LoadOptions& options, const std::optional<LabelsBeside>& beside, const std::string& place,
                       const Context& context) {
  require(!beside, Fault::input, "[libsvm] expected the labels in the lines, found a file of labels beside ({}): give the one file", place);
  LoadOptions chosen = options;
  if (chosen.label == "label") chosen.label.reset();  // what the labels are called here
  check_options(libsvm_file, chosen, false, place);
  SparseRows rows = parse_libsvm(whole_text(text, facts.bytes, place, context), place, options.coding.inputs(), context);
  std::optional<LabelsBeside> labels;
  if (options.label != "none") labels = LabelsBeside{"label", std::move(rows.labels), place};
  Dataset data = data_of_sparse(std::move(rows.matrix), std::move(rows.features), labels, options, place, context);
  data.reading.format = "libsvm";
  return data;
}

Dataset data_of_matrix_market(TextSource& text, const TextFacts& facts, const LoadOptions& options, const std::optional<LabelsBeside>& beside, const std::string& place,
                              const Context& context) {
  check_options(sparse_matrix, options, beside.has_value(), place);
  require(beside || options.labels != LabelUse::expected || options.label == "none" || options.known(), Fault::input,
          "[mtx] expected labels, found a matrix alone ({}): name a labels file after a comma, as in matrix.mtx,labels.csv", place);
  MatrixMarket found = parse_matrix_market(whole_text(text, facts.bytes, place, context), place, context);
  const std::int64_t columns = found.matrix.columns;
  Dataset data = data_of_sparse(std::move(found.matrix), generic_names(columns), beside, options, place, context);
  data.reading.format = "Matrix Market";
  return data;
}

Dataset parse(Source&& source, const std::string& path, const LoadOptions& options, const std::optional<LabelsBeside>& beside, const Context& context) {
  refuse_foreign(source.head, path);
  if (is_container(source.head)) return parse_container({path, std::move(source.bytes), ""}, options, beside, context);
  TextFacts facts;
  const auto text = as_utf8(std::move(source.text), options.text.encoding, path, context, facts, source.counted);
  const std::string head = beginning_of(*text);
  if (is_libsvm(head)) return data_of_libsvm(*text, facts, options, beside, path, context);
  if (is_matrix_market(head)) return data_of_matrix_market(*text, facts, options, beside, path, context);
  require(!is_graphml(head), Fault::input, "[data] expected points, found a graph in GraphML ({}): give it to a pipeline that begins with adjacency, as pagerank does", path);
  check_options(separated_text, options, true, path);
  return data_of_text(*text, facts, {}, options, path, context, beside);
}

}  // namespace

Dataset load_dataset(const std::string& source, const LoadOptions& options, const Context& context) {
  require(!source.empty(), Fault::usage, "[data] expected a file or a bundled name, found nothing: name one");
  if (auto bundled = load_bundled(source, options, context)) {
    bundled->measured = options.measured;
    return *std::move(bundled);
  }

  const auto [data_path, named_labels] = split_pair(source);
  require(named_labels.empty() || !asks_label(options), Fault::input, "[data] expected no --label beside a file of labels, found it ({}): leave one of them out", source);
  Source opened = open_source(data_path, context);
  const auto hash = opened.hash;
  const std::string labels = labels_path(data_path, is_idx(opened.head), named_labels, options);
  std::optional<LabelsBeside> beside;
  std::string labels_hash;
  if (!labels.empty()) beside = LabelsBeside{"label", read_labels(labels, options, labels_hash, context), labels};
  Dataset data = parse(std::move(opened), data_path, options, beside, context);
  data.name = short_name(data_path);
  data.source = source;
  data.measured = options.measured;
  data.hash = labels.empty() ? hash.get() : sha256(hash.get() + labels_hash);
  return data;
}

std::int64_t constant_columns(const Dataset& data) {
  if (data.constant) return *data.constant;
  if (data.sparse || data.rows < 2) return 0;
  std::vector<bool> varies(static_cast<std::size_t>(data.columns));
  std::int64_t constant = data.columns;
  for (std::int64_t i = 1; i < data.rows && constant > 0; ++i)
    for (std::int64_t c = 0; c < data.columns; ++c)
      if (!varies[static_cast<std::size_t>(c)] && data.row(i)[c] != data.row(0)[c]) {
        varies[static_cast<std::size_t>(c)] = true;
        --constant;
      }
  return constant;
}

Reading full_reading(const Dataset& data) {
  Reading reading = data.reading;
  reading.rows = data.rows;
  reading.features = data.columns;
  if (data.labelled()) reading.label = data.label;
  reading.classes = static_cast<std::int64_t>(data.classes.size());
  if (!data.row_names.empty()) reading.names = data.row_names_column;
  reading.missing = data.missing;
  reading.constant = constant_columns(data);
  return reading;
}

std::string reading_line(const Dataset& data) {
  std::vector<std::string> facts;
  const auto count = static_cast<std::int64_t>(data.classes.size());
  if (data.labelled())
    facts.push_back(fmt::format("label \"{}\", {}", data.label, counted(count, data.measured ? "different value" : "class")));
  else facts.push_back("no label");
  if (!data.row_names.empty()) facts.push_back(data.row_names_column.empty() ? "names in the first column" : fmt::format("names \"{}\"", data.row_names_column));
  const Reading& reading = data.reading;
  if (reading.format != "csv") facts.push_back(reading.format);
  if (reading.header) facts.push_back(*reading.header ? "header yes" : "header no");
  for (const std::string& fact : {reading.delimiter, reading.decimal, reading.encoding})
    if (!fact.empty()) facts.push_back(fact);
  if (data.sparse) facts.push_back(fmt::format("sparse, {:.3g} % filled", 100 * static_cast<double>(data.sparse->entries()) / static_cast<double>(data.rows) / static_cast<double>(data.columns)));
  if (data.missing > 0) facts.push_back(counted(data.missing, "missing value"));
  if (const std::int64_t constant = constant_columns(data); constant > 0) facts.push_back(fmt::format("{} constant", counted(constant, "column")));
  if (!reading.left_out.empty()) facts.push_back(fmt::format("left out {}", list_names(reading.left_out, 6)));
  return fmt::format("read {} x {} ({})", counted(data.rows, "row"), counted(data.columns, "feature"), fmt::join(facts, "; "));
}

}  // namespace calor::io

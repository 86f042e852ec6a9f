// AnnData's layout: X and layers cells x genes, obs and var tables of their rows and columns, obsm coordinates of the cells.
#include <algorithm>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/hdf5_layout.h"
#include "calor/io/number.h"

namespace calor::io {

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

void require_length(std::size_t found, std::int64_t expected, const Hdf5Object& object) {
  require(static_cast<std::int64_t>(found) == expected, Fault::input,
          "[h5] expected {} elements, one per row of the matrix, found {} ({}): the file is damaged; write it again", expected, found, object.place());
}

// Texts, or numbers and truth values as texts.
std::vector<std::string> as_texts(const Hdf5Object& values) {
  if (values.kind() == Hdf5Kind::text) return values.texts();
  const bool boolean = values.kind() == Hdf5Kind::boolean;
  std::vector<std::string> texts;
  for (const double value : values.numbers()) texts.push_back(boolean ? (value != 0 ? "True" : "False") : format_number(value));
  return texts;
}

// A code of -1 says that the value is missing.
Annotation categorical(std::string name, const Hdf5Object& codes, const Hdf5Object& categories) {
  const std::vector<std::string> texts = as_texts(categories);
  Annotation annotation{std::move(name), true, {}, {}};
  for (const std::int32_t code : codes.indices()) {
    require(code >= -1 && code < static_cast<std::int64_t>(texts.size()), Fault::input,
            "[h5] expected codes of {} categories, found {} ({}): the file is damaged; write it again", texts.size(), code, codes.place());
    annotation.texts.push_back(code < 0 ? "" : texts[static_cast<std::size_t>(code)]);
  }
  return annotation;
}

// Texts or numbers, of which a mask says what is missing.
Annotation plain(std::string name, const Hdf5Object& values, const Hdf5Object* mask) {
  Annotation annotation{std::move(name), values.kind() == Hdf5Kind::text, {}, {}};
  if (annotation.text) annotation.texts = values.texts();
  else annotation.numbers = values.numbers();
  if (!mask) return annotation;
  const std::vector<double> hidden = mask->numbers();
  require_length(hidden.size(), static_cast<std::int64_t>(annotation.text ? annotation.texts.size() : annotation.numbers.size()), *mask);
  for (std::size_t i = 0; i < hidden.size(); ++i) {
    if (hidden[i] == 0) continue;
    if (annotation.text) annotation.texts[i].clear();
    else annotation.numbers[i] = missing;
  }
  return annotation;
}

// Whether a table's column is a list that can be read.
bool is_list(const Hdf5Object& object) { return object.is_dataset() && object.kind() != Hdf5Kind::other && object.shape().size() == 1; }

// A column of obs in any of the encodings since anndata 0.7; nothing for other kinds (nested tables, records).
std::optional<Annotation> column(const Hdf5Object& table, const std::string& name) {
  const Hdf5Object object = table.at(name);
  if (object.is_group()) {
    if (object.has("codes") && object.has("categories") && is_list(object.at("codes")) && is_list(object.at("categories")))
      return categorical(name, object.at("codes"), object.at("categories"));
    if (!object.has("values") || !object.has("mask") || !is_list(object.at("values")) || !is_list(object.at("mask"))) return {};
    const Hdf5Object mask = object.at("mask");
    return plain(name, object.at("values"), &mask);
  }
  if (!is_list(object)) return {};
  if (object.kind() == Hdf5Kind::integer && table.has("__categories") && table.at("__categories").has(name))
    return categorical(name, object, table.at("__categories").at(name));
  return plain(name, object, nullptr);
}

// The name of the column that names a table's rows; "" when there is none.
std::string index_column(const Hdf5Object& table) {
  const std::string told = table.text_attribute("_index").value_or("_index");
  for (const std::string& name : {told, std::string("_index"), std::string("index")})
    if (table.has(name)) return name;
  return "";
}

std::vector<std::string> index_of(const Hdf5Object& holder, const char* table_name, std::int64_t count) {
  if (!holder.has(table_name)) return {};
  const Hdf5Object table = holder.at(table_name);
  require(table.is_group(), Fault::input, "[h5] expected a group, found records as anndata wrote them before 0.7 ({}): read it with anndata and write it again",
          table.place());
  const std::string name = index_column(table);
  if (name.empty()) return {};
  const std::optional<Annotation> index = column(table, name);
  const Hdf5Object object = table.at(name);
  require(index.has_value(), Fault::input, "[h5] expected texts as names, found other elements ({}): write the file again", object.place());
  std::vector<std::string> names = index->texts;
  for (const double number : index->numbers) names.push_back(format_number(number));
  require_length(names.size(), count, object);
  return names;
}

void read_annotations(AnnotatedMatrix& result, const Hdf5Object& root) {
  if (!root.has("obs")) return;
  const Hdf5Object table = root.at("obs");
  const std::string index = index_column(table);
  for (const std::string& name : table.names()) {
    if (name == index || name == "__categories") continue;
    std::optional<Annotation> annotation = column(table, name);
    if (!annotation) {
      result.left_out.push_back(name);
      continue;
    }
    require_length(annotation->text ? annotation->texts.size() : annotation->numbers.size(), result.rows, table.at(name));
    result.annotations.push_back(*std::move(annotation));
  }
}

// "csr" or "csc"; "" for a group that is neither.
std::string sparse_format(const Hdf5Object& group) {
  const std::string encoding = group.text_attribute("encoding-type").value_or("") + group.text_attribute("h5sparse_format").value_or("");
  return encoding.starts_with("csr") || encoding.starts_with("csc") ? encoding.substr(0, 3) : "";
}

void read_sparse(Extracted& extracted, const Hdf5Object& group, const std::string& format) {
  auto shape = group.whole_attribute("shape", 2);
  if (!shape) shape = group.whole_attribute("h5sparse_shape", 2);
  require(shape.has_value(), Fault::input, "[h5] expected two sizes in the attribute shape, found none ({}): the file is damaged; write it again", group.place());
  const auto [rows, columns] = std::pair((*shape)[0], (*shape)[1]);
  extracted.matrix.rows = rows;
  extracted.matrix.columns = columns;
  const Hdf5Object data = group.at("data");
  check_sparse_size(rows, columns, data.count(), 0, "h5", data.place(), data.context());
  extracted.compressed = Compressed{rows, columns, format == "csc", group.at("indptr").wholes(), group.at("indices").indices(), data.numbers()};
}

// A matrix, dense or sparse; a list is one column.
void read_values(Extracted& extracted, const Hdf5Object& object) {
  AnnotatedMatrix& result = extracted.matrix;
  extracted.place = object.place();
  if (object.is_group()) {
    const std::string format = sparse_format(object);
    require(!format.empty(), Fault::input, "[h5] expected a dense, csr or csc matrix, found {} ({}): convert it to one of these and write the file again",
            object.text_attribute("encoding-type").value_or("a group"), object.place());
    return read_sparse(extracted, object, format);
  }
  const std::vector<std::uint64_t> shape = object.shape();
  require((shape.size() == 1 || shape.size() == 2) && object.count() > 0, Fault::input,
          "[h5] expected a matrix with rows and columns, found shape ({}) ({}): name another with a layer or obsm", fmt::join(shape, ", "), object.place());
  result.rows = static_cast<std::int64_t>(shape[0]);
  result.columns = shape.size() == 2 ? static_cast<std::int64_t>(shape[1]) : 1;
  // Held twice while it passes from the child to its parent.
  object.context().memory.require(2 * sizeof(double) * object.count(), "h5", fmt::format("the values of {}", object.place()), "use a smaller file, or raise --max-memory");
  result.dense = object.numbers();
}

// The member of a group that an option names.
Hdf5Object named(const Hdf5Object& root, const char* group, const std::string& name) {
  const std::vector<std::string> known = root.has(group) ? root.at(group).names() : std::vector<std::string>{};
  if (std::ranges::find(known, name) != known.end()) return root.at(group).at(name);
  const std::string meant = nearest_name(name, known);
  require(!known.empty(), Fault::input, "[h5] expected an array \"{}\" in {}, found no arrays there ({}): leave the option out to read X", name, group, root.place());
  fail(Fault::input, "[h5] expected one of {}, found \"{}\" ({}): {}", list_names(known), name, fmt::format("{}, {}", root.place(), group),
       meant.empty() ? "name one of these" : fmt::format("did you mean \"{}\"?", meant));
}

// "X_pca" -> "pca1", "pca2", ...
std::vector<std::string> coordinate_names(std::string name, std::int64_t count) {
  if (name.starts_with("X_")) name.erase(0, 2);
  std::vector<std::string> names;
  for (std::int64_t i = 1; i <= count; ++i) names.push_back(fmt::format("{}{}", name, i));
  return names;
}

}  // namespace

bool is_anndata(const Hdf5Object& root) {
  return root.text_attribute("encoding-type") == "anndata" || (root.has("obs") && root.has("var")) || (root.has("X") && (root.has("obs") || root.has("var")));
}

Extracted read_anndata(const Hdf5Object& root, const Hdf5Options& options) {
  Extracted extracted;
  AnnotatedMatrix& result = extracted.matrix;
  if (!options.obsm.empty()) {
    read_values(extracted, named(root, "obsm", options.obsm));
    result.column_names = coordinate_names(options.obsm, result.columns);
  } else {
    const bool raw = options.layer == "raw" && root.has("raw") && !(root.has("layers") && root.at("layers").has("raw"));
    const Hdf5Object holder = raw ? root.at("raw") : root;
    require(raw || !options.layer.empty() || root.has("X"), Fault::input, "[h5] expected a matrix X, found none ({}): name a layer or an obsm array", root.place());
    read_values(extracted, options.layer.empty() || raw ? holder.at("X") : named(root, "layers", options.layer));
    result.column_names = index_of(holder, "var", result.columns);
  }
  result.row_names = index_of(root, "obs", result.rows);
  read_annotations(result, root);
  return extracted;
}

}  // namespace calor::io

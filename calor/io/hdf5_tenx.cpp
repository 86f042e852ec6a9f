// 10x Genomics' matrices: compressed columns of genes x cells, which are compressed rows of cells x genes.
#include <algorithm>
#include <unordered_map>

#include "calor/core/error.h"
#include "calor/io/hdf5_layout.h"

namespace calor::io {

namespace {

bool holds_matrix(const Hdf5Object& root, const std::string& group) {
  if (!root.has(group)) return false;
  const Hdf5Object object = root.at(group);
  return std::ranges::all_of(std::vector<std::string>{"data", "indices", "indptr", "shape"}, [&](const std::string& name) { return object.has(name); });
}

std::vector<std::string> names_of(const Hdf5Object& names, std::int64_t count) {
  std::vector<std::string> texts = names.texts();
  require(static_cast<std::int64_t>(texts.size()) == count, Fault::input, "[h5] expected {} names, found {} ({}): the file is damaged; write it again", count,
          texts.size(), names.place());
  return texts;
}

// Genes of one name, which happens, are told apart by their ids.
void tell_apart(std::vector<std::string>& names, const std::vector<std::string>& ids) {
  std::unordered_map<std::string, int> times;
  for (const std::string& name : names) ++times[name];
  for (std::size_t i = 0; i < names.size(); ++i)
    if (times[names[i]] > 1) names[i] = fmt::format("{} ({})", names[i], ids[i]);
}

std::vector<std::string> gene_names(const Hdf5Object& matrix, std::int64_t count) {
  const bool current = matrix.has("features");
  const Hdf5Object holder = current ? matrix.at("features") : matrix;
  const char* const id = current ? "id" : "genes";
  const char* const name = current ? "name" : "gene_names";
  if (!holder.has(name)) return names_of(holder.at(id), count);
  std::vector<std::string> names = names_of(holder.at(name), count);
  if (holder.has(id)) tell_apart(names, names_of(holder.at(id), count));
  return names;
}

}  // namespace

std::string tenx_group(const Hdf5Object& root) {
  if (holds_matrix(root, "matrix")) return "matrix";
  std::vector<std::string> genomes;
  for (const std::string& name : root.names())
    if (holds_matrix(root, name) && root.at(name).has("barcodes")) genomes.push_back(name);
  require(genomes.size() <= 1, Fault::input, "[h5] expected the matrix of one genome, found {} ({}): write each to a file of its own",
          fmt::join(genomes, ", "), root.place());
  return genomes.empty() ? "" : genomes[0];
}

Extracted read_tenx(const Hdf5Object& root, const std::string& group) {
  const Hdf5Object matrix = root.at(group), data = matrix.at("data"), shape = matrix.at("shape");
  require(shape.count() == 2, Fault::input, "[h5] expected two sizes, found {} ({}): the file is damaged; write it again", shape.count(), shape.place());
  const std::vector<std::int64_t> sizes = shape.wholes();
  Extracted extracted;
  AnnotatedMatrix& result = extracted.matrix;
  result.rows = sizes[1];
  result.columns = sizes[0];
  check_sparse_size(result.rows, result.columns, data.count(), 0, "h5", data.place(), data.context());
  extracted.compressed = Compressed{result.rows, result.columns, false, matrix.at("indptr").wholes(), matrix.at("indices").indices(), data.numbers()};
  extracted.place = matrix.place();
  if (matrix.has("barcodes")) result.row_names = names_of(matrix.at("barcodes"), result.rows);
  result.column_names = gene_names(matrix, result.columns);
  return extracted;
}

}  // namespace calor::io

#include "calor/io/hdf5.h"

#include <cmath>
#include <type_traits>
#include <utility>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/child.h"
#include "calor/io/hdf5_layout.h"

namespace calor::io {

namespace {

// "X" (700 x 765), "obs" (a group), ...
std::string contents(const Hdf5Object& root) {
  constexpr std::size_t most = 8;
  const std::vector<std::string> names = root.names();
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) {
    const Hdf5Object object = root.at(names[i]);
    parts.push_back(object.is_group()     ? fmt::format("\"{}\" (a group)", names[i])
                    : object.is_dataset() ? fmt::format("\"{}\" ({})", names[i], fmt::join(object.shape(), " x "))
                                          : fmt::format("\"{}\"", names[i]));
  }
  if (names.size() > most) parts.push_back(fmt::format("... ({} in all)", names.size()));
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, ", "));
}

[[noreturn]] void fail_unknown(const Hdf5Object& root) {
  const bool loom = root.has("row_attrs") && root.has("col_attrs"), several = root.has("mod");
  fail(Fault::input, "[h5] expected AnnData (.h5ad) or a 10x Genomics matrix, found {}{} ({}): {}", loom ? "a loom file with " : several ? "MuData with " : "",
       contents(root), root.place(),
       loom      ? "read it with anndata.io.read_loom and write it with write_h5ad"
       : several ? "write one of its modalities with mdata[\"rna\"].write_h5ad"
                 : "read it with h5py and save the array with numpy.save");
}

Extracted read_root(const Hdf5Object& root, const Hdf5Options& options) {
  require(options.layer.empty() || options.obsm.empty(), Fault::usage, "[h5] expected a layer or an obsm array, found \"{}\" and \"{}\": name one", options.layer,
          options.obsm);
  if (is_anndata(root)) return read_anndata(root, options);
  const std::string group = tenx_group(root);
  if (group.empty()) fail_unknown(root);
  const std::string asked = options.layer + options.obsm;
  require(asked.empty(), Fault::input, "[h5] expected no layer or obsm array of a 10x Genomics file, found \"{}\" ({}): leave it out", asked, root.place());
  return read_tenx(root, group);
}

// Both directions of what a child sends.
template <class Stream, class Content>
void pass(Stream& stream, Content& extracted) {
  auto& matrix = extracted.matrix;
  stream(matrix.rows), stream(matrix.columns), stream(matrix.dense);
  stream(matrix.row_names), stream(matrix.column_names), stream(matrix.left_out), stream(extracted.place);
  bool sparse = extracted.compressed.has_value();
  stream(sparse);
  if constexpr (!std::is_const_v<Content>)
    if (sparse) extracted.compressed.emplace();
  if (sparse) {
    auto& compressed = *extracted.compressed;
    stream(compressed.rows), stream(compressed.columns), stream(compressed.by_columns);
    stream(compressed.begin), stream(compressed.index), stream(compressed.value);
  }
  std::uint64_t annotations = matrix.annotations.size();
  stream(annotations);
  for (std::uint64_t a = 0; a < annotations; ++a) {
    if constexpr (!std::is_const_v<Content>) matrix.annotations.emplace_back();
    auto& annotation = matrix.annotations[a];
    stream(annotation.name), stream(annotation.text), stream(annotation.texts), stream(annotation.numbers);
  }
}

void require_finite(const std::vector<double>& values, std::int64_t columns, const std::string& place) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(static_cast<float>(values[i]))) continue;
    const auto entry = static_cast<std::int64_t>(i);
    fail(Fault::input, "[h5] expected finite numbers in the range of float, found {} ({}, {}): remove the row or column, or fill in the value", values[i], place,
         columns > 0 ? fmt::format("row {}, column {}", entry / columns + 1, entry % columns + 1) : fmt::format("entry {}", entry + 1));
  }
}

// A child whose memory a damaged file has upset may send anything: what holds for the result is checked here.
AnnotatedMatrix checked(Extracted extracted) {
  AnnotatedMatrix& matrix = extracted.matrix;
  const auto rows = static_cast<std::size_t>(matrix.rows), columns = static_cast<std::size_t>(matrix.columns);
  const auto fits = [](std::size_t found, std::size_t wanted) { return found == 0 || found == wanted; };
  bool sound = fits(matrix.row_names.size(), rows) && fits(matrix.column_names.size(), columns);
  for (const Annotation& annotation : matrix.annotations) sound = sound && (annotation.text ? annotation.texts.size() : annotation.numbers.size()) == rows;
  if (auto& compressed = extracted.compressed) {
    require_finite(compressed->value, 0, extracted.place + "/data");
    sound = sound && matrix.dense.empty() && compressed->rows == matrix.rows && compressed->columns == matrix.columns && matrix.rows <= most_indices && matrix.columns <= most_indices;
    if (sound) matrix.sparse = assemble(*std::move(compressed), "h5", extracted.place);
  } else {
    sound = sound && columns > 0 && matrix.dense.size() % columns == 0 && matrix.dense.size() / columns == rows;
    require_finite(matrix.dense, matrix.columns, extracted.place);
  }
  require(sound, Fault::input, "[h5] expected sizes that fit each other, found others ({}): the file is damaged; fetch or write it again", extracted.place);
  return std::move(matrix);
}

// `open` gives the root of a file.
template <class Open>
AnnotatedMatrix read_in_child(const Open& open, const std::string& place, const Hdf5Options& options, const Context& context) {
  Context quiet = context;
  quiet.progress = nullptr;
  Extracted found;
  const auto work = [&] {
    silence_hdf5();
    found = read_root(open(quiet), options);
  };
  run_in_child(work, [&](Sender& sender) { pass(sender, std::as_const(found)); }, [&](Receiver& receiver) { pass(receiver, found); }, "h5", "libhdf5", place, context);
  return checked(std::move(found));
}

}  // namespace

AnnotatedMatrix read_hdf5(const std::string& path, const Hdf5Options& options, const Context& context) {
  return read_in_child([&](const Context& quiet) { return Hdf5Object::open(path, quiet); }, path, options, context);
}

AnnotatedMatrix parse_hdf5(std::string_view bytes, const std::string& place, const Hdf5Options& options, const Context& context) {
  return read_in_child([&](const Context& quiet) { return Hdf5Object::open(bytes, place, quiet); }, place, options, context);
}

}  // namespace calor::io

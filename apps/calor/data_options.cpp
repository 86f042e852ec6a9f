#include "data_options.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "command.h"

namespace calor::app {

io::TextOptions DataOptions::text_options() const {
  io::TextOptions options;
  if (!header.empty()) options.header = header == "yes";
  if (!delimiter.empty()) {
    options.delimiter = io::parse_delimiter(delimiter);
    require(options.delimiter.has_value(), Fault::usage, "[data] expected --delimiter comma, semicolon, tab, pipe, blanks or one such character, found \"{}\"", delimiter);
  }
  if (!decimal.empty()) options.decimal = decimal == "comma" ? ',' : '.';
  options.encoding = encoding;
  return options;
}

static std::vector<std::string> listed(const std::vector<std::string>& given) {
  std::vector<std::string> names;
  for (const std::string& list : given)
    for (const std::string& name : split_text(list, ','))
      if (const std::string_view trimmed = trim(name); !trimmed.empty()) names.emplace_back(trimmed);
  return names;
}

io::LoadOptions DataOptions::load_options() const {
  io::LoadOptions options;
  options.text = text_options();
  if (!label.empty()) options.label = label;
  if (!names.empty()) options.names = names;
  options.select = listed(features);
  options.one_hot = listed(one_hot);
  options.missing = io::parse_missing(missing);
  options.layer = layer;
  options.obsm = obsm;
  return options;
}

void add_text_options(CLI::App& command, DataOptions& options) {
  command.add_option("--header", options.header, "Whether the first line names the columns: yes or no (default: detected)")->check(CLI::IsMember({"yes", "no"}))->group("Reading");
  command.add_option("--delimiter", options.delimiter, "What separates cells: comma, semicolon, tab, pipe, blanks or a character (default: detected)")->group("Reading");
  command.add_option("--decimal", options.decimal, "The decimal mark: point or comma (default: detected)")->check(CLI::IsMember({"point", "comma"}))->group("Reading");
  command.add_option("--encoding", options.encoding, "Text encoding: latin1, windows-1252, utf-16, ... (default: UTF-8, or UTF-16 where detected)")->group("Reading");
}

void add_graph_option(CLI::App& command, std::string& graph) {
  command.add_option("--graph", graph, "The edges of DATA's rows: a file of pairs, GraphML or Matrix Market")->check(not_empty)->type_name("FILE");
}

void add_labels_option(CLI::App& command, std::string& labels) {
  command.add_option("--labels", labels, "For surfaces: a folder in which NAME.txt has a label on each line, as many as the mesh NAME has faces or points; for a single mesh, the file itself")->check(not_empty)->type_name("FOLDER");
}

void add_data_options(CLI::App& command, DataOptions& options, const char* label_default) {
  command.add_option("--label", options.label,
                     fmt::format("Label column: a name, or a position from 1 (negative: from the end); none: no label. Default: {}", label_default))
      ->group("Reading");
  command.add_option("--names", options.names,
                     "Column of row ids; none: no such column. Default: a first column called id, name, index, ..., a column of distinct texts, or a running number")
      ->group("Reading");
  command.add_option("--features", options.features, "Columns that are features: a,b,c; or all but some: !id,!date")->type_name("COLUMN,...")->allow_extra_args(false)->group("Reading");
  command.add_option("--one-hot", options.one_hot, "Categorical columns to one-hot encode: their names, or auto for all text columns")
      ->type_name("COLUMN,...|auto")
      ->allow_extra_args(false)
      ->group("Reading");
  command.add_option("--missing", options.missing, "Missing values: refuse; drop the rows; fill in the mean of the column, or of the 5 nearest neighbours")
      ->type_name("refuse|drop|mean|neighbours")
      ->capture_default_str()
      ->group("Reading");
  command.add_option("--layer", options.layer, "h5ad files: the layer to read instead of X")->group("Reading");
  command.add_option("--obsm", options.obsm, "h5ad files: the obsm matrix to read instead of X, such as X_pca")->group("Reading");
  add_text_options(command, options);
}

}  // namespace calor::app

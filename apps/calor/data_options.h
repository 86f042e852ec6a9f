// The options of every command that reads data: what a file is and which of its columns are what.
#pragma once

#include <string>
#include <vector>

#include "calor/io/dataset.h"
#include "calor/io/missing.h"

namespace CLI {
class App;
}

namespace calor::app {

struct DataOptions {
  std::string data, label, names, header, delimiter, decimal, encoding, missing = "refuse", layer, obsm, as = "auto";
  std::vector<std::string> features, one_hot;

  // Throws Fault::usage for a word that an option does not know.
  io::LoadOptions load_options() const;
  io::TextOptions text_options() const;
};

// All of them but DATA itself; `label_default` ends the help of --label.
void add_data_options(CLI::App& command, DataOptions& options, const char* label_default);

// --header, --delimiter, --decimal and --encoding alone.
void add_text_options(CLI::App& command, DataOptions& options);

// Of networks: --graph beside a table of nodes, --labels of surfaces.
void add_graph_option(CLI::App& command, std::string& graph);
void add_labels_option(CLI::App& command, std::string& labels);

// The label's default where a command predicts labels, and where it only looks at them.
inline constexpr const char* label_of_predictions = "a column named label, class, target or y, else the only text column, else the last one";
inline constexpr const char* label_of_others = "the only text column; where labels are predicted also a column named label, class, target or y, else the last one";

}  // namespace calor::app

// Which options of reading a kind of file takes.  What it does not take is refused by name, never ignored.
#pragma once

#include <string>
#include <string_view>

#include "calor/io/dataset.h"

namespace calor::io {

// One column an option, or a few that belong together.
struct FileOptions {
  std::string_view kind;    // "a Matrix Market file"
  bool text = false;        // --header, --delimiter, --decimal, --encoding
  bool label = false;
  bool names = false;
  bool features = false;
  bool one_hot = false;
  bool missing = true;      // false where nothing can be filled in
  bool layers = false;      // --layer and --obsm
  std::string_view label_remedy = "leave it out";
};

inline constexpr std::string_view labels_file_remedy = "name a labels file after a comma, as in data,labels.csv";

inline constexpr FileOptions separated_text{.kind = "separated text", .text = true, .label = true, .names = true, .features = true, .one_hot = true},
    bundled_set{.kind = "a bundled set", .label = true, .names = true, .features = true, .one_hot = true},
    array_file{.kind = "a file of arrays", .label = true, .names = true, .features = true, .one_hot = true},
    libsvm_file{.kind = "a libsvm file", .features = true, .label_remedy = "leave it out, for each line begins with its label"},
    sparse_matrix{.kind = "a sparse matrix", .features = true, .label_remedy = labels_file_remedy},
    dense_h5{.kind = "an h5 file", .label = true, .features = true, .one_hot = true, .layers = true},
    sparse_h5{.kind = "an h5 file of a sparse matrix", .label = true, .features = true, .layers = true},
    edge_list{.kind = "a list of edges or pairs", .text = true, .missing = false},
    graph_file{.kind = "a graph", .missing = false},
    node_set{.kind = "a graph whose nodes have features and classes", .missing = false},
    linqs_set{.kind = "a pair of .content and .cites", .text = true, .missing = false};

// Whether a person named a label: not "none", nor what a saved model calls its own.
bool asks_label(const LoadOptions& options);

// `text_beside`: the options of text are for a labels file that is named too.
// Throws Fault::input naming the first option that the kind does not take, and what to do.
void check_options(const FileOptions& kind, const LoadOptions& options, bool text_beside, const std::string& place);

}  // namespace calor::io

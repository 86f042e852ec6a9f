// Graphs whose nodes have features and classes: what graph networks are trained on.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/dataset.h"
#include "calor/io/missing.h"
#include "calor/io/sparse.h"

namespace calor::io {

struct NodeDataset {
  // Undirected: a < b.
  struct Pair {
    std::int64_t a, b;
    auto operator<=>(const Pair&) const = default;
  };

  std::string name;                       // "cora"
  std::string source;                     // as given; "TABLE with GRAPH" for a pair
  std::string hash;                       // SHA-256 of the one file, hex; of the files' hex hashes joined where there are several
  SparseMatrix features;                  // nodes x columns
  std::vector<std::string> feature_names; // one per column; empty where the format has none
  std::vector<std::int64_t> labels;       // one per node, indexing `classes`; -1: it has none
  std::vector<std::string> classes;
  std::string label;                      // of a table: the label's column,
  Coding coding;                          // how its columns became features,
  Filling filling;                        // and what its missing values were replaced by
  std::vector<std::string> node_names;    // one per node; empty where the format has none
  std::vector<Pair> edges;                // ascending, each once
  std::vector<std::string> edge_names;    // of the numbers of an edge, where they were asked for
  std::vector<double> edge_values;        // [2 edges][edge_names]: of each edge what goes from a to b, then what goes from b to a
  std::vector<std::int64_t> train, validation, test;  // the format's own split, each ascending; all empty where there is none
  std::int64_t loops = 0;                 // edges from a node to itself, left out
  std::int64_t repeated = 0;              // edges found again in the same direction, left out; the opposite direction is no repetition
  std::int64_t unknown = 0;               // edges of nodes that have no features, left out (LINQS alone)
  Reading reading;
  std::int64_t nodes() const { return features.rows; }
};

// Loads the bundled "blocks" ("./blocks" for a file of that name), or one of these; names and content decide:
// - Planetoid (Yang et al. 2016): ind.NAME.x, y, tx, ty, allx, ally, graph and test.index.  `source` is the folder, where it has one NAME, folder/NAME,
//   folder/ind.NAME or any of the files.  Nodes stand as in Kipf's loader: allx, then tx at the places that test.index names; a place that it leaves out
//   is a node without features and label (Citeseer).  Classes are called by their columns, "0" to "6".  Split: the nodes of y, the next 500, test.index.
// - LINQS: NAME.content (id, features, label) and NAME.cites (pairs of ids) beside it, likewise.
// - The npz of Shchur et al. 2018: csr matrices adj_* and attr_* (or a dense attr_matrix), labels; perhaps node_names, attr_names, class_names.
// - Any table that load_dataset reads, and a file `graph` that load_edge_list reads.  Nodes are rows by the names of the rows, where the table has
//   them, else by number: from 0, or from 1 where the nodes are 1 to N and none is 0, which a note says.  The nodes of a matrix are the rows in their order.
//   Rows may have no label and no edge.  A column "split" (train, validation or val, test, or nothing) is the split.  Weights do not count.
// `graph` is "" for all but the last.  edge_columns: its columns of numbers are wanted, the weight too: a line's are of what goes from its first node to its second, and of the way back
// where no line has that.  known: what a model fills the missing values of a table with; null: the table's own.
// Throws Fault::input with file, place and remedy, for a node that is no row too; Fault::memory when the estimate is over the limit.
NodeDataset load_node_dataset(const std::string& source, const std::string& graph, const LoadOptions& options, const Context& context, const Filling* known = nullptr, bool edge_columns = false);

// Nodes in turn of each class, features normal around a mean of length 2 with the given deviation, and about `degree` edges a node: a share `own` of
// them to its own class, the others to any other.  A network that weighs all neighbours the same mixes the classes, one that asks whom a node is alike need not.
// The bundled "blocks" has these sizes and seed 0.
struct Blocks {
  std::int64_t nodes = 1500, classes = 4, features = 16, degree = 10;
  double own = 0.4, noise = 0.9;
};
NodeDataset planted_blocks(const Blocks& blocks, std::uint64_t seed);

// The bundled graphs, for `calor data`.
const std::vector<BundledSet>& bundled_graphs();
bool is_bundled_graph(const std::string& name);

// Whether load_node_dataset finds a graph there without one beside it: by name and content, not whether it reads well.
bool is_node_dataset(const std::string& source, const Context& context);

// "read 2,708 nodes x 1,433 features and 5,278 edges (7 classes; split 140, 500, 1,000; Planetoid; 302 repeated edges left out)".
std::string reading_line(const NodeDataset& data);

}  // namespace calor::io

// Graphs as text: one edge a line, "from to" or "from to weight", read as every separated text is (dialect.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/dataset.h"

namespace calor::io {

struct NamedEdge {
  std::int64_t from, to;  // index the nodes
  double weight;
};

struct EdgeList {
  std::string hash;                 // SHA-256 of the file, hex
  std::vector<std::string> nodes;   // numbers by value when all names are whole numbers, else in order of appearance
  std::vector<NamedEdge> edges;     // as written: a line is one direction
  Reading reading;
  std::string columns;              // which columns they came from, in words; "" without a header
};

// What a text says of its edges beside their ends and one weight: its other columns of numbers, and the weight.
struct EdgeColumns {
  std::vector<std::string> names;
  std::vector<double> values;  // [edges][names], in the order of EdgeList::edges
};

// Reads a file, "-" for standard input, plain or gzipped; GraphML, Matrix Market (nodes 1 to N) and scipy.sparse's npz (0 to N - 1) too.  Of a header's columns those are taken that are called from and to,
// source and target, ... and weight; else the first two, and a third of numbers; an edge whose column "type" says undirected goes both ways.  Lines that begin with "# " or "% ", or with these and other
// than the number of cells, are comments.
// Throws Fault::input with the line for a node without a name, other than two or three columns where no header tells, a weight that is no
// finite number, bytes that are not UTF-8, and for a file without edges.
// columns, where not null: receives those of a separated text, which are then not said to be left out; columns of texts are, and each cell of the others has to be a finite number.  Empty
// for other files.
EdgeList load_edge_list(const std::string& path, const LoadOptions& options, const Context& context, EdgeColumns* columns = nullptr);

// Whether a file (of "file,labels" the first) is a list of pairs with a value each, as far as its first lines tell: three columns, and no square
// table of three rows (zeros on its diagonal, symmetric, or fractions for names), nor a single line of three numbers.  False for arrays.
bool is_list_of_pairs(const std::string& source, const TextOptions& options, const Context& context);

// "read 5 nodes and 7 edges (weights; header yes; comma)".
std::string reading_line(const EdgeList& edges);

}  // namespace calor::io

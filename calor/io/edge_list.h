// Graphs as text: one edge a line, "from to" or "from to weight", separated by blanks, tabs or commas.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"

namespace calor::io {

struct NamedEdge {
  std::int64_t from, to;  // index the nodes
  double weight;
};

struct EdgeList {
  std::string hash;                 // SHA-256 of the file, hex
  std::vector<std::string> nodes;   // numbers by value when all names are whole numbers, else in order of appearance
  std::vector<NamedEdge> edges;     // as written: a line is one direction
};

// Reads a file, "-" for standard input, plain or gzipped.  Lines that begin with "#" or "%" and empty ones are skipped, as is a
// header before the first edge: from and to, source and target, or src and dst, in any case.
// Throws Fault::input with the line for fewer than two or more than three fields, a weight that is no finite number, and
// for a file without edges.
EdgeList load_edge_list(const std::string& path, const Context& context);

}  // namespace calor::io

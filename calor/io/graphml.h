// Graphs in GraphML: http://graphml.graphdrawing.org/specification.html
#pragma once

#include <string>
#include <string_view>

#include "calor/core/progress.h"
#include "calor/io/edge_list.h"

namespace calor::io {

// Whether a text is XML whose first element is <graphml>.
bool is_graphml(std::string_view text);

// The nodes in the order of the file, those without edges included.  They are called by their attribute "name", else
// "label", where that tells all of them apart, else by their id.  An edge's weight is its attribute "weight", or that
// attribute's default, or 1; an undirected edge gives both directions (a loop one).  `hash` is left empty.
// Throws Fault::input, naming `place`, for text that is no XML (with the byte), several or nested graphs, hyperedges, ids that appear twice,
// edges to nodes that the file does not have, and weights that are no finite numbers; Fault::memory.
EdgeList parse_graphml(std::string_view text, const std::string& place, const Context& context);

}  // namespace calor::io

// The formats of graphs whose nodes have features; node_dataset.cpp tells them apart.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "calor/io/node_dataset.h"
#include "calor/io/zip.h"

namespace calor::io {

// What the files of a Planetoid set are called after "ind.NAME.".
inline constexpr std::string_view planetoid_parts[] = {"x", "y", "tx", "ty", "allx", "ally", "graph", "test.index"};

// Each gives all but `name` and `source`.
NodeDataset read_planetoid(const std::filesystem::path& folder, const std::string& name, const LoadOptions& options, const Context& context);
NodeDataset read_linqs(const std::string& content, const std::string& cites, const LoadOptions& options, const Context& context);
bool is_graph_archive(const std::vector<ZipEntry>& entries);
NodeDataset read_graph_archive(std::string_view zip_bytes, const std::string& place, const LoadOptions& options, const Context& context);
NodeDataset read_table_and_graph(const std::string& source, const std::string& graph, const LoadOptions& options, const Filling* known, bool edge_columns, const Context& context);

// Sets the edges, and the counts of loops and repetitions, of those that were found, in either direction and any order; all between nodes.
void set_edges(NodeDataset& data, std::vector<NodeDataset::Pair> found);

}  // namespace calor::io

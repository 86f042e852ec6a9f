// --explain of compare and train: what would be trained, without training it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calor/io/dataset.h"
#include "calor/learn/rows/learner.h"
#include "compare_nodes.h"
#include "node_options.h"

namespace calor::app {

// On standard output: each network's stages, as `calor run --explain` shows a pipeline's, its weights on these data, and for tables the memory of a run.  Data are read for their sizes
// alone.  Throws what reading them throws, and Fault::usage for networks that do not fit them.
void explain_rows(const io::Dataset& data, const std::optional<io::Dataset>& test, const learn::Protocol& protocol, const std::vector<learn::Learner>& learners);
void explain_nodes(const Globals& globals, const DataOptions& data, const NodeOptions& options, const std::string& source, const std::vector<std::string>& pipelines, const Context& context);
void explain_surfaces(const Globals& globals, const NodeOptions& options, const std::string& source, const std::string& test, const std::vector<std::string>& pipelines, const Context& context);

}  // namespace calor::app

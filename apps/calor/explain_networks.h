// --explain of compare and train: what would be trained, without training it.
#pragma once

#include <string>
#include <vector>

#include "calor/io/dataset.h"
#include "calor/learn/rows/learner.h"
#include "compare_nodes.h"
#include "node_options.h"

namespace calor::app {

// On standard output: each network's stages, as `calor run --explain` shows a pipeline's, and the sizes of the data.  Throws what reading them throws, and Fault::usage for texts
// that are no networks.
void explain_rows(const io::Dataset& data, const learn::Protocol& protocol, const std::vector<learn::Learner>& learners);
void explain_nodes(const Globals& globals, const DataOptions& data, const NodeOptions& options, const std::string& source, const std::vector<std::string>& pipelines, const Context& context);
void explain_surfaces(const Globals& globals, const NodeOptions& options, const std::string& source, const std::string& test, const std::vector<std::string>& pipelines, const Context& context);

}  // namespace calor::app

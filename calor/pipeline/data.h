// From loaded files to the data of a pipeline.
#pragma once

#include <cstdint>
#include <string>

#include "calor/io/dataset.h"
#include "calor/io/edge_list.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {

// Features, names and labels; targets where every class name is a number.
Data data_of(const io::Dataset& dataset);

// A bare graph: nodes are rows, their names the row names; no features.
Data data_of(const io::EdgeList& edges);

// Keeps a share of each class (at least one row) as training rows, drawn by the seed, and hides the labels of all others;
// rows whose label is not known count for no class and do not train.
// Measured targets are one class.  Throws Fault::usage for a share outside (0, 1], Fault::input without labels.
void mark_training(Data& data, double share, std::uint64_t seed);

}  // namespace calor::pipeline

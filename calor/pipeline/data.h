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

// The features without one column, whose numbers become the targets: for labels that are measured, not classes.  The column is
// named, or counted from 1 (negative: from the end); "" stands for one named label, class, target or y (any case), else the last.
// `name` gets the column's name.  Throws Fault::input for an unknown column, or when no feature would be left.
Data data_with_target(const io::Dataset& unlabelled, const std::string& column, std::string& name);

// Whether a feature has one of the names that stand for a label: label, class, target or y (any case).
bool has_label_name(const io::Dataset& dataset);

// A bare graph: nodes are rows, their names the row names; no features.
Data data_of(const io::EdgeList& edges);

// Keeps a share of each class (at least one row) as training rows, drawn by the seed, and hides the labels of all others;
// rows whose label is not known count for no class and do not train.
// Measured targets are one class.  Throws Fault::usage for a share outside (0, 1], Fault::input without labels.
void mark_training(Data& data, double share, std::uint64_t seed);

}  // namespace calor::pipeline

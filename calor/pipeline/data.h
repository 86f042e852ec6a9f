// From loaded files to the data of a pipeline: points, sparse points, distances, similarities, graphs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/dataset.h"
#include "calor/io/edge_list.h"
#include "calor/io/sparse.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {

// Features (N x 0 for a data set without values), names and labels; targets where every class name is a number.
Data data_of(const io::Dataset& dataset);

// The corners of a surface: x, y and z.
Data data_of(std::shared_ptr<const io::Mesh> surface);

// A bare graph: nodes are rows, their names the row names; no features.
Data data_of(const io::EdgeList& edges);

// Sparse points.  Names may be empty.  Throws Fault::input with row and column for what is no matrix of finite numbers in compressed rows
// (io/sparse.h), and for a matrix without columns.
Data data_of(io::SparseMatrix points, std::vector<std::string> feature_names, std::vector<std::string> row_names);

// Points known by a table of their distances, N x N.  It must be symmetric, at least 0, and 0 on the diagonal, each within 1e-6 of the
// largest distance, which is rounding and is taken away; throws Fault::input with the first row and column that is not.  NaN in one
// direction is the other's; NaN or infinity: that pair has no distance, which pipelines take that begin with knn or radius; others refuse it by name before they run.
Data data_of_distances(Matrix table, std::vector<std::string> row_names);

// The same from every pair i < j once, row by row (SciPy's condensed form).  Throws Fault::input for a length that is no N (N - 1) / 2, and
// Fault::memory for a table beyond the limit.
Data data_of_distances(const std::vector<double>& condensed, std::vector<std::string> row_names, const Context& context);

// The same from a list of pairs (a, b, d), in either direction or both; a pair that is not in it has no distance.  Throws Fault::input for
// one with two distances that differ, and Fault::memory.
Data data_of_distances(const io::EdgeList& pairs, const Context& context);

// A graph of given similarities, N x N, for pipelines that begin with adjacency (bind.h makes others begin so).  Finite and at least 0; 0 is
// no edge.  Symmetric within 1e-6 of the largest: that is rounding, and made exact; else every pair has two directions.
// Throws Fault::input with row and column, and Fault::memory for the edges of a table.
Data data_of_similarities(const Matrix& table, std::vector<std::string> row_names, const Context& context);
Data data_of_similarities(const io::SparseMatrix& table, std::vector<std::string> row_names);

// Gives the rows their classes: labels index `classes`, -1 where not known; targets where every class is a number.
void set_labels(Data& data, std::vector<std::int64_t> labels, std::vector<std::string> classes);

// Keeps a share of each class (at least one row) as training rows, drawn by the seed, and hides the labels of all others;
// rows whose label is not known count for no class and do not train.
// Measured targets are one class.  Throws Fault::usage for a share outside (0, 1], Fault::input without labels.
void mark_training(Data& data, double share, std::uint64_t seed);

}  // namespace calor::pipeline

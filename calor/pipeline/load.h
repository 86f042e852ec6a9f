// Loading for pipelines: the one way from a file to the data of a fit, and to new points for a saved one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calor/io/dataset.h"
#include "calor/io/edge_list.h"
#include "calor/io/missing.h"
#include "calor/io/text_part.h"
#include "calor/pipeline/model.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {

// What a file is: rows of features; or what is known of pairs of rows.
enum class As { automatic, points, distances, similarities };

// What a pipeline does with labels.
enum class Labels { shown, classes, values };

// The data of a pipeline as a file gives them.
struct Loaded {
  Data data;
  std::string hash, label;                // the label column's name; "" without
  std::vector<std::string> label_values;  // as they stand in the output, one per row; empty without
  io::Reading reading;
  std::string read;                       // what was read, in a line
  io::Coding coding;
  io::Filling filling;
};

// `options` as a person gave them; what labels are used for, and that some may be missing, is added.  Missing features are settled.
// Throws as load_dataset does; Fault::input for labels that are no numbers where values are wanted.
Loaded load_points(const std::string& source, io::LoadOptions options, Labels labels, const Context& context);

// Distances or similarities of all pairs: a square table (names in its first column or its header), of distances also a condensed vector
// (SciPy's pdist) or a list of pairs.  Labels: from a file of their own, or a text column.  Throws Fault::input for a table of another shape.
Loaded load_pairs(const std::string& source, io::LoadOptions options, As as, const Context& context);

// Whether points look like a table of distances: square, symmetric, zeros on the diagonal and nowhere below 0.
bool looks_like_distances(const Data& data);

// The same data, taken for distances after all, with a note.
Loaded as_distances(Loaded&& loaded);

// Nodes are rows.
Loaded load_graph(const std::string& source, const io::LoadOptions& options, const Context& context);

// The corners of a surface, x, y and z, and the surface.
Loaded load_surface(const std::string& source, const Context& context);

// What these stages ask for: a graph, a surface (a file that is one is taken for it, whatever is asked for), or pairs where `as` says so, or points with the labels that they use.  A table of points that is
// evidently one of distances is taken for that where every stage can read it (with a note), and refused else.
Loaded load_for(const std::vector<BoundStage>& stages, const std::string& source, const io::LoadOptions& options, As as, const Context& context);

// The same of a file that several processes read in parts (io/text_part.h); nothing, with the reason in `why` where a person should know it, for what load_for must
// read whole: beside what load_part says, graphs, surfaces, bundled names, and tables with as many rows as columns, which may be distances.
struct LoadedPart {
  Loaded loaded;               // of all rows; features N x 0
  std::vector<double> values;  // of the own rows
};
std::optional<LoadedPart> load_part_for(const std::vector<BoundStage>& stages, const std::string& source, io::LoadOptions options, const io::PartReaders& readers, std::string& why,
                                        const Context& context);

// New points for a saved fit: its columns by name, coded and filled as in the fit, with labels where the file has them, as the fit's classes or
// as its measured values.
Loaded load_new_points(const std::string& source, io::LoadOptions options, const SavedFit& saved, const Context& context);

}  // namespace calor::pipeline

// A fit on disk: for support vector machines, under a name that ends in .model, libsvm's file (libsvm_model.h); else one safetensors file with the pipeline's text, the data of the fit in the form they came in (features; sparse.shape, .begin,
// .column and .value; distances), and what its stages kept.  Numbers are F64; in a compact file features are U8, 256 levels between the least and the greatest
// value of each column (features.low, features.step), which whole numbers from 0 to 255 pass through unchanged, and
// what stages kept and tables of distances are F32 where that holds every column to a millionth of its spread.
// The metadata "by_row" lists which of the kept arrays have a row for each of the fit's; files of early versions have none.
#pragma once

#include <string>
#include <vector>

#include "calor/io/coding.h"
#include "calor/io/missing.h"
#include "calor/pipeline/run.h"

namespace calor::pipeline {

struct SavedFit {
  Fit fit;
  std::string pipeline;  // its text; a file has that of the fit's stages, written out
  std::string version, input_hash;
  std::string label;  // the label column's name; "" without
  io::Coding coding{};    // how columns of a file become the fit's features; empty: as numbers by their names
  io::Filling filling{};  // what is done about missing values
  bool compact = false;   // features in 8 bits, what was kept in 32
};

// Atomic.  Throws Fault::usage for a pipeline that cannot place new points, naming the stage, and for one that libsvm's file cannot hold.
void save_fit(const std::string& path, const SavedFit& saved);

// Throws Fault::input for a file that is no fit, is damaged, or holds a pipeline that `stages` do not know.  Numbers that are not finite are damage, named
// by array and row, but for targets that are not known, distances that a pair has not, and minus infinity where geodesic finds no path.
SavedFit load_fit(const std::string& path, const StageList& stages);

}  // namespace calor::pipeline

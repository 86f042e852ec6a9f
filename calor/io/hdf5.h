// Single-cell data in HDF5: AnnData's .h5ad and 10x Genomics' feature-barcode matrices.
// https://anndata.readthedocs.io/en/latest/fileformat-prose.html
// https://www.10xgenomics.com/support/software/cell-ranger/latest/analysis/outputs/cr-outputs-h5-matrices
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/sparse.h"

namespace calor::io {

// Whether a file's first bytes (4 KiB are enough) are those of HDF5, also with a user block before its signature.
bool is_hdf5(std::string_view first_bytes);

// Something told of each row: a column of obs.
struct Annotation {
  std::string name;
  bool text = false;
  std::vector<std::string> texts;  // one per row, "" where missing; UTF-8
  std::vector<double> numbers;     // or one per row, NaN where missing; truth values are 0 and 1
};

// Rows are cells, columns genes (or the coordinates of an obsm array).  One of dense and sparse holds the values, all finite.
struct AnnotatedMatrix {
  std::int64_t rows = 0, columns = 0;
  std::vector<double> dense;         // row-major, or empty
  std::optional<SparseMatrix> sparse;
  std::vector<std::string> row_names, column_names;  // one each, or empty where the file has none
  std::vector<Annotation> annotations;               // by name
  std::vector<std::string> left_out;                 // columns of obs that are neither texts, categories, numbers nor truth values
};

// Which matrix of a .h5ad file: X unless one of them is named.
struct Hdf5Options {
  std::string layer;  // of layers/; "raw" is raw/X where no layer is called so
  std::string obsm;   // of obsm/: its columns are called by it, "X_pca" gives pca1, pca2, ...
};

// Categories become texts.  In a 10x file genes of one name get their id beside it.  Neither external files nor links to
// them are followed.
// Throws Fault::input, naming the file and the place in it, for a damaged file, one that is neither kind (with what it
// holds), an unknown layer or obsm (with those there are), filters that libhdf5 lacks, sizes that do not fit each other, indices
// outside the matrix and values that are not finite; Fault::memory before anything of an announced size is allocated;
// Fault::usage for both options at once.  libhdf5 runs in a child process, for it crashes on some damaged files.
AnnotatedMatrix read_hdf5(const std::string& path, const Hdf5Options& options, const Context& context);

// The same of a file's bytes.
AnnotatedMatrix parse_hdf5(std::string_view bytes, const std::string& place, const Hdf5Options& options, const Context& context);

}  // namespace calor::io

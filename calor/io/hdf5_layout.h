// The two layouts of single-cell data in HDF5 (hdf5.h), each read from an open file.
#pragma once

#include "calor/io/hdf5.h"
#include "calor/io/hdf5_file.h"
#include "calor/io/sparse_assembly.h"

namespace calor::io {

// What is taken from a file: its sparse matrix is still as the file has it, with the place to name in errors.
struct Extracted {
  AnnotatedMatrix matrix;
  std::optional<Compressed> compressed;
  std::string place;
};

// Whether a file's root has the groups of AnnData.
bool is_anndata(const Hdf5Object& root);
Extracted read_anndata(const Hdf5Object& root, const Hdf5Options& options);

// The group of a 10x Genomics file that holds the matrix: "matrix", or before version 3 the one named after the genome; "" when there is none.
std::string tenx_group(const Hdf5Object& root);
Extracted read_tenx(const Hdf5Object& root, const std::string& group);

}  // namespace calor::io

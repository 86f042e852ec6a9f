// Sparse matrices as scipy.sparse.save_npz writes them: a zip of npy arrays named format, shape, data and the indices.
// https://docs.scipy.org/doc/scipy/reference/generated/scipy.sparse.save_npz.html
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/sparse.h"
#include "calor/io/zip.h"

namespace calor::io {

// Whether an archive's entries are those of a sparse matrix, of any of scipy's formats.
bool is_scipy_sparse(const std::vector<ZipEntry>& entries);

// A csr, csc or coo matrix (or array of two dimensions), of any numeric type but complex.  Entries at the same place add up,
// explicit zeros vanish.  Throws Fault::input, naming `place` and the array, for scipy's other formats, a damaged file,
// values that are not finite, and indices outside the matrix; Fault::memory before anything of the matrix's size is allocated.
SparseMatrix parse_scipy_sparse(std::string_view zip_bytes, const std::string& place, const Context& context);

// The csr matrix of the arrays PREFIXdata, PREFIXindices, PREFIXindptr and PREFIXshape, of several in one archive.  Throws the same.
SparseMatrix parse_prefixed_csr(std::string_view zip_bytes, const std::string& prefix, const std::string& place, const Context& context);

}  // namespace calor::io

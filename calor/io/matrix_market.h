// The Matrix Market exchange formats: https://math.nist.gov/MatrixMarket/formats.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "calor/core/progress.h"
#include "calor/io/sparse.h"

namespace calor::io {

struct MatrixMarket {
  SparseMatrix matrix;
  bool array = false;      // every value is listed, column by column; else entries with their places
  bool pattern = false;    // places alone: every value is 1
  bool symmetric = false;  // one triangle is stored
  bool skew = false;       // skew-symmetric: the other triangle has the opposite sign
  std::int64_t stored = 0; // entries as listed, before a triangle is mirrored and zeros vanish
};

// Whether a text begins with "%%MatrixMarket" (or with one "%", as some programs write it), in any case.
bool is_matrix_market(std::string_view text);

// A matrix of real numbers, integers or a pattern; general, symmetric or skew-symmetric, of which both triangles are given
// back.  Entries at the same place add up.  Lines end by LF, CR or both; empty ones and those that begin with "%" are skipped.
// Throws Fault::input, naming `place` and the line, for complex and Hermitian matrices, indices outside the matrix, other
// than the announced number of entries, and values that are not finite; Fault::memory before anything of the announced size is allocated.
MatrixMarket parse_matrix_market(std::string_view text, const std::string& place, const Context& context);

}  // namespace calor::io

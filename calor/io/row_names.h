// Which column of a separated text names the rows rather than measuring them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/io/csv_layout.h"
#include "calor/io/dataset.h"

namespace calor::io {

// The column counted from 0, or -1: the first column when its header is empty or says name, id, index or row (any case); else the
// first column whose cell in the first row is a word (and does not begin like a number).  Never the label, a feature that a saved model knows, or the only column.
// Throws Fault::input for a column without a name that does not name the rows, and for a first line that could as well be a row: a
// text there, and numbers everywhere else.
std::int64_t find_row_names(const CsvLayout& layout, const LoadOptions& options, const std::string& place);

// Whether the header says that the column names the rows; then its texts may repeat, otherwise they have to differ.
bool says_row_name(const CsvLayout& layout, std::int64_t column);

// The texts, when no two are the same; else the number (from 0) of the first that was there before, in `repeated`.
bool all_different(const std::vector<std::string>& texts, std::size_t& repeated);

}  // namespace calor::io

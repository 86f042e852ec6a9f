// libsvm's sparse text: a line a row, "label index:value index:value ...", what is not named is 0; "#" begins a comment.
#pragma once

#include <string>
#include <string_view>

#include "calor/io/dataset.h"

namespace calor::io {

// Whether the first rows are a number (or numbers with commas) and then index:value pairs, at least one of them.
bool is_libsvm(std::string_view text);

// Columns are "x1".."xN" up to the largest index, or "x0".. where an index is 0; with options.features theirs, in their order.  The label
// is called "label"; without options.labelled it is the first column.  Values become dense: rows x columns x 4 bytes, asked of the limit.
// Throws Fault::input, naming line and cell, for a label or value that is no finite number, an index twice in a row, one that the features lack;
// Fault::memory.
Dataset parse_libsvm(std::string_view text, const std::string& place, const LoadOptions& options, const Context& context);

}  // namespace calor::io

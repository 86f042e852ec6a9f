// libsvm's sparse text: a line per row, "label index:value index:value ...", what is not named is 0; "#" begins a comment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/labels.h"
#include "calor/io/sparse.h"

namespace calor::io {

// Whether most of the first rows that hold more than a number are a number (or numbers with commas) and then index:value pairs.
bool is_libsvm(std::string_view text);

struct SparseRows {
  SparseMatrix matrix;
  std::vector<std::string> features;
  LabelTexts labels{"line"};
};

// Columns are "x1".."xN" up to the largest index, or "x0".. where an index is 0; with `features`, a saved model's, theirs in their order.
// Throws Fault::input, "[libsvm] wrong input format at line ..." as libsvm has it, for a label or value that is no finite number; an index
// twice in a row, one that the features lack; Fault::memory.
SparseRows parse_libsvm(std::string_view text, const std::string& place, const std::vector<std::string>& features, const Context& context);

}  // namespace calor::io

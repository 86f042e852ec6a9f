// How a separated text is laid out: separator, header, columns and where the rows begin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "calor/io/dataset.h"

namespace calor::io {

struct CsvLayout {
  char delimiter = ',';                  // ' ': runs of blanks
  bool named = false;                    // the names come from a header, or were given
  std::vector<std::string> names;        // one a column
  std::vector<std::string> first_row;    // the cells of the first row of data; empty without one
  std::int64_t first_line = 1;           // where the cells of a row were counted
  bool skip_first_row = false;           // a header or an announcement stands before the rows
  // scikit-learn's layout: the first line is "rows,columns,class,class,..." and the last column indexes the classes.
  std::vector<std::string> class_names;
  std::int64_t announced_rows = -1;
};

// The text without a byte order mark.  Throws Fault::input for text that is empty, binary or UTF-16.
std::string_view plain_text(std::string_view bytes, const std::string& place);

// Looks at the first two lines.  `names`, where not empty, are the names of a text that has no header.
// Throws Fault::input for header cells that are empty (but the first) or twice the same.
CsvLayout find_layout(std::string_view text, const std::vector<std::string>& names, const LoadOptions& options,
                      const std::string& place);

}  // namespace calor::io

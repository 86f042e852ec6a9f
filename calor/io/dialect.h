// How a separated text is laid out: what separates cells, how numbers are written, what is a comment, and whether a line names the columns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calor/io/text_source.h"

namespace calor::io {

// What a person says of a text; everything else is guessed, and said.
struct TextOptions {
  std::optional<bool> header;
  std::optional<char> delimiter;      // ' ': runs of blanks
  std::optional<char> decimal;        // '.' or ','
  std::string encoding;               // "": UTF-8, or UTF-16 where the bytes tell
};

struct Dialect {
  char delimiter = ',';               // ' ': runs of blanks
  char decimal = '.';
  bool header = false;                // the names come from a line of the text
  bool names_rows = false;            // its header is one cell short, as R's write.table has it: the first column holds the rows' names
  bool ends_empty = false;            // every row ends in a separator that the header has not; the empty cell behind it is no column
  std::vector<std::string> names;     // one per column; "x1".. without a header
  std::int64_t header_line = 0;       // 0: none
  std::int64_t first_line = 1;        // of the first row of data, or of the header: where the cells of a row were counted
  std::vector<bool> texts;            // columns that hold a text in the lines looked at
  std::string remark;                 // on a header that could as well be a row; "" where there is no doubt
  // scikit-learn's layout: the first line is "rows,columns,class,class,..." and the last column indexes the classes.
  std::vector<std::string> class_names;
  std::int64_t announced_rows = -1;
};

// Whether a line is a comment: "# ..." and "% ...", and where `cells` is not what a row has, any that begins so ("#tag,1,2" is a row).
bool is_comment(std::string_view row, std::size_t cells, std::size_t expected);

// What kind of cell a text is.  `nearly`: begins like a number ("5x", "1,234", "10 %", "2024-05-01"), or is one with a wrong sign or blanks.
enum class CellKind { number, missing, infinite, nearly, word };
CellKind kind_of(std::string_view cell, char decimal);

// The number in a cell as a person may write it ("+1", "1e-400" is 0), by the decimal mark; nothing for any other text.
std::optional<double> number_in(std::string_view cell, char decimal);

// "comma", "tab", ... , and back ("," or "comma"); nothing for what cannot separate cells.
std::string delimiter_name(char delimiter);
std::optional<char> parse_delimiter(std::string_view text);

// The beginning of a text, whole lines only: 256 KB, or more until it has a few lines.
std::string beginning_of(TextSource& source);

// Looks at the first lines.  `names`, where not empty, are the names of a text that has no header.  `label`, where not "", is the name or
// position of a label column, which may tell what is a header.  `nodes`: the text is a list of edges, whose first cells are names.
// Throws Fault::input for header cells that are twice the same, not UTF-8, or empty (but the first), and for a first line that fits
// nothing after it.
Dialect find_dialect(TextSource& source, const TextOptions& options, const std::vector<std::string>& names, const std::string& label, bool nodes,
                     const std::string& place);

}  // namespace calor::io

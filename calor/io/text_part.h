// A separated text that several processes read in parts.  Each makes cells of its own lines; what decides about columns (which hold texts, which one is the
// label, ...) is put together, so that values, labels, names and errors are those of data_of_text on the whole.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/dataset.h"

namespace calor::io {

// This reader among all; both functions are called by all of them in the same order.
struct PartReaders {
  int own = 0, count = 1;
  std::function<std::vector<std::string>(const std::string&)> all;       // what each says, in order
  std::function<void(const std::function<void()>&)> together;            // runs what each does by itself; the first one's error is thrown in all
};

struct PartOfText {
  Dataset data;                // of all rows, the same for all readers, but without values and hash
  std::vector<double> values;  // of the own rows, row-major: those of the readers in order are all rows
};

// Bytes of the file are shared out evenly, each part's ends moved on to the next line's beginning.  Nothing where a file is not read in parts, and load_dataset must
// read the whole: other than plain separated text in UTF-8, labels in a file of their own, missing values to be filled in, a first line of scikit-learn's
// layout, and quoted cells that hold line ends, for where a row begins is not known there before all is read (`why` says that, which a person cannot know).
// 8 bytes for each cell of the part, each distinct text of a column of texts, and 8 bytes a row for one more column.  Reads the part once to count its lines.
// Throws as load_dataset, the same error in all.
std::optional<PartOfText> load_part(const std::string& path, const LoadOptions& options, const PartReaders& readers, std::string& why, const Context& context);

}  // namespace calor::io

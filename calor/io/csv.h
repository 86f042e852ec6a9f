// Separated text to a data set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "calor/io/dataset.h"
#include "calor/io/labels.h"

namespace calor::io {

// Fills rows, columns, values, features, label, labels and classes.  `names`, where not empty, are the columns' names
// of a text without a header.  One pass over the text; memory: the text and the values, checked before they are
// allocated. Throws Fault::input, naming `place`, the line and the column, with a remedy.
Dataset parse_csv(std::string_view bytes, const std::string& place, const std::vector<std::string>& names,
                  const LoadOptions& options, const Context& context);

// The labels of a text with a single column, with or without a header.
LabelTexts parse_label_csv(std::string_view bytes, const std::string& place, const Context& context);

}  // namespace calor::io

// Which column of a table is the label and which are features.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calor/io/dataset.h"

namespace calor::io {

constexpr std::int64_t label_role = -1, ignored_role = -2, row_name_role = -3;

struct Columns {
  std::vector<std::int64_t> roles;    // one a column: the feature's index or one of the roles above
  std::vector<std::string> features;  // their names
  std::int64_t label = -1;            // its column, counted from 0; -1: none
};

// "x1".."xN": what columns without a header are called.
std::vector<std::string> generic_names(std::int64_t count);

// The column that `text` means, counted from 0: a name, else a position from 1 (negative: from the end), also as "x1".
// Throws Fault::input with the columns there are and the nearest name.
std::int64_t find_column(const std::vector<std::string>& names, const std::string& text, const std::string& place);

// The position that "3", "-1" or "x3" means among `count` columns, counted from 0; nothing for any other text.
std::optional<std::int64_t> column_position(std::string_view text, std::int64_t count);

// A column named as labels usually are (label, class, target, y in any case), else the last one.
std::int64_t usual_label(const std::vector<std::string>& names);

// Decides by LoadOptions::label, labelled and features (dataset.h); `named` says that the names come from the file.
// Column `row_names`, where not -1, names the rows and counts for nothing else.
// Throws Fault::input for an unknown label column, missing features, or no feature at all.
Columns assign_columns(const std::vector<std::string>& names, bool named, const LoadOptions& options,
                       const std::string& place, std::int64_t row_names = -1);

}  // namespace calor::io

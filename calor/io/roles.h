// What the columns of a table are: features, the label, the rows' names.  One policy for every command; docs/data.md tells it in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calor/io/dataset.h"
#include "calor/io/table.h"

namespace calor::io {

struct Roles {
  std::vector<std::int64_t> features;  // columns counted from 0, in the order of the features
  std::int64_t label = -1, names = -1; // -1: none
  std::int64_t kept = -1;              // LoadOptions::kept, likewise
  std::vector<std::int64_t> left_out;  // neither
  std::string names_because;           // why a column that does not say so names the rows; "" where its header or --names does
};

// "x1".."xN": what columns without a header are called.
std::vector<std::string> generic_names(std::int64_t count);

// The column that `text` means, counted from 0: a name, else a position from 1 (negative: from the end), also as "x1".
// Throws Fault::input with the columns there are and the nearest name.
std::int64_t find_column(const std::vector<std::string>& names, const std::string& text, const std::string& place);

// The position that "3", "-1" or "x3" means among `count` columns, counted from 0; nothing for any other text.
std::optional<std::int64_t> column_position(std::string_view text, std::int64_t count);

// The columns of `all` that LoadOptions::select names, in its order; or all but those with "!".
std::vector<std::int64_t> selected_columns(const std::vector<std::string>& names, std::vector<std::int64_t> all, const LoadOptions& options, const std::string& place);

// The columns that a saved model's features have here, by their names; nothing where their count decides, as names such as "x1" may be
// positions alone.  Throws Fault::input for a feature that is not there.
std::optional<std::vector<std::int64_t>> columns_by_name(const std::vector<std::string>& names, bool named, const std::vector<std::string>& wanted, const std::string& place);

// Whether a name says that a column holds labels: label, class, target or y, in any case.
bool is_label_name(std::string_view name);

// Whether a header says that its column names the rows: "", name, id, index, row, rownames, "Unnamed: 0", "...1" and the like.
bool is_names_name(std::string_view name);

// Columns that will be labels or names whatever their cells are, known before a text is read, so that their texts are kept as they are.
std::vector<std::int64_t> columns_of_texts(const Dialect& dialect, const LoadOptions& options);

// Decides by LoadOptions (dataset.h).  Throws Fault::input for an unknown column, a saved model's feature that is missing, or no feature
// at all.
Roles assign_roles(const Table& table, const LoadOptions& options, const std::string& place);

}  // namespace calor::io

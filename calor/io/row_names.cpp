#include "calor/io/row_names.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "calor/core/error.h"
#include "calor/io/columns.h"
#include "calor/io/number.h"

namespace calor::io {

namespace {

// A word, and not a number with a mistake in it ("1,5", "5x").
bool is_text(const std::string& cell) {
  return !parse_number(cell) && !is_missing(cell) && std::string_view("+-.,0123456789").find(cell[0]) == std::string_view::npos;
}

// The label's column as far as the options and the names say; -1: none.
std::int64_t label_column(const CsvLayout& layout, const LoadOptions& options) {
  if (!options.labelled) return -1;
  if (!options.label) return options.features.empty() ? usual_label(layout.names) : -1;
  const auto named = std::ranges::find(layout.names, *options.label);
  if (named != layout.names.end()) return named - layout.names.begin();
  return column_position(*options.label, static_cast<std::int64_t>(layout.names.size())).value_or(-1);
}

}  // namespace

bool says_row_name(const CsvLayout& layout, std::int64_t column) {
  if (!layout.named || column != 0) return false;
  const std::string name = lower_case(layout.names.front());
  return name.empty() || name == "name" || name == "id" || name == "index" || name == "row";
}

std::int64_t find_row_names(const CsvLayout& layout, const LoadOptions& options, const std::string& place) {
  const std::int64_t label = label_column(layout, options);
  const auto taken = [&](std::int64_t column) {
    return column == label || std::ranges::find(options.features, layout.names[static_cast<std::size_t>(column)]) != options.features.end();
  };
  const auto count = static_cast<std::int64_t>(layout.names.size());
  if (count > 1 && says_row_name(layout, 0) && !taken(0)) return 0;
  require(!layout.names.front().empty(), Fault::input,
          "[csv] expected a name for every column, found none for column 1 ({}, line {}): name it", place, layout.first_line);
  if (count < 2 || layout.first_row.size() != layout.names.size() || !layout.class_names.empty()) return -1;
  if (options.labelled && options.label && label < 0) {
    if (options.features.empty()) return -1;                                                   // an unknown label is the error to see
    if (count <= static_cast<std::int64_t>(options.features.size()) + 1) return -1;            // one column more is the label
  }
  for (std::int64_t column = 0; column < count; ++column) {
    if (taken(column) || !is_text(layout.first_row[static_cast<std::size_t>(column)])) continue;
    std::int64_t numbers = 0;
    for (const std::string& name : layout.names) numbers += parse_number(name).has_value();
    require(!layout.named || numbers == 0 || numbers < count - 1, Fault::input,
            "[csv] expected a header, found a line that could be a row: \"{}\" in column {} and numbers elsewhere ({}, line {}): "
            "put a line of names before it, or name column {} \"name\" if these are names",
            layout.names[static_cast<std::size_t>(column)], column + 1, place, layout.first_line, column + 1);
    return column;
  }
  return -1;
}

bool all_different(const std::vector<std::string>& texts, std::size_t& repeated) {
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (!seen.insert(texts[i]).second) {
      repeated = i;
      return false;
    }
  return true;
}

}  // namespace calor::io

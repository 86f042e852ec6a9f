#include "calor/io/columns.h"

#include <algorithm>
#include <charconv>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"

namespace calor::io {

std::vector<std::string> generic_names(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 1; i <= count; ++i) names.push_back(fmt::format("x{}", i));
  return names;
}

namespace {

bool is_generic(const std::string& name) {
  return name.starts_with('x') && name.size() > 1 && name.find_first_not_of("0123456789", 1) == std::string::npos;
}

std::optional<std::int64_t> find_name(const std::vector<std::string>& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return {};
  return found - names.begin();
}

// A name, else a position; nothing when it is neither.
std::optional<std::int64_t> try_find_column(const std::vector<std::string>& names, const std::string& text) {
  if (const auto by_name = find_name(names, text)) return by_name;
  return column_position(text, static_cast<std::int64_t>(names.size()));
}

// Everything but the label is a feature, in the file's order.
Columns in_order(const std::vector<std::string>& names, std::int64_t label) {
  Columns columns;
  columns.label = label;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_label = static_cast<std::int64_t>(i) == label;
    columns.roles.push_back(is_label ? label_role : static_cast<std::int64_t>(columns.features.size()));
    if (!is_label) columns.features.push_back(names[i]);
  }
  return columns;
}

std::optional<std::int64_t> given_label(const std::vector<std::string>& names, const LoadOptions& options, const std::string& place) {
  return options.label_must_exist ? find_column(names, *options.label, place) : try_find_column(names, *options.label);
}

// A saved model's features, found by name in any order; the label where there is one; the rest ignored.
Columns by_name(const std::vector<std::string>& names, const LoadOptions& options, const std::string& place) {
  Columns columns;
  columns.roles.assign(names.size(), ignored_role);
  columns.features = options.features;
  for (std::size_t i = 0; i < options.features.size(); ++i) {
    const std::string& feature = options.features[i];
    const auto found = find_name(names, feature);
    const std::string nearest = nearest_name(feature, names);
    require(found.has_value(), Fault::input,
            "[data] expected a column \"{}\" as in the data the model was trained on, found {} ({}){}: add or rename "
            "the column",
            feature, list_names(names), place, nearest.empty() ? "" : fmt::format(", nearest \"{}\"", nearest));
    columns.roles[static_cast<std::size_t>(*found)] = static_cast<std::int64_t>(i);
  }
  std::optional<std::int64_t> label;
  if (options.label) label = given_label(names, options, place);
  else if (names.size() == options.features.size() + 1) label = usual_label(names);
  if (options.labelled && label && columns.roles[static_cast<std::size_t>(*label)] == ignored_role) {
    columns.label = *label;
    columns.roles[static_cast<std::size_t>(*label)] = label_role;
  }
  return columns;
}

// A saved model's features where names cannot tell: as many columns, or one more, which is the label.
Columns by_count(const std::vector<std::string>& names, const LoadOptions& options, const std::string& place) {
  const std::size_t wanted = options.features.size();
  const bool with_label = options.labelled && names.size() == wanted + 1;
  require(names.size() == wanted || with_label, Fault::input,
          "[data] expected {} feature columns as the model was trained on{}, found {} columns ({}): give the same "
          "columns in "
          "the same order",
          wanted, options.labelled ? " (and perhaps the label)" : "", names.size(), place);
  std::optional<std::int64_t> label;
  if (options.label) label = given_label(names, options, place);
  Columns columns = in_order(names, with_label ? label.value_or(usual_label(names)) : -1);
  columns.features = options.features;
  return columns;
}

}  // namespace

std::optional<std::int64_t> column_position(std::string_view text, std::int64_t count) {
  if (text.starts_with('x')) text.remove_prefix(1);
  std::int64_t position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  if (position == 0 || position > count || position < -count) return {};
  return position > 0 ? position - 1 : count + position;
}

std::int64_t find_column(const std::vector<std::string>& names, const std::string& text, const std::string& place) {
  if (const auto found = try_find_column(names, text)) return *found;
  std::int64_t position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  require(error != std::errc() || end != text.data() + text.size(), Fault::input,
          "[data] expected a column position from 1 to {}, or from -{} to -1 for counting from the end, found \"{}\" ({}); the columns are {}",
          names.size(), names.size(), text, place, list_names(names));
  const std::string nearest = nearest_name(text, names);
  fail(Fault::input,
       "[data] expected a column name or a position from 1 to {}, found \"{}\" ({}); the columns are {}: {}",
       names.size(), text, place, list_names(names),
       nearest.empty() ? "choose one of them" : fmt::format("did you mean \"{}\"?", nearest));
}

std::int64_t usual_label(const std::vector<std::string>& names) {
  for (const char* usual : {"label", "class", "target", "y"})
    for (std::size_t i = 0; i < names.size(); ++i)
      if (lower_case(names[i]) == usual) return static_cast<std::int64_t>(i);
  return static_cast<std::int64_t>(names.size()) - 1;
}

Columns assign_columns(const std::vector<std::string>& names, bool named, const LoadOptions& options,
                       const std::string& place, std::int64_t row_names) {
  if (row_names >= 0) {
    std::vector<std::string> others = names;
    others.erase(others.begin() + row_names);
    LoadOptions chosen = options;
    // A position counts all columns.
    if (chosen.label && !find_name(names, *chosen.label))
      if (const auto position = column_position(*chosen.label, static_cast<std::int64_t>(names.size())))
        chosen.label = names[static_cast<std::size_t>(*position)];
    Columns columns = assign_columns(others, named, chosen, place);
    columns.roles.insert(columns.roles.begin() + row_names, row_name_role);
    if (columns.label >= row_names) ++columns.label;
    return columns;
  }
  if (!options.features.empty()) {
    const auto is_there = [&](const std::string& feature) { return find_name(names, feature).has_value(); };
    // Names such as x1 may be positions only: they tell where the file has one of them.
    const bool tells = !std::ranges::all_of(options.features, is_generic) || std::ranges::any_of(options.features, is_there);
    return named && tells ? by_name(names, options, place) : by_count(names, options, place);
  }
  const std::int64_t label = !options.labelled ? -1
                             : options.label   ? find_column(names, *options.label, place)
                                               : usual_label(names);
  Columns columns = in_order(names, label);
  require(!columns.features.empty(), Fault::input,
          "[data] expected feature columns beside the label column \"{}\", found none ({}): check the separator and "
          "the file",
          names[static_cast<std::size_t>(label)], place);
  return columns;
}

}  // namespace calor::io

#include "calor/io/roles.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/labels.h"
#include "calor/io/number.h"

namespace calor::io {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view none = "none";

bool is_generic(const std::string& name) {
  return name.starts_with('x') && name.size() > 1 && name.find_first_not_of("0123456789", 1) == std::string::npos;
}

std::optional<std::int64_t> find_name(const Names& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return {};
  return found - names.begin();
}

// A name, else a position; nothing when it is neither.
std::optional<std::int64_t> try_find_column(const Names& names, const std::string& text) {
  if (const auto by_name = find_name(names, text)) return by_name;
  return column_position(text, static_cast<std::int64_t>(names.size()));
}

// The column that is kept as texts, by its name in any case; -1: none.
std::int64_t find_kept(const Names& names, const LoadOptions& options) {
  const auto found = std::ranges::find_if(names, [&](const std::string& name) { return !options.kept.empty() && lower_case(name) == options.kept; });
  return found == names.end() ? -1 : found - names.begin();
}

// The last column but for that.
std::int64_t last_column(const Names& names, std::int64_t kept) {
  const auto last = static_cast<std::int64_t>(names.size()) - 1;
  return last == kept && last > 0 ? last - 1 : last;
}

bool means_none(const std::optional<std::string>& option, const Names& names) { return option && *option == none && !find_name(names, none); }

std::optional<std::int64_t> usual_label(const Names& names, const std::set<std::int64_t>& taken) {
  for (const char* usual : {"label", "class", "target", "y"})
    for (std::size_t i = 0; i < names.size(); ++i)
      if (lower_case(names[i]) == usual && !taken.contains(static_cast<std::int64_t>(i))) return static_cast<std::int64_t>(i);
  return {};
}

bool is_whole(double value) { return value == std::floor(value); }

// Whole numbers, none missing.
bool holds_whole_numbers(const Table& table, std::int64_t column) {
  const Column& whole = table.columns[static_cast<std::size_t>(column)];
  if (whole.numbers != table.rows) return false;
  for (std::int64_t id = 0; whole.text && id < whole.texts.size(); ++id)
    if (!is_whole(*number_in(trim(whole.texts.text(id)), table.decimal))) return false;
  for (std::int64_t i = 0; !whole.text && i < table.rows; ++i)
    if (!is_whole(table.cell(i, column))) return false;
  return true;
}

// Whole numbers, none missing, none twice.
bool all_different_numbers(const Table& table, std::int64_t column) {
  const Column& whole = table.columns[static_cast<std::size_t>(column)];
  if (whole.text || whole.numbers != table.rows) return false;
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(table.rows));
  for (std::int64_t i = 0; i < table.rows; ++i) {
    values.push_back(table.cell(i, column));
    if (values.back() != std::floor(values.back())) return false;
  }
  std::sort(values.begin(), values.end());
  return std::adjacent_find(values.begin(), values.end()) == values.end();
}

// 0, 1, 2, ... or 1, 2, 3, ...
bool is_running_number(const Table& table, std::int64_t column) {
  constexpr std::int64_t fewest = 3;
  if (table.rows < fewest || table.columns[static_cast<std::size_t>(column)].text) return false;
  const double first = table.cell(0, column);
  if (first != 0 && first != 1) return false;
  for (std::int64_t i = 0; i < table.rows; ++i)
    if (table.cell(i, column) != first + static_cast<double>(i)) return false;
  return true;
}

bool all_different_texts(const Column& column) { return column.text && column.missing == 0 && column.texts.size() == column.words + column.nearly + column.numbers + column.infinite; }

// A name that ends as those of identifiers do: "paper_id", "sampleID".
bool ends_like_identifier(const std::string& name) {
  const std::string lower = lower_case(name);
  return lower.ends_with("_id") || lower.ends_with(" id") || lower.ends_with(".id") || lower.ends_with("-id") || (name.size() > 2 && (name.ends_with("ID") || name.ends_with("Id")));
}

// Names that a running number has; "x" beside a "y" is a coordinate.
bool numbers_rows(const Names& names) {
  static const std::set<std::string> usual{"x", "v1", "no", "no.", "nr", "nr.", "n", "#", "num", "number", "key", "obs", "observation", "case", "line", "rank"};
  const std::string first = lower_case(names.front());
  if (first == "x" && std::ranges::any_of(names, [](const std::string& name) { return lower_case(name) == "y"; })) return false;
  return usual.contains(first);
}

// More different texts than half of more than twenty, as looks_measured has it.
bool mostly_different(const Column& column) {
  if (!column.of_words() || column.of_truth()) return false;
  std::int64_t different = 0, cells = 0;
  for (std::int64_t id = 0; id < column.texts.size(); ++id) {
    if (is_missing(trim(column.texts.text(id)))) continue;
    ++different;
    cells += column.texts.count(id);
  }
  return looks_measured(different, cells);
}

struct Naming {
  std::int64_t column = -1;
  std::string because;
};

// The column that names the rows, where nobody says; never one of `taken`.
Naming find_names(const Table& table, const Names& names, const std::set<std::int64_t>& taken, const LoadOptions& options) {
  const std::int64_t width = table.width();
  const auto free = [&](std::int64_t column) { return !taken.contains(column); };
  if (width < 2) return {};
  const Column& first = table.columns.front();
  if (table.named && free(0) && is_names_name(names[0])) {
    // Measured values are no names, whatever the header says ("index" is refraction's too).
    if (first.words + first.nearly > 0 || holds_whole_numbers(table, 0)) return {0, ""};
  }
  if (free(0) && width > 2 && !options.known()) {
    if (table.named && is_running_number(table, 0) && numbers_rows(names)) return {0, "it numbers the rows"};
    if (table.named && ends_like_identifier(names[0]) && all_different_numbers(table, 0)) return {0, "it holds different whole numbers and is called as identifiers are"};
    if (!table.named && table.unit == "line") {
      constexpr std::int64_t enough = 10;
      const bool different = table.rows >= enough && all_different_numbers(table, 0);
      bool alone = different;
      for (std::int64_t c = 1; alone && c < width; ++c) alone = !all_different_numbers(table, c);
      if (alone) return {0, "it alone holds different whole numbers"};
    }
  }
  for (std::int64_t c = 0; c < width; ++c) {
    const Column& column = table.columns[static_cast<std::size_t>(c)];
    if (free(c) && column.of_words() && !column.of_truth() && all_different_texts(column) && !(table.named && is_label_name(names[static_cast<std::size_t>(c)]))) return {c, "its texts are all different"};
  }
  for (std::int64_t c = 0; c < width && options.labels == LabelUse::shown && !options.known(); ++c)
    if (free(c) && mostly_different(table.columns[static_cast<std::size_t>(c)])) return {c, "most of its texts are different"};
  return {};
}

// The only column of words that is neither; nothing where there are several or none.
std::optional<std::int64_t> only_words(const Table& table, const std::set<std::int64_t>& taken) {
  std::optional<std::int64_t> found;
  for (std::int64_t c = 0; c < table.width(); ++c) {
    const Column& column = table.columns[static_cast<std::size_t>(c)];
    if (taken.contains(c) || !column.of_words() || column.of_truth()) continue;
    if (found) return {};
    found = c;
  }
  return found;
}

Names names_of(const Table& table) {
  Names names;
  for (const Column& column : table.columns) names.push_back(column.name);
  return names;
}

// Whether the features a saved model knows are found by name here, and else by count.
bool by_name(const Names& names, bool named, const Names& wanted) {
  const auto is_there = [&](const std::string& feature) { return find_name(names, feature).has_value(); };
  // Names such as x1 may be positions only: they tell where the file has one of them.
  return named && (!std::ranges::all_of(wanted, is_generic) || std::ranges::any_of(wanted, is_there));
}

// A saved model's columns, by name in any order, or by their count; the label where there is one; the rest left out.
void known_features(Roles& roles, const Table& table, const Names& names, const LoadOptions& options, const std::string& place) {
  const Names wanted = options.coding.inputs();
  std::set<std::int64_t> used;
  const auto is_free = [&](std::int64_t column) { return column >= 0 && !used.contains(column) && column != roles.names && column != roles.kept; };
  std::optional<std::int64_t> label;
  if (options.labels != LabelUse::none && options.label && !means_none(options.label, names))
    label = options.label_must_exist ? find_column(names, *options.label, place) : try_find_column(names, *options.label);
  if (auto found = columns_by_name(names, table.named, wanted, place)) {
    roles.features = *std::move(found);
    used.insert(roles.features.begin(), roles.features.end());
    if (!options.label && names.size() == wanted.size() + 1 + (roles.names >= 0) + (roles.kept >= 0)) {
      std::set<std::int64_t> taken = used;
      taken.insert({roles.names, roles.kept});
      label = usual_label(names, taken);
      for (std::int64_t c = table.width() - 1; !label && c >= 0; --c)
        if (is_free(c)) label = c;
    }
    if (options.labels != LabelUse::none && label && is_free(*label)) roles.label = *label;
    return;
  }
  std::vector<std::int64_t> columns;
  for (std::int64_t c = 0; c < table.width(); ++c)
    if (c != roles.names && c != roles.kept) columns.push_back(c);
  const bool with_label = options.labels != LabelUse::none && columns.size() == wanted.size() + 1;
  require(columns.size() == wanted.size() || with_label, Fault::input,
          "[data] expected {} feature columns as the model was trained on{}, found {} columns ({}): give the same columns in the same order", wanted.size(),
          options.labels != LabelUse::none ? " (and perhaps the label)" : "", columns.size(), place);
  if (with_label) {
    if (label && *label == roles.names) label.reset();
    std::set<std::int64_t> taken;
    if (roles.names >= 0) taken.insert(roles.names);
    roles.label = label ? *label : usual_label(names, taken).value_or(columns.back());
    std::erase(columns, roles.label);
  }
  roles.features = std::move(columns);
}

}  // namespace

std::vector<std::int64_t> selected_columns(const Names& names, std::vector<std::int64_t> all, const LoadOptions& options, const std::string& place) {
  if (options.select.empty()) return all;
  const bool without = options.select.front().starts_with('!');
  std::vector<std::int64_t> listed;
  for (const std::string& item : options.select) {
    require(item.starts_with('!') == without, Fault::usage, "[data] expected --features with names alone or with \"!\" before each, found \"{}\" among others ({})", item, place);
    const std::int64_t column = find_column(names, without ? item.substr(1) : item, place);
    require(std::ranges::find(listed, column) == listed.end(), Fault::usage, "[data] expected each column once in --features, found \"{}\" twice ({}): leave one out",
            names[static_cast<std::size_t>(column)], place);
    listed.push_back(column);
  }
  if (without) {
    std::erase_if(all, [&](std::int64_t column) { return std::ranges::find(listed, column) != listed.end(); });
    return all;
  }
  return listed;
}

std::optional<std::vector<std::int64_t>> columns_by_name(const Names& names, bool named, const Names& wanted, const std::string& place) {
  if (!by_name(names, named, wanted)) return {};
  std::map<std::string_view, std::int64_t> index;
  for (std::size_t c = 0; c < names.size(); ++c) index.emplace(names[c], c);
  std::vector<std::int64_t> columns;
  for (const std::string& feature : wanted) {
    const auto found = index.find(feature);
    if (found == index.end()) {
      const std::string nearest = nearest_name(feature, names);
      fail(Fault::input, "[data] expected a column \"{}\" as in the data the model was trained on, found {} ({}){}: add or rename the column", feature, list_names(names), place,
           nearest.empty() ? "" : fmt::format(", nearest \"{}\"", nearest));
    }
    columns.push_back(found->second);
  }
  return columns;
}

Names generic_names(std::int64_t count) {
  Names names;
  for (std::int64_t i = 1; i <= count; ++i) names.push_back(fmt::format("x{}", i));
  return names;
}

std::optional<std::int64_t> column_position(std::string_view text, std::int64_t count) {
  if (text.starts_with('x')) text.remove_prefix(1);
  std::int64_t position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  if (position == 0 || position > count || position < -count) return {};
  return position > 0 ? position - 1 : count + position;
}

std::int64_t find_column(const Names& names, const std::string& text, const std::string& place) {
  if (const auto found = try_find_column(names, text)) return *found;
  std::int64_t position = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
  require(error != std::errc() || end != text.data() + text.size(), Fault::input,
          "[data] expected a column position from 1 to {}, or from -{} to -1 for counting from the end, found \"{}\" ({}); the columns are {}",
          names.size(), names.size(), text, place, list_names(names));
  const std::string nearest = nearest_name(text, names);
  fail(Fault::input, "[data] expected a column name or a position from 1 to {}, found \"{}\" ({}); the columns are {}: {}", names.size(), text, place,
       list_names(names), nearest.empty() ? "choose one of them" : fmt::format("did you mean \"{}\"?", nearest));
}

bool is_label_name(std::string_view name) {
  const std::string lower = lower_case(name);
  return lower == "label" || lower == "class" || lower == "target" || lower == "y";
}

bool is_names_name(std::string_view name) {
  static const std::set<std::string> usual{"", "name", "names", "id", "index", "row", "rowname", "rownames", "row_name", "row_names", "row.names", "rowid", "row_id", "...1", "uuid"};
  const std::string lower = lower_case(name);
  return usual.contains(lower) || lower.starts_with("unnamed: ");
}

std::vector<std::int64_t> columns_of_texts(const Dialect& dialect, const LoadOptions& options) {
  const Names& names = dialect.names;
  const auto width = static_cast<std::int64_t>(names.size());
  std::vector<std::int64_t> columns;
  const Names known = options.coding.inputs();
  const auto add = [&](std::optional<std::int64_t> column) {
    if (column && *column >= 0 && *column < width && (known.empty() || std::ranges::find(known, names[static_cast<std::size_t>(*column)]) == known.end())) columns.push_back(*column);
  };
  std::optional<std::int64_t> label;
  if (options.labels != LabelUse::none && !options.measured && !means_none(options.label, names)) {
    if (options.label) label = try_find_column(names, *options.label);
    else if (options.labels == LabelUse::expected && known.empty()) label = usual_label(names, {}).value_or(last_column(names, find_kept(names, options)));
    add(label);
  }
  add(find_kept(names, options));
  if (options.names && !means_none(options.names, names)) add(try_find_column(names, *options.names));
  else if (!options.names && width > 1 && (dialect.header || dialect.names_rows) && is_names_name(names[0]) && label != 0) add(0);
  return columns;
}

Roles assign_roles(const Table& table, const LoadOptions& options, const std::string& place) {
  const Names names = names_of(table);
  Roles roles;
  const bool may_label = options.labels != LabelUse::none && !means_none(options.label, names);
  if (may_label && options.label && !options.known()) roles.label = find_column(names, *options.label, place);

  roles.kept = table.named ? find_kept(names, options) : -1;
  if (roles.kept == roles.label) roles.kept = -1;
  std::set<std::int64_t> taken;
  if (roles.label >= 0) taken.insert(roles.label);
  if (roles.kept >= 0) taken.insert(roles.kept);
  if (may_label && options.label && options.known())
    if (const auto label = try_find_column(names, *options.label)) taken.insert(*label);
  if (options.known()) {
    const Names wanted = options.coding.inputs();
    for (const std::string& feature : wanted)
      if (const auto column = find_name(names, feature)) taken.insert(*column);
    // Where the count decides, the one column more is the label.
    if (!by_name(names, table.named, wanted) && table.width() <= static_cast<std::int64_t>(wanted.size()) + (may_label ? 1 : 0))
      for (std::int64_t c = 0; c < table.width(); ++c) taken.insert(c);
  }
  // Never names unless --names says so: a column that is usually the label stays it, even with different texts; and what is asked for as a feature.
  std::set<std::int64_t> not_names = taken;
  if (may_label && !options.label && options.labels == LabelUse::expected && !options.known())
    not_names.insert(usual_label(names, {}).value_or(last_column(names, roles.kept)));
  for (const std::vector<std::string>* asked : {&options.select, &options.one_hot})
    for (const std::string& item : *asked)
      if (!item.starts_with('!') && (item != "auto" || find_name(names, item))) not_names.insert(find_column(names, item, place));
  if (options.names && !means_none(options.names, names)) {
    roles.names = find_column(names, *options.names, place);
    require(roles.names != roles.label, Fault::input, "[data] expected one column for the label and another for the names, found \"{}\" for both ({})",
            names[static_cast<std::size_t>(roles.names)], place);
  } else if (!options.names) {
    const Naming naming = find_names(table, names, not_names, options);
    roles.names = naming.column;
    roles.names_because = naming.because;
  }
  require(roles.names == 0 || !names.front().empty() || table.width() < 2 || means_none(options.names, names), Fault::input, "[csv] expected a name for every column, found none for column 1 ({}): name it, or say what it is with --names", place);
  if (roles.names >= 0) taken.insert(roles.names);

  if (options.known()) {
    known_features(roles, table, names, options, place);
  } else {
    // Names with a few repeated are neither features nor classes to look at.
    if (options.labels == LabelUse::shown)
      for (std::int64_t c = 0; c < table.width(); ++c)
        if (!not_names.contains(c) && mostly_different(table.columns[static_cast<std::size_t>(c)])) taken.insert(c);
    std::set<std::int64_t> set_aside = taken;
    if (may_label && roles.label < 0) {
      std::optional<std::int64_t> label;
      if (options.labels == LabelUse::expected) label = usual_label(names, taken);
      if (!label) label = only_words(table, taken);
      for (std::int64_t c = table.width() - 1; !label && options.labels == LabelUse::expected && c >= 0; --c)
        if (!taken.contains(c)) label = c;
      roles.label = label.value_or(-1);
    }
    std::vector<std::int64_t> others;
    for (std::int64_t c = 0; c < table.width(); ++c)
      if (c != roles.label && !set_aside.contains(c)) others.push_back(c);
    roles.features = selected_columns(names, std::move(others), options, place);
    for (const std::int64_t column : roles.features)
      require(column != roles.label && column != roles.names, Fault::input, "[data] expected features beside the {} \"{}\", found it in --features ({}): leave it out there{}",
              column == roles.label ? "label" : "names", names[static_cast<std::size_t>(column)], place,
              column == roles.label ? (options.label ? "" : ", or say --label none") : (options.names ? "" : ", or say --names none"));
  }
  const bool beside = roles.label >= 0 || roles.names >= 0;
  require(!roles.features.empty(), Fault::input, "[data] expected feature columns{}, found none ({}): check {}",
          beside ? fmt::format(" beside the {} column \"{}\"", roles.label >= 0 ? "label" : "names", names[static_cast<std::size_t>(std::max(roles.label, roles.names))]) : "", place,
          options.select.empty() ? "the separator and the file" : "--features");
  std::vector<bool> used(names.size());
  for (const std::int64_t column : roles.features) used[static_cast<std::size_t>(column)] = true;
  for (std::int64_t c = 0; c < table.width(); ++c)
    if (c != roles.label && c != roles.names && c != roles.kept && !used[static_cast<std::size_t>(c)]) roles.left_out.push_back(c);
  return roles;
}

}  // namespace calor::io

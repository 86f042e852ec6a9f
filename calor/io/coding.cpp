#include "calor/io/coding.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/dataset.h"
#include "calor/io/labels.h"
#include "calor/io/number.h"
#include "calor/io/roles.h"
#include "calor/io/table.h"

namespace calor::io {
namespace {

using Kind = CodedColumn::Kind;
using nlohmann::json;

constexpr const char* kind_names[] = {"number", "truth", "categories"};

// "2024-05-01", "1/5/2024", "01.05.24 12:30", "12:30": one or two digits a group, but for a year of four at either end.
bool looks_like_date(std::string_view text) {
  const std::string_view day = text.substr(0, text.find_first_of(" T"));
  for (const char mark : {'-', '/', '.'}) {
    std::vector<std::size_t> groups{0};
    bool fits = true;
    for (const char c : day) {
      if (c >= '0' && c <= '9') ++groups.back();
      else if (c == mark) groups.push_back(0);
      else fits = false;
    }
    const auto year = [](std::size_t digits) { return digits == 2 || digits == 4; };
    const auto part = [](std::size_t digits) { return digits == 1 || digits == 2; };
    if (fits && groups.size() == 3 && part(groups[1]) && ((year(groups[0]) && part(groups[2])) || (part(groups[0]) && year(groups[2])))) return true;
  }
  const std::size_t colon = text.find(':');
  return colon > 0 && colon < 3 && text.find_first_not_of("0123456789:.") == std::string_view::npos;
}

std::string shown(const std::string& text) {
  constexpr std::size_t most = 40;
  return text.size() > most ? text.substr(0, most) + "..." : text;
}

std::string where(const Table& table, std::int64_t column, std::int64_t line, const std::string& place) {
  const std::string& name = table.columns[static_cast<std::size_t>(column)].name;
  return fmt::format("{}, {} {}, column {}{}", place, table.unit, line, column + 1, table.named ? fmt::format(" \"{}\"", name) : "");
}

// The first cell of a column that cannot be a feature, and why.
struct Complaint {
  std::int64_t line = 0;  // 0: none
  std::string message;
};

Complaint complaint_about(const Table& table, std::int64_t c, const LoadOptions& options, const std::string& place) {
  const Column& column = table.columns[static_cast<std::size_t>(c)];
  Complaint found;
  if (column.words + column.nearly + column.infinite + (options.missing != Missing::refuse ? 0 : column.missing) == 0) return found;
  const auto consider = [&](const FoundCell& cell, const std::string& message) {
    if (cell.line > 0 && (found.line == 0 || cell.line < found.line)) found = {cell.line, message};
  };
  const auto at = [&](const FoundCell& cell) { return where(table, c, cell.line, place); };
  if (options.missing == Missing::refuse)
    consider(column.first_missing,
             fmt::format("[csv] expected a number, found a missing value \"{}\" ({}): remove the row or the column, fill in the value, or have it done by --missing "
                         "drop, mean or neighbours",
                         column.first_missing.text, at(column.first_missing)));
  consider(column.first_infinite, fmt::format("[csv] expected a finite number in the range of float, found \"{}\" ({}): remove the row or the column, or correct the value",
                                              column.first_infinite.text, at(column.first_infinite)));
  const std::string& text = column.first_text.text;
  std::string remedy;
  if (looks_like_date(text))
    remedy = fmt::format("dates and times are not numbers; turn the column into days or seconds, or leave it out with --features {}", shell_quoted("!" + column.name));
  else if (!column.of_words() && text.find_first_of("0123456789") == std::string::npos)
    remedy = fmt::format("leave the cell empty where the value is missing, and see --missing; or leave the column out with --features {}", shell_quoted("!" + column.name));
  else if (!column.of_words() && text.find_first_not_of("+-.,0123456789eE") == std::string::npos && table.decimal == ',')
    remedy = "write numbers without thousands separators: 1234,5, or 1234.5 with a decimal point";
  else if (!column.of_words() && text.find_first_not_of("+-.,0123456789eE") == std::string::npos && text.find(',') != std::string::npos)
    remedy = "write numbers with a decimal point and no thousands separators, or say --decimal comma where the comma is the decimal mark";
  else if (!column.of_words() && text.find_first_not_of("+-.,0123456789eE") == std::string::npos)
    remedy = "write numbers with one decimal point (or, with --decimal comma, one decimal comma) and no thousands separators";
  else if (column.of_words())
    remedy = fmt::format("make it the label with --label {0}, the rows' names with --names {0}, leave it out with --features {1}, or turn it into columns of 0 and 1 "
                         "with --one-hot {0}",
                         shell_quoted(column.name), shell_quoted("!" + column.name));
  else
    remedy = fmt::format("turn the column into numbers, remove it or leave it out with --features {1}, or make it the label with --label {0}", shell_quoted(column.name), shell_quoted("!" + column.name));
  consider(column.first_text, fmt::format("[csv] expected a number, found \"{}\" ({}): {}", shown(text), at(column.first_text), remedy));
  return found;
}

std::vector<std::string> levels_of(const Table& table, std::int64_t c, const std::string& place) {
  const Column& column = table.columns[static_cast<std::size_t>(c)];
  std::set<std::string> texts;
  if (column.text) {
    for (std::int64_t id = 0; id < column.texts.size(); ++id) {
      const std::string text(trim(column.texts.text(id)));
      require(is_utf8(text), Fault::input, "[data] expected text in UTF-8, found other bytes ({}): name the --encoding (latin1, windows-1252, ...), or save the file as UTF-8",
              where(table, c, column.texts.line(id), place));
      if (!is_missing(text)) texts.insert(text);
    }
  } else {
    for (std::int64_t i = 0; i < table.rows; ++i)
      if (const std::string text = table.text(i, c); !text.empty()) texts.insert(text);
  }
  std::vector<std::string> levels(texts.begin(), texts.end());
  sort_classes(levels);
  return levels;
}

// Columns that --one-hot names.
std::set<std::int64_t> categories(const Table& table, const Roles& roles, const LoadOptions& options, const std::string& place) {
  std::set<std::int64_t> chosen;
  if (options.one_hot.empty()) return chosen;
  std::vector<std::string> names;
  for (const Column& column : table.columns) names.push_back(column.name);
  for (const std::string& item : options.one_hot) {
    if (item == "auto" && std::ranges::find(names, item) == names.end()) {
      for (const std::int64_t c : roles.features)
        if (const Column& column = table.columns[static_cast<std::size_t>(c)]; column.of_words() && !column.of_truth()) chosen.insert(c);
      continue;
    }
    const std::int64_t column = find_column(names, item, place);
    require(std::ranges::find(roles.features, column) != roles.features.end(), Fault::input,
            "[data] expected a feature for --one-hot, found \"{}\", which is {} ({}): leave it out there{}", item,
            column == roles.label ? "the label" : column == roles.names ? "the rows' names" : "left out", place,
            column == roles.label && !options.label ? ", or say --label none" : "");
    chosen.insert(column);
  }
  return chosen;
}

// The value of each text of a column, or the index of its level, -1 where it is missing.
std::vector<double> values_of_texts(const Table& table, std::int64_t c, const CodedColumn& coded, const std::string& place) {
  const Column& column = table.columns[static_cast<std::size_t>(c)];
  std::vector<double> values;
  for (std::int64_t id = 0; id < column.texts.size(); ++id) {
    const std::string_view text = trim(column.texts.text(id));
    if (is_missing(text)) {
      values.push_back(coded.kind == Kind::categories ? -1 : std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    if (coded.kind == Kind::number) {
      values.push_back(*number_in(text, table.decimal));
      continue;
    }
    if (coded.kind == Kind::truth) {
      auto value = truth_of(text);
      if (!value) value = parse_number(text);
      require(value && (*value == 0 || *value == 1), Fault::input, "[data] expected TRUE or FALSE, found \"{}\" ({}): correct it", text, where(table, c, column.texts.line(id), place));
      values.push_back(*value);
      continue;
    }
    const auto level = std::ranges::find(coded.levels, text);
    const std::string nearest = nearest_name(std::string(text), coded.levels);
    require(level != coded.levels.end(), Fault::input, "[data] expected one of the categories {}, found \"{}\" ({}){}: correct it, or fit anew with data that have it",
            list_names(coded.levels), text, where(table, c, column.texts.line(id), place), nearest.empty() ? "" : fmt::format(", nearest \"{}\"", nearest));
    values.push_back(static_cast<double>(level - coded.levels.begin()));
  }
  return values;
}

}  // namespace

bool Coding::numbers_alone() const {
  return std::ranges::all_of(columns, [](const CodedColumn& column) { return column.kind == Kind::number; });
}

std::vector<std::string> Coding::inputs() const {
  std::vector<std::string> names;
  for (const CodedColumn& column : columns) names.push_back(column.name);
  return names;
}

std::vector<std::string> Coding::features() const {
  std::vector<std::string> names;
  for (const CodedColumn& column : columns) {
    if (column.kind != Kind::categories) names.push_back(column.name);
    for (const std::string& level : column.levels) names.push_back(column.name + "=" + level);
  }
  return names;
}

Coding numbers_named(const std::vector<std::string>& names) {
  Coding coding;
  for (const std::string& name : names) coding.columns.push_back({name, Kind::number, {}});
  return coding;
}

std::string coding_text(const Coding& coding) {
  json columns = json::array();
  for (const CodedColumn& column : coding.columns) columns.push_back({{"name", column.name}, {"kind", kind_names[static_cast<int>(column.kind)]}, {"levels", column.levels}});
  return columns.dump(-1, ' ', false, json::error_handler_t::replace);
}

Coding parse_coding(const std::string& text, const std::string& place) {
  Coding coding;
  try {
    for (const json& entry : json::parse(text)) {
      const auto* kind = std::ranges::find(kind_names, entry.at("kind").get<std::string>());
      require(kind != std::end(kind_names), Fault::input, "[model] expected a coding of number, truth or categories, found {} ({})", entry.at("kind").dump(), place);
      coding.columns.push_back({entry.at("name").get<std::string>(), static_cast<Kind>(kind - kind_names), entry.at("levels").get<std::vector<std::string>>()});
    }
  } catch (const json::exception&) {
    fail(Fault::input, "[model] expected the coding of columns in JSON, found a damaged one ({})", place);
  }
  return coding;
}

Coding find_coding(const Table& table, const Roles& roles, const LoadOptions& options, const std::string& place) {
  const std::set<std::int64_t> chosen = categories(table, roles, options, place);
  Coding coding;
  Complaint first;
  for (const std::int64_t c : roles.features) {
    const Column& column = table.columns[static_cast<std::size_t>(c)];
    if (chosen.contains(c)) {
      coding.columns.push_back({column.name, Kind::categories, levels_of(table, c, place)});
    } else if (column.of_truth()) {
      coding.columns.push_back({column.name, Kind::truth, {}});
    } else {
      coding.columns.push_back({column.name, Kind::number, {}});
      const Complaint complaint = complaint_about(table, c, options, place);
      if (complaint.line > 0 && (first.line == 0 || complaint.line < first.line)) first = complaint;
    }
  }
  require(first.line == 0, Fault::input, "{}", first.message);
  std::vector<std::string> features = coding.features();
  std::ranges::sort(features);
  const auto twice = std::ranges::adjacent_find(features);
  require(twice == features.end(), Fault::input, "[data] expected different names of features, found \"{0}\" as a column and as a category of --one-hot ({1}): rename the column, or "
                                                 "leave it out with --features {2}",
          twice == features.end() ? "" : *twice, place, shell_quoted(twice == features.end() ? "" : "!" + *twice));
  return coding;
}

void code_features(Dataset& data, Table&& table, const Roles& roles, Coding coding, const LoadOptions& options, const std::string& place) {
  struct Source {
    std::int64_t column;
    const CodedColumn* coded;
    std::vector<double> values;  // of texts
  };
  std::vector<Source> sources;
  std::vector<std::string> truths;
  for (std::size_t f = 0; f < roles.features.size(); ++f) {
    const std::int64_t c = roles.features[f];
    const Column& column = table.columns[static_cast<std::size_t>(c)];
    const CodedColumn& coded = coding.columns[f];
    Source source{c, &coded, {}};
    if (coded.kind == Kind::number) {
      const Complaint complaint = complaint_about(table, c, options, place);
      require(complaint.line == 0, Fault::input, "{}", complaint.message);
      if (column.text) source.values = values_of_texts(table, c, coded, place);
    } else {
      require(options.missing != Missing::refuse || column.first_missing.line == 0, Fault::input,
              "[csv] expected a {}, found a missing value \"{}\" ({}): remove the row or the column, fill in the value, or have it done by --missing drop, mean or neighbours",
              coded.kind == Kind::truth ? "TRUE or FALSE" : "category", column.first_missing.text, where(table, c, column.first_missing.line, place));
      if (column.text) source.values = values_of_texts(table, c, coded, place);
      if (coded.kind == Kind::truth && !options.known()) truths.push_back(column.name);
    }
    sources.push_back(std::move(source));
  }
  data.rows = table.rows;
  data.features = coding.features();
  data.columns = static_cast<std::int64_t>(data.features.size());
  if (!truths.empty()) data.reading.notes.push_back(fmt::format("{} {} TRUE and FALSE: read as 1 and 0", list_names(truths), truths.size() > 1 ? "hold" : "holds"));

  const std::int64_t width = table.width();
  const bool in_order = data.columns == width && std::ranges::is_sorted(roles.features) && coding.numbers_alone() &&
                        std::ranges::all_of(sources, [](const Source& source) { return source.values.empty(); });
  std::vector<double> widened;
  const bool fits = data.columns <= width;
  if (!fits) widened.resize(static_cast<std::size_t>(data.rows * data.columns));
  std::vector<double>& cells = fits ? table.cells : widened;
  std::vector<double> row(static_cast<std::size_t>(width));
  for (std::int64_t i = 0; i < data.rows && !in_order; ++i) {
    const auto from = table.cells.begin() + i * width;
    std::copy(from, from + width, row.begin());
    double* out = cells.data() + i * data.columns;
    for (const Source& source : sources) {
      const double cell = row[static_cast<std::size_t>(source.column)];
      const double value = source.values.empty() ? cell : source.values[static_cast<std::size_t>(cell)];
      if (source.coded->kind != Kind::categories) {
        *out++ = value;
        continue;
      }
      double level = value;
      if (source.values.empty()) {  // categories that are numbers
        const auto found = std::ranges::find(source.coded->levels, std::isnan(cell) ? std::string() : format_number(cell));
        require(found != source.coded->levels.end() || std::isnan(cell), Fault::input, "[data] expected one of the categories {}, found {} ({}, {} {}): correct it, or fit anew with data that have it",
                list_names(source.coded->levels), format_number(cell), place, "row", i + 1);
        level = std::isnan(cell) ? -1 : static_cast<double>(found - source.coded->levels.begin());
      }
      for (std::size_t l = 0; l < source.coded->levels.size(); ++l)
        *out++ = level < 0 ? std::numeric_limits<double>::quiet_NaN() : level == static_cast<double>(l) ? 1 : 0;
    }
  }
  cells.resize(static_cast<std::size_t>(data.rows * data.columns));
  data.values = std::move(cells);
  data.fill_by = options.missing;
  if (options.missing != Missing::refuse) data.missing = std::count_if(data.values.begin(), data.values.end(), [](double value) { return std::isnan(value); });
  data.coding = std::move(coding);
}

}  // namespace calor::io

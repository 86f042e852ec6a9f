#include "calor/io/csv_layout.h"

#include <algorithm>
#include <map>
#include <optional>

#include "calor/core/error.h"
#include "calor/io/columns.h"
#include "calor/io/csv_scanner.h"
#include "calor/io/number.h"

namespace calor::io {

using Cells = std::vector<std::string>;

std::string_view plain_text(std::string_view bytes, const std::string& place) {
  constexpr std::size_t looked_at = 4096;
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  require(!bytes.starts_with("\xFF\xFE") && !bytes.starts_with("\xFE\xFF"), Fault::input,
          "[csv] expected text in UTF-8, found UTF-16 ({}): save the file as UTF-8", place);
  require(bytes.substr(0, looked_at).find('\0') == std::string_view::npos, Fault::input,
          "[data] expected csv, npy, npz or idx (each also gzipped), found other binary data ({}): convert the file to "
          "one of these",
          place);
  require(bytes.find_first_not_of(" \t\r\n") != std::string_view::npos, Fault::input,
          "[data] expected rows of data, found an empty file ({}): give a file with data", place);
  return bytes;
}

namespace {

// The first of tab, semicolon, comma that occurs outside quotes on the first line, else blanks where there are any.
char find_delimiter(std::string_view text) {
  text.remove_prefix(text.find_first_not_of(" \t\r\n"));
  bool quoted = false, tab = false, semicolon = false, comma = false, blank = false;
  for (std::size_t i = 0; i < text.size() && (quoted || (text[i] != '\n' && text[i] != '\r')); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    tab |= c == '\t', semicolon |= c == ';', comma |= c == ',', blank |= c == ' ';
  }
  return tab ? '\t' : semicolon ? ';' : comma ? ',' : blank ? ' ' : ',';
}

Cells read_cells(CsvScanner& scanner) {
  Cells cells;
  if (!scanner.begin_row()) return cells;
  do cells.emplace_back(scanner.text_cell());
  while (scanner.next_cell());
  return cells;
}

bool is_number(const std::string& cell) { return parse_number(cell).has_value(); }

bool is_label_name(const std::string& cell, const LoadOptions& options) {
  const std::string lower = lower_case(cell);
  return (cell == options.label && !is_number(cell)) || lower == "label" || lower == "class" || lower == "target";
}

// Where the label stands if this is no header: by position, else last.
std::optional<std::size_t> label_position(const Cells& cells, const LoadOptions& options) {
  if (!options.labelled) return {};
  const auto count = static_cast<std::int64_t>(cells.size());
  if (const auto position = options.label ? column_position(*options.label, count) : std::nullopt)
    return static_cast<std::size_t>(*position);
  return cells.size() - 1;
}

// ",0,1,2": how pandas writes columns without names.
bool numbers_columns(const Cells& first) {
  if (first.size() < 2 || !first[0].empty()) return false;
  for (std::size_t i = 1; i < first.size(); ++i)
    if (first[i] != std::to_string(i - 1)) return false;
  return true;
}

// A header if a cell outside the label column is no number, or the label column's own first cell is evidently its name.
bool is_header(const Cells& first, const Cells& second, const LoadOptions& options) {
  if (numbers_columns(first)) return true;
  const std::optional<std::size_t> label = label_position(first, options);
  std::size_t numbers = 0, words = 0, near_numbers = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const std::string& cell = first[i];
    if (is_label_name(cell, options)) return true;
    if (i == label) continue;
    if (is_number(cell)) ++numbers;
    else if (!is_missing(cell)) ++(std::string_view("+-.0123456789").find(cell[0]) < 13 ? near_numbers : words);
  }
  // "5.1,3,5x,0.2" is a row with a mistake, which must not vanish as a header.
  if (words > 0 || near_numbers > numbers) return true;
  if (near_numbers > 0) return false;
  return label && *label < second.size() && !is_number(first[*label]) && !is_missing(first[*label]) &&
         is_number(second[*label]);
}

std::optional<std::int64_t> count_in(const std::string& cell) {
  const auto value = parse_number(cell);
  constexpr double most = 1e15;
  if (!value || *value < 1 || *value > most || *value != static_cast<double>(static_cast<std::int64_t>(*value)))
    return {};
  return static_cast<std::int64_t>(*value);
}

// "rows,columns,class,class,...", where the second line has columns + 1 cells and the classes are at least two words.
bool is_announcement(const Cells& first, const Cells& second) {
  if (first.size() < 4 || !count_in(first[0])) return false;
  const auto columns = count_in(first[1]);
  return columns && *columns + 1 == static_cast<std::int64_t>(second.size()) &&
         std::none_of(first.begin() + 2, first.end(),
                      [](const std::string& cell) { return is_number(cell) || cell.empty(); });
}

void check_names(const Cells& names, const std::string& place, std::int64_t line) {
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    require(i == 0 || !names[i].empty(), Fault::input,
            "[csv] expected a name for every column, found none for column {} ({}, line {}): name it, or remove it",
            i + 1, place, line);
    require(is_utf8(names[i]), Fault::input,
            "[csv] expected text in UTF-8, found other bytes in the name of column {} ({}, line {}): "
            "save the file as UTF-8",
            i + 1, place, line);
    const auto [known, fresh] = seen.emplace(names[i], i + 1);
    require(fresh, Fault::input,
            "[csv] expected different column names, found \"{}\" for columns {} and {} ({}, line {}): rename one",
            names[i], known->second, i + 1, place, line);
  }
}

}  // namespace

CsvLayout find_layout(std::string_view text, const std::vector<std::string>& names, const LoadOptions& options,
                      const std::string& place) {
  CsvLayout layout;
  layout.delimiter = find_delimiter(text);
  CsvScanner scanner(text, layout.delimiter, place);
  scanner.begin_row();
  layout.first_line = scanner.line();
  const Cells first = read_cells(scanner);
  scanner.begin_row();
  const std::int64_t second_line = scanner.line();
  const Cells second = read_cells(scanner);

  if (is_announcement(first, second)) {
    layout.skip_first_row = true;
    layout.first_line = second_line;
    layout.announced_rows = *count_in(first[0]);
    layout.class_names.assign(first.begin() + 2, first.end());
    layout.names = generic_names(static_cast<std::int64_t>(second.size()));
  } else if (names.empty() && is_header(first, second, options)) {
    check_names(first, place, layout.first_line);
    layout.skip_first_row = layout.named = true;
    layout.names = first;
  } else {
    layout.names = generic_names(static_cast<std::int64_t>(first.size()));
  }
  layout.first_row = layout.skip_first_row ? second : first;
  if (!names.empty()) {
    layout.named = true;
    layout.names = names;
  }
  return layout;
}

}  // namespace calor::io

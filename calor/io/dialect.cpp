#include "calor/io/dialect.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"
#include "calor/io/roles.h"
#include "calor/io/text_scanner.h"

namespace calor::io {
namespace {

using Cells = std::vector<std::string>;

constexpr std::size_t most_rows = 100;

}  // namespace

std::string beginning_of(TextSource& source) {
  constexpr std::size_t piece = std::size_t{1} << 14, enough = std::size_t{1} << 18, most = std::size_t{1} << 26;
  constexpr std::ptrdiff_t enough_lines = 4;
  std::string text;
  source.rewind();
  bool ended = false;
  for (std::ptrdiff_t lines = 0; !ended && text.size() < most && (text.size() < enough || lines < enough_lines);) {
    const std::size_t before = text.size();
    text.resize(before + piece);
    const std::size_t count = source.read(text.data() + before, piece);
    text.resize(before + count);
    lines += std::count_if(text.begin() + static_cast<std::ptrdiff_t>(before), text.end(), [](char c) { return c == '\n' || c == '\r'; });
    ended = count == 0;
  }
  source.rewind();
  if (!ended) text.resize(std::min(text.size(), text.find_last_of("\r\n") + 1));
  return text;
}

namespace {

// Calls row(scanner) for the first rows; what the cut-off end spoils is left out.
template <class Row>
void each_row(std::string_view text, char delimiter, std::int64_t from_line, const std::string& place, Row&& row) {
  const auto source = text_view(text);
  TextScanner scanner(*source, delimiter, '.', place);
  std::size_t rows = 0;
  try {
    while (rows < most_rows && scanner.begin_row()) {
      if (scanner.line() < from_line) continue;
      row(scanner);
      ++rows;
    }
  } catch (const Error& error) {
    if (error.fault() != Fault::input) throw;  // met again, and reported, where the text is read
  }
}

bool looks_like_comment(std::string_view row) { return is_comment(row, 0, 0); }

// How many rows have the commonest number of cells.
struct Consistency {
  std::size_t cells = 0;
  double share = 0;
};

Consistency consistency(std::string_view text, char delimiter, std::int64_t from_line, const std::string& place) {
  std::map<std::size_t, std::size_t> counts;
  std::size_t rows = 0;
  each_row(text, delimiter, from_line, place, [&](TextScanner& scanner) {
    if (looks_like_comment(scanner.row())) return;
    std::size_t cells = 0;
    do scanner.text_cell(), ++cells;
    while (scanner.next_cell());
    ++counts[cells];
    ++rows;
  });
  Consistency found;
  for (const auto& [cells, count] : counts)
    if (const double share = static_cast<double>(count) / static_cast<double>(rows); share > found.share) found = {cells, share};
  return found;
}

// A number with a decimal comma; `grouped` when the comma could as well mark thousands.
bool has_decimal_comma(const std::string& cell, bool& grouped) {
  const std::size_t comma = cell.find(',');
  if (comma == std::string::npos || comma + 1 == cell.size() || cell.find('.') != std::string::npos) return false;
  std::string point = cell;
  point[comma] = '.';
  if (!parse_number(point)) return false;
  const std::size_t sign = cell[0] == '-' || cell[0] == '+';
  const std::size_t before = comma - sign, after = cell.size() - comma - 1;
  grouped = before >= 1 && before <= 3 && after == 3 && cell[sign] != '0' && cell.find_first_of("eE") == std::string::npos;
  return true;
}

// Numbers with decimal commas between blanks look like text between commas: "0,5 1,5" has the cells "5 1" there.
bool blanks_separate_commas(std::string_view text, std::int64_t from_line, const std::string& place) {
  bool all = true, any = false, grouped = false;
  std::size_t rows = 0;
  each_row(text, ' ', from_line, place, [&](TextScanner& scanner) {
    if (looks_like_comment(scanner.row())) return;
    const Cells cells = read_cells(scanner);
    if (++rows == 1 && std::none_of(cells.begin(), cells.end(), [&](const std::string& cell) { return has_decimal_comma(cell, grouped); })) return;  // a header
    any = any || cells.size() > 1;
    for (const std::string& cell : cells)
      all = all && (has_decimal_comma(cell, grouped) || (cell.find(',') == std::string::npos));
    all = all && std::any_of(cells.begin(), cells.end(), [&](const std::string& cell) { return has_decimal_comma(cell, grouped); });
  });
  return all && any;
}

char find_delimiter(std::string_view text, std::int64_t from_line, const std::string& place) {
  constexpr double mostly = 0.8;
  char best = 0;
  double most = 0;
  for (const char delimiter : {'\t', ';', ',', '|'}) {
    const Consistency found = consistency(text, delimiter, from_line, place);
    if (found.cells < 2 || found.share < mostly || found.share <= most) continue;
    best = delimiter;
    most = found.share;
  }
  const Consistency blanks = consistency(text, ' ', from_line, place);
  if (blanks.cells >= 2 && blanks.share >= mostly && (best == 0 || (best == ',' && blanks_separate_commas(text, from_line, place)))) return ' ';
  if (best != 0) return best;
  // Nothing is regular: what the first line has, so that the error names what is wrong with the others.
  char first = ',';
  bool seen = false;
  each_row(text, '\0', from_line, place, [&](TextScanner& scanner) {
    if (seen || looks_like_comment(scanner.row())) return;
    seen = true;
    for (const char delimiter : {'\t', ';', ',', '|', ' '})
      if (scanner.row().find(delimiter) != std::string_view::npos) {
        first = delimiter;
        break;
      }
  });
  return first;
}

struct Sample {
  std::vector<Cells> rows;
  std::vector<std::int64_t> lines;
  std::string comment;            // the last comment before the first row, without its mark
  std::int64_t comment_line = 0;
};

Sample sample_of(std::string_view text, char delimiter, std::int64_t from_line, const std::string& place) {
  constexpr std::size_t most_cells = 100'000, fewest_rows = 4;
  Sample sample;
  std::size_t cells = 0;
  each_row(text, delimiter, from_line, place, [&](TextScanner& scanner) {
    if (sample.rows.size() >= fewest_rows && cells > most_cells) return;
    if (looks_like_comment(scanner.row())) {
      if (!sample.rows.empty()) return;
      const std::string_view row = scanner.row();
      sample.comment = row.substr(std::min(row.find_first_not_of("#%! \t"), row.size()));
      sample.comment_line = scanner.line();
      return;
    }
    const std::int64_t line = scanner.line();
    sample.rows.push_back(read_cells(scanner));
    sample.lines.push_back(line);
    cells += sample.rows.back().size();
  });
  return sample;
}

std::size_t commonest_size(const std::vector<Cells>& rows, std::size_t from) {
  std::map<std::size_t, std::size_t> counts;
  for (std::size_t i = from; i < rows.size(); ++i) ++counts[rows[i].size()];
  std::size_t best = 0, most = 0;
  for (const auto& [size, count] : counts)
    if (count > most) best = size, most = count;
  return best;
}

bool all_have(const std::vector<Cells>& rows, std::size_t from, std::size_t size) {
  return std::all_of(rows.begin() + static_cast<std::ptrdiff_t>(from), rows.end(), [&](const Cells& row) { return row.size() == size; });
}

char find_decimal(const std::vector<Cells>& rows) {
  std::size_t commas = 0, points = 0;
  for (const Cells& row : rows)
    for (const std::string& cell : row) {
      bool grouped = false;
      if (has_decimal_comma(cell, grouped)) commas += !grouped;
      else if (cell.find('.') != std::string::npos && parse_number(cell)) ++points;
    }
  return commas > 0 && points == 0 ? ',' : '.';
}

// ",0,1,2": how pandas writes columns without names.
bool numbers_columns(const Cells& first) {
  if (first.size() < 2 || !first[0].empty()) return false;
  for (std::size_t i = 1; i < first.size(); ++i)
    if (first[i] != std::to_string(i - 1)) return false;
  return true;
}

// Numbers at equal steps, at least three of them.
bool is_progression(const Cells& row, const std::vector<std::size_t>& columns, char decimal) {
  constexpr std::size_t fewest = 3;
  if (columns.size() < fewest) return false;
  std::vector<double> values;
  for (const std::size_t c : columns) {
    const auto value = c < row.size() ? number_in(row[c], decimal) : std::nullopt;
    if (!value || !std::isfinite(*value)) return false;
    values.push_back(*value);
  }
  const double step = values[1] - values[0];
  if (step == 0) return false;
  for (std::size_t i = 2; i < values.size(); ++i)
    if (std::abs(values[i] - values[i - 1] - step) > 1e-9 * std::abs(step)) return false;
  return true;
}

// The names that columns of edges usually have.
bool says_ends(const Cells& first) {
  static const std::set<std::string> from{"from", "source", "src", "citing", "follower", "tail", "sender", "node1", "node_1", "id1", "id_1", "v1", "u", "a", "i", "x", "parent", "start", "author", "fromnodeid", "source_id", "sourceid", "from_id", "origin", "protein1", "gene1", "node_a", "person1"};
  static const std::set<std::string> to{"to", "target", "dst", "dest", "destination", "cited", "followed", "followee", "head", "receiver", "recipient", "node2", "node_2", "id2", "id_2", "v2", "v", "b", "j", "y", "child", "end", "paper", "tonodeid", "target_id", "targetid", "to_id", "protein2", "gene2", "node_b", "person2"};
  bool found_from = false, found_to = false;
  for (const std::string& cell : first) {
    const std::string name = lower_case(cell);
    if (name.size() == 1) continue;  // "a b" is an edge
    found_from = found_from || from.contains(name);
    found_to = found_to || to.contains(name);
  }
  return found_from && found_to;
}

struct Header {
  bool found = false;
  std::string remark;
};

std::string doubt(std::int64_t line, const Cells& cells, const char* what) {
  return fmt::format("line {} ({}) is taken as the header: --header no if it is {}", line, list_names(cells, 4), what);
}

// Of edges: words over numbers, the usual names, or names that no node has.
Header edges_header(const Sample& sample, char decimal) {
  const Cells& first = sample.rows.front();
  if (says_ends(first)) return {true, ""};
  if (sample.rows.size() < 2) return {};
  std::set<std::string_view> others;
  for (std::size_t r = 1; r < sample.rows.size(); ++r) others.insert(sample.rows[r].begin(), sample.rows[r].end());
  for (std::size_t c = 0; c < first.size(); ++c) {
    if (kind_of(first[c], decimal) != CellKind::word || others.contains(first[c])) continue;
    const bool numbers = std::all_of(sample.rows.begin() + 1, sample.rows.end(),
                                     [&](const Cells& row) { return c < row.size() && kind_of(row[c], decimal) == CellKind::number; });
    if (numbers) return {true, sample.rows.size() > 3 ? "" : doubt(sample.lines.front(), first, "an edge")};
  }
  const bool strangers = sample.rows.size() > 4 && std::none_of(first.begin(), first.end(), [&](const std::string& cell) { return others.contains(cell); });
  if (strangers && std::all_of(first.begin(), first.end(), [&](const std::string& cell) { return kind_of(cell, decimal) == CellKind::word; })) {
    // A connected graph meets the nodes of its first edge again.
    std::size_t met = 0, seen = 0;
    std::map<std::string_view, std::size_t> times;
    for (std::size_t r = 1; r < sample.rows.size(); ++r)
      for (std::size_t c = 0; c < std::min<std::size_t>(2, sample.rows[r].size()); ++c) ++times[sample.rows[r][c]];
    for (const auto& [name, count] : times) ++seen, met += count > 1;
    if (4 * met >= 3 * seen) return {true, doubt(sample.lines.front(), first, "an edge")};
  }
  return {};
}

Header table_header(const Sample& sample, char decimal, const std::string& label) {
  const Cells& first = sample.rows.front();
  const std::int64_t line = sample.lines.front();
  if (numbers_columns(first)) return {true, ""};
  for (const std::string& cell : first) {
    const std::string lower = lower_case(cell);
    const bool given = !label.empty() && cell == label && !parse_number(cell);
    if (given || lower == "label" || lower == "class" || lower == "target") return {true, ""};
  }
  const std::size_t rows = sample.rows.size();
  if (rows < 2) {  // a single line: a header if more than its last cell is a word
    std::size_t words = 0;
    for (std::size_t c = 0; c + 1 < first.size(); ++c) words += kind_of(first[c], decimal) == CellKind::word;
    return {words > 0 && words + 1 >= first.size(), ""};
  }
  std::size_t words = 0, nearly = 0, numbers = 0, texts = 0;
  bool number_over_words = false, recurs = false, repeats = false;
  std::vector<std::size_t> numeric;  // columns with a number in the first line
  for (std::size_t c = 0; c < first.size(); ++c) {
    std::size_t of_numbers = 0, of_words = 0, others = 0;
    std::set<std::string_view> seen;
    for (std::size_t r = 1; r < rows; ++r) {
      if (c >= sample.rows[r].size()) continue;
      const std::string& cell = sample.rows[r][c];
      const CellKind kind = kind_of(cell, decimal);
      if (kind == CellKind::number || kind == CellKind::infinite) ++of_numbers;
      else if (kind == CellKind::word) ++of_words;
      else if (kind == CellKind::nearly) ++others;
      repeats = !seen.insert(cell).second || repeats;
    }
    const CellKind kind = kind_of(first[c], decimal);
    if (kind == CellKind::number) numeric.push_back(c);
    if (of_numbers + others > 0 && of_words == 0) {
      words += kind == CellKind::word;
      nearly += kind == CellKind::nearly;
      numbers += kind == CellKind::number || kind == CellKind::infinite;
    } else {
      ++texts;
      recurs = recurs || seen.contains(first[c]);
      constexpr std::size_t enough = 4;
      number_over_words = number_over_words || (kind == CellKind::number && of_words >= enough && of_numbers + others == 0);
    }
  }
  if (words > 0) return {true, words > numbers ? "" : doubt(line, first, "a row")};
  if (nearly > numbers) return {true, doubt(line, first, "a row")};
  if (number_over_words && nearly == 0) return {true, doubt(line, first, "a row")};
  if (numbers > 0 && nearly == 0 && rows > 2 && is_progression(first, numeric, decimal) &&
      std::none_of(sample.rows.begin() + 1, sample.rows.end(), [&](const Cells& row) { return is_progression(row, numeric, decimal); }))
    return {true, doubt(line, first, "a row")};
  if (numbers > 0 || nearly > 0) return {};
  // Texts everywhere: values come again, names do not.
  return {texts == first.size() && repeats && !recurs && rows > 3 &&
              std::all_of(first.begin(), first.end(), [&](const std::string& cell) { return kind_of(cell, decimal) == CellKind::word; }),
          ""};
}

std::optional<std::int64_t> count_in(const std::string& cell) {
  const auto value = parse_number(cell);
  constexpr double most = 1e15;
  if (!value || *value < 1 || *value > most || *value != static_cast<double>(static_cast<std::int64_t>(*value))) return {};
  return static_cast<std::int64_t>(*value);
}

// "rows,columns,class,class,...", where the second line has columns + 1 cells and the classes are at least two words.
bool is_announcement(const Sample& sample) {
  if (sample.rows.size() < 2) return false;
  const Cells& first = sample.rows[0];
  if (first.size() < 4 || !count_in(first[0])) return false;
  const auto columns = count_in(first[1]);
  return columns && *columns + 1 == static_cast<std::int64_t>(sample.rows[1].size()) &&
         std::none_of(first.begin() + 2, first.end(), [](const std::string& cell) { return cell.empty() || parse_number(cell); });
}

void check_names(const Cells& names, const std::string& place, std::int64_t line) {
  std::map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    require(i == 0 || !names[i].empty(), Fault::input, "[csv] expected a name for every column, found none for column {} ({}, line {}): name it, or remove it",
            i + 1, place, line);
    require(is_utf8(names[i]), Fault::input,
            "[csv] expected text in UTF-8, found other bytes in the name of column {} ({}, line {}): name the --encoding (latin1, windows-1252, ...), or save the file as UTF-8",
            i + 1, place, line);
    const auto [known, fresh] = seen.emplace(names[i], i);
    require(fresh, Fault::input, "[csv] expected different column names, found \"{}\" for columns {} and {} ({}, line {}): rename one", names[i],
            known->second + 1, i + 1, place, line);
  }
}

// Whether the last of `cells` cells is empty in every row of a text.
bool all_end_empty(TextSource& source, char delimiter, std::int64_t from_line, std::size_t cells, const std::string& place) {
  source.rewind();
  TextScanner scanner(source, delimiter, '.', place);
  bool empty = true;
  while (empty && scanner.begin_row()) {
    if (scanner.line() < from_line || looks_like_comment(scanner.row())) continue;
    const Cells row = read_cells(scanner);
    empty = row.size() + 1 == cells || row.back().empty();
  }
  source.rewind();
  return empty;
}

// "sep=;", which spreadsheets write before the table.
std::optional<char> announced_delimiter(std::string_view text) {
  std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  if (line.size() >= 2 && line.front() == '"' && line.back() == '"') line = line.substr(1, line.size() - 2);
  if (line.size() != 5 || lower_case(line.substr(0, 4)) != "sep=") return {};
  return parse_delimiter(line.substr(4));
}

}  // namespace

bool is_comment(std::string_view row, std::size_t cells, std::size_t expected) {
  if (row.empty() || (row[0] != '#' && row[0] != '%')) return false;
  return row.size() == 1 || std::string_view(" \t#%!").find(row[1]) != std::string_view::npos || cells != expected;
}

std::optional<double> number_in(std::string_view cell, char decimal) {
  if (decimal == '.') return parse_number(cell);
  if (cell.find('.') != std::string_view::npos) return {};
  std::string point(cell);
  std::replace(point.begin(), point.end(), decimal, '.');
  return parse_number(point);
}

CellKind kind_of(std::string_view cell, char decimal) {
  if (is_missing(cell)) return CellKind::missing;
  if (const auto value = number_in(cell, decimal)) return std::isfinite(*value) ? CellKind::number : CellKind::infinite;
  const bool begins = std::string_view("+-.,0123456789").find(cell[0]) != std::string_view::npos || cell.starts_with("\xE2\x88\x92") || cell.starts_with("\xC2\xA0");
  const bool nearly = begins && cell.find_first_of("0123456789") != std::string_view::npos;  // "+" and "--" are words
  return nearly ? CellKind::nearly : CellKind::word;
}

std::string delimiter_name(char delimiter) {
  switch (delimiter) {
    case ',': return "comma";
    case ';': return "semicolon";
    case '\t': return "tab";
    case '|': return "pipe";
    case ' ': return "blanks";
    default: return std::string(1, delimiter);
  }
}

std::optional<char> parse_delimiter(std::string_view text) {
  const std::string name = lower_case(text);
  for (const char delimiter : {',', ';', '\t', '|', ' '})
    if (name == delimiter_name(delimiter)) return delimiter;
  if (name == "blank" || name == "space" || name == "spaces" || name == "whitespace") return ' ';
  if (name == "\\t") return '\t';
  const bool usable = text.size() == 1 && !std::isalnum(static_cast<unsigned char>(text[0])) && std::string_view("\"'\r\n.+-_#").find(text[0]) == std::string_view::npos &&
                      static_cast<unsigned char>(text[0]) < 0x80;
  return usable ? std::optional(text[0]) : std::nullopt;
}

Dialect find_dialect(TextSource& source, const TextOptions& options, const std::vector<std::string>& names, const std::string& label, bool nodes,
                     const std::string& place) {
  const std::string text = beginning_of(source);
  Dialect dialect;
  const auto announced = announced_delimiter(text);
  const std::int64_t from_line = announced ? 2 : 1;
  dialect.delimiter = options.delimiter ? *options.delimiter : announced ? *announced : find_delimiter(text, from_line, place);
  Sample sample = sample_of(text, dialect.delimiter, from_line, place);
  if (sample.rows.empty()) {  // a mistake in the first line, which the reader meets and reports; or comments alone
    const auto scanned = text_view(text);
    TextScanner scanner(*scanned, dialect.delimiter, '.', place);
    while (scanner.begin_row())
      if (!looks_like_comment(scanner.row())) read_cells(scanner);
    fail(Fault::input, "[data] expected rows of data, found comments alone ({}): give a file with data", place);
  }
  if (dialect.delimiter == ' ') {  // remarks at the end of lines: "1 2 # remark"
    for (Cells& row : sample.rows)
      if (const auto remark = std::find(row.begin(), row.end(), "#"); remark != row.begin()) row.erase(remark, row.end());
    const std::size_t size = commonest_size(sample.rows, 0);
    for (Cells& row : sample.rows)
      if (row.size() > size && row[size].starts_with('#')) row.resize(size);
  }
  dialect.decimal = options.decimal ? *options.decimal : find_decimal(sample.rows);
  const std::size_t rows = sample.rows.size(), common = rows > 1 ? commonest_size(sample.rows, 1) : sample.rows[0].size();
  // A commented line before the rows that names their columns ("# a b c").
  if (!sample.comment.empty() && options.header.value_or(true) && names.empty()) {
    const auto commented = text_view(sample.comment);
    TextScanner scanner(*commented, dialect.delimiter, dialect.decimal, place);
    Cells cells;
    if (scanner.begin_row()) cells = read_cells(scanner);
    const bool words = std::all_of(cells.begin(), cells.end(), [&](const std::string& cell) { return kind_of(cell, dialect.decimal) == CellKind::word; });
    const bool numbers = std::any_of(sample.rows[0].begin(), sample.rows[0].end(), [&](const std::string& cell) { return kind_of(cell, dialect.decimal) == CellKind::number; });
    if (cells.size() == sample.rows[0].size() && words && (numbers || (nodes && says_ends(cells)))) {
      sample.rows.insert(sample.rows.begin(), std::move(cells));
      sample.lines.insert(sample.lines.begin(), sample.comment_line);
      check_names(sample.rows[0], place, sample.comment_line);
      dialect.header = true;
    }
  }
  const Cells& first = sample.rows.front();
  dialect.first_line = sample.lines.front();
  if (dialect.header) {
    dialect.names = first;
    dialect.header_line = sample.lines.front();
  } else if (!nodes && !options.header && is_announcement(sample)) {
    dialect.header_line = sample.lines[0];
    dialect.first_line = sample.lines[1];
    dialect.announced_rows = *count_in(first[0]);
    dialect.class_names.assign(first.begin() + 2, first.end());
    dialect.names = generic_names(static_cast<std::int64_t>(sample.rows[1].size()));
  } else {
    const std::size_t words = static_cast<std::size_t>(std::count_if(first.begin(), first.end(), [&](const std::string& cell) { return kind_of(cell, dialect.decimal) == CellKind::word; }));
    const bool regular = rows > 2 && all_have(sample.rows, 1, common);
    const bool is_short = !nodes && names.empty() && options.header.value_or(true) && rows > 1 && first.size() + 1 == common && all_have(sample.rows, 1, common) &&
                          (words > 0 || options.header.has_value());
    Header header;
    if (is_short) header.found = true;
    else if (options.header) header.found = *options.header;
    else if (names.empty()) header = nodes ? edges_header(sample, dialect.decimal) : table_header(sample, dialect.decimal, label);
    require(is_short || !regular || first.size() == common || (nodes && !header.found) || common < first.size(), Fault::input,
            "[csv] expected {} cells as in the lines after it, found {} (\"{}\") ({}, line {}): remove a title before the table, or add separators; the separator "
            "was taken to be {} (--delimiter settles it)",
            common, first.size(), first[0], place, sample.lines[0], delimiter_name(dialect.delimiter));
    dialect.header = header.found;
    dialect.remark = header.remark;
    dialect.ends_empty = is_short && all_end_empty(source, dialect.delimiter, sample.lines[1], common, place);
    dialect.names_rows = is_short && !dialect.ends_empty;
    if (dialect.ends_empty) dialect.remark = "every row ends in a separator that the header does not have: the empty last column is left out";
    if (header.found) {
      dialect.header_line = sample.lines[0];
      dialect.names = first;
      if (dialect.names_rows) {
        dialect.names.insert(dialect.names.begin(), "");
        dialect.first_line = sample.lines[1];
      }
      check_names(dialect.names, place, sample.lines[0]);
    } else {
      dialect.names = generic_names(static_cast<std::int64_t>(first.size()));
    }
  }
  if (!names.empty()) dialect.names = names;
  dialect.texts.assign(dialect.names.size(), false);
  const std::size_t begin = dialect.header_line != 0 ? 1 : 0;
  for (std::size_t r = begin; r < rows; ++r)
    for (std::size_t c = 0; c < std::min(sample.rows[r].size(), dialect.texts.size()); ++c) {
      const CellKind kind = kind_of(sample.rows[r][c], dialect.decimal);
      if (kind == CellKind::word || kind == CellKind::nearly) dialect.texts[c] = true;
    }
  return dialect;
}

}  // namespace calor::io

#include "calor/io/table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"
#include "calor/io/text_scanner.h"

namespace calor::io {
namespace {

constexpr double missing_value = std::numeric_limits<double>::quiet_NaN();

void note_first(FoundCell& found, std::string_view text, std::int64_t line) {
  if (found.line == 0) found = {std::string(text), line};
}

// One pass over the text.
class TableReader {
 public:
  TableReader(TextSource& source, const Dialect& dialect, const TextFacts& facts, const std::string& place)
      : dialect_(dialect), facts_(facts), place_(place), scanner_(source, dialect.delimiter, dialect.decimal, place) {}

  Table read(const std::vector<bool>& texts, const Context& context) {
    Table table;
    table.columns.resize(texts.size());
    for (std::size_t c = 0; c < texts.size(); ++c) {
      table.columns[c].name = dialect_.names[c];
      table.columns[c].text = texts[c];
    }
    table.named = dialect_.header;
    text_.assign(texts.begin(), texts.end());
    table.decimal = dialect_.decimal;
    reserve(table, context);
    constexpr std::int64_t rows_between_reports = 4096;
    while (scanner_.begin_row()) {
      const std::int64_t line = scanner_.line();
      if (line < dialect_.first_line || line == dialect_.header_line) continue;
      const char first = scanner_.row().front();
      if ((first == '#' || first == '%') && is_comment(scanner_.row(), count_cells(), texts.size())) {
        ++table.comments;
        continue;
      }
      if (table.rows % rows_between_reports == 0) {
        context.check_stop("csv");
        context.advance(static_cast<double>(scanner_.bytes_read()), static_cast<double>(facts_.bytes), "reading");
      }
      read_row(table, line);
      ++table.rows;
    }
    require(table.rows > 0, Fault::input, "[csv] expected rows of data, found only a header ({}): give a file with data", place_);
    require(dialect_.announced_rows < 0 || dialect_.announced_rows == table.rows, Fault::input,
            "[csv] expected {} rows as line 1 announces, found {} ({}): the file is truncated or line 1 is wrong", dialect_.announced_rows, table.rows, place_);
    for (Column& column : table.columns)
      if (column.text) count_kinds(column);
      else column.numbers = table.rows - column.missing - column.nearly - column.words - column.infinite;
    return table;
  }

 private:
  // Every cell but the last of a line needs a separator, so the text bounds the number of cells.
  void reserve(Table& table, const Context& context) {
    const std::size_t cells = std::min(facts_.lines * table.columns.size(), facts_.bytes + 1);
    context.memory.require(cells * sizeof(double), "csv", fmt::format("{} columns of {} lines of {}", table.columns.size(), facts_.lines, place_),
                           "use fewer rows or columns, or raise --max-memory");
    table.cells.reserve(cells);
  }

  std::size_t count_cells() {
    std::size_t cells = 0;
    do scanner_.text_cell(), ++cells;
    while (scanner_.next_cell());
    scanner_.restart_row();
    return cells;
  }

  void read_row(Table& table, std::int64_t line) {
    const std::size_t expected = table.columns.size(), base = table.cells.size();
    table.cells.resize(base + expected);
    double* const values = table.cells.data() + base;
    std::size_t cells = 0;
    do {
      if (cells == expected) {
        // Blanks separate comments too: "1 2 # remark".
        if (dialect_.delimiter == ' ' && scanner_.text_cell().starts_with('#')) return scanner_.skip_row();
        scanner_.restart_row();
        fail_ragged(count_cells(), line);
      }
      double& value = values[cells];
      if (text_[cells]) value = static_cast<double>(table.columns[cells].texts.add(scanner_.text_cell(), line));
      else if (!scanner_.number_cell(value)) value = unusual(table.columns[cells], line);
      ++cells;
    } while (scanner_.next_cell());
    if (cells != expected) fail_ragged(cells, line);
  }

  static bool in_range(double value) { return std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()); }

  // What the fast path refuses: "+1", "\"5.1\"", too small and too large numbers, what is missing, and what is no number.
  double unusual(Column& column, std::int64_t line) {
    const std::string_view text = trim(scanner_.text_cell());
    switch (kind_of(text, dialect_.decimal)) {
      case CellKind::missing: ++column.missing, note_first(column.first_missing, text, line); return missing_value;
      case CellKind::nearly: ++column.nearly, note_first(column.first_text, text, line); return missing_value;
      case CellKind::word: ++column.words, note_first(column.first_text, text, line); return missing_value;
      case CellKind::number:
        if (const double value = *number_in(text, dialect_.decimal); in_range(value)) return value;
        break;
      case CellKind::infinite: break;
    }
    ++column.infinite;
    note_first(column.first_infinite, text, line);
    return missing_value;
  }

  void count_kinds(Column& column) const {
    for (std::int64_t id = 0; id < column.texts.size(); ++id) {
      const std::string_view text = trim(column.texts.text(id));
      const std::int64_t count = column.texts.count(id), line = column.texts.line(id);
      CellKind kind = kind_of(text, dialect_.decimal);
      if (kind == CellKind::number && !in_range(*number_in(text, dialect_.decimal))) kind = CellKind::infinite;
      switch (kind) {
        case CellKind::number: column.numbers += count; break;
        case CellKind::missing: column.missing += count, note_first(column.first_missing, text, line); break;
        case CellKind::infinite: column.infinite += count, note_first(column.first_infinite, text, line); break;
        case CellKind::nearly: column.nearly += count, note_first(column.first_text, text, line); break;
        case CellKind::word: column.words += count, note_first(column.first_text, text, line); break;
      }
    }
  }

  [[noreturn]] void fail_ragged(std::size_t cells, std::int64_t line) const {
    fail(Fault::input, "[csv] expected {} cells{}, found {} ({}, line {}): add or remove separators, and quote cells that hold one; the separator was taken to be {}{}",
         dialect_.names.size(), line == dialect_.first_line ? "" : fmt::format(" as in line {}", dialect_.first_line), cells, place_, line,
         delimiter_name(dialect_.delimiter), " (--delimiter settles it)");
  }

  const Dialect& dialect_;
  const TextFacts& facts_;
  const std::string& place_;
  TextScanner scanner_;
  std::vector<char> text_;  // one a column
};

}  // namespace

std::optional<double> truth_of(std::string_view text) {
  const std::string lower = lower_case(text);
  if (lower == "true") return 1;
  if (lower == "false") return 0;
  return {};
}

bool Column::of_truth() const {
  if (!text) return false;
  bool any = false;
  for (std::int64_t id = 0; id < texts.size(); ++id) {
    const std::string_view cell = trim(texts.text(id));
    if (is_missing(cell)) continue;
    if (!truth_of(cell)) return false;
    any = true;
  }
  return any;
}

std::string Table::text(std::int64_t row, std::int64_t column) const {
  const Column& whole = columns[static_cast<std::size_t>(column)];
  const double value = cell(row, column);
  if (whole.text) return std::string(whole.texts.text(static_cast<std::int64_t>(value)));
  return std::isnan(value) ? std::string() : format_number(value);
}

Table parse_table(TextSource& source, const Dialect& dialect, const TextFacts& facts, const std::vector<std::int64_t>& texts, const std::string& place,
                  const Context& context) {
  std::vector<bool> as_text = dialect.texts;
  for (const std::int64_t column : texts) as_text[static_cast<std::size_t>(column)] = true;
  for (;;) {
    source.rewind();
    Table table = TableReader(source, dialect, facts, place).read(as_text, context);
    bool again = false;
    for (std::size_t c = 0; c < as_text.size(); ++c) {
      const Column& column = table.columns[c];
      if (column.text || column.words + column.nearly == 0) continue;
      as_text[c] = again = true;
    }
    if (!again) return table;
  }
}

Table table_of_numbers(std::vector<double> values, std::vector<std::string> names, bool named) {
  Table table;
  table.rows = static_cast<std::int64_t>(values.size() / names.size());
  table.cells = std::move(values);
  table.named = named;
  table.unit = "row";
  table.columns.resize(names.size());
  for (std::size_t c = 0; c < names.size(); ++c) {
    table.columns[c].name = std::move(names[c]);
    table.columns[c].numbers = table.rows;
  }
  for (std::int64_t i = 0; i < table.rows; ++i)
    for (std::int64_t c = 0; c < table.width(); ++c)
      if (std::isnan(table.cell(i, c))) {
        Column& column = table.columns[static_cast<std::size_t>(c)];
        --column.numbers;
        ++column.missing;
        note_first(column.first_missing, "nan", i + 1);
      }
  return table;
}

}  // namespace calor::io

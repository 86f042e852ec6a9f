#include "calor/io/csv.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/columns.h"
#include "calor/io/csv_layout.h"
#include "calor/io/csv_scanner.h"
#include "calor/io/number.h"
#include "calor/io/row_names.h"

namespace calor::io {

namespace {

struct Rows {
  std::vector<double> values;
  LabelTexts labels{"line"};
  std::vector<std::string> names;
  std::vector<std::int64_t> name_lines;
  std::int64_t count = 0;
};

class RowReader {
 public:
  RowReader(std::string_view text, const CsvLayout& layout, const Columns& columns, const std::string& place)
      : text_(text), layout_(layout), columns_(columns), place_(place), scanner_(text, layout.delimiter, place) {}

  Rows read(const Context& context) {
    reserve(context);
    if (layout_.skip_first_row && scanner_.begin_row()) skip_row();
    constexpr std::int64_t rows_between_reports = 4096;
    while (scanner_.begin_row()) {
      if (rows_.count % rows_between_reports == 0) {
        context.check_stop("csv");
        context.advance(static_cast<double>(scanner_.mark().at - text_.data()), static_cast<double>(text_.size()),
                        "reading");
      }
      read_row();
      ++rows_.count;
    }
    require(rows_.count > 0, Fault::input,
            "[csv] expected rows of data, found only a header ({}): give a file with data", place_);
    require(layout_.announced_rows < 0 || layout_.announced_rows == rows_.count, Fault::input,
            "[csv] expected {} rows as line 1 announces, found {} ({}): the file is truncated or line 1 is wrong",
            layout_.announced_rows, rows_.count, place_);
    return std::move(rows_);
  }

 private:
  // Every cell but the last of a line needs a separator, so the text bounds the number of values.
  void reserve(const Context& context) {
    const auto lines = static_cast<std::size_t>(
        1 + std::max(std::count(text_.begin(), text_.end(), '\n'), std::count(text_.begin(), text_.end(), '\r')));
    const std::size_t features = columns_.features.size();
    const std::size_t values = std::min(lines * features, text_.size() + 1);
    context.memory.require(values * sizeof(double) + lines * sizeof(std::int64_t), "csv",
                           fmt::format("{} columns of {} lines of {}", features, lines, place_),
                           "use fewer rows or columns, or raise --max-memory");
    rows_.values.reserve(values);
  }

  std::size_t skip_row() {
    std::size_t cells = 0;
    do scanner_.text_cell(), ++cells;
    while (scanner_.next_cell());
    return cells;
  }

  void read_row() {
    const CsvScanner::Mark start = scanner_.mark();
    const std::size_t expected = columns_.roles.size(), base = rows_.values.size();
    rows_.values.resize(base + columns_.features.size());
    std::size_t cells = 0;
    do {
      const std::int64_t role = cells < expected ? columns_.roles[cells] : ignored_role;
      if (role >= 0) {
        double value = 0;
        const CsvScanner::Mark cell = scanner_.mark();
        if (!scanner_.number_cell(value) || !std::isfinite(static_cast<float>(value))) {
          scanner_.return_to(cell);
          value = unusual_number(start, cells);
        }
        rows_.values[base + static_cast<std::size_t>(role)] = value;
      } else {
        const std::string_view text = scanner_.text_cell();
        if (role == label_role) add_label(text, start.line);
        if (role == row_name_role) add_name(text, start.line);
      }
      ++cells;
    } while (scanner_.next_cell());
    if (cells != expected) fail_ragged(cells, start.line);
  }

  void add_name(std::string_view text, std::int64_t line) {
    rows_.names.emplace_back(text);
    rows_.name_lines.push_back(line);
  }

  void add_label(std::string_view text, std::int64_t line) {
    if (layout_.class_names.empty()) return rows_.labels.add(text, line);
    const auto index = parse_number(text);
    const auto classes = static_cast<double>(layout_.class_names.size());
    require(index && *index >= 0 && *index < classes && std::trunc(*index) == *index, Fault::input,
            "[csv] expected a class from 0 to {} as line 1 announces {} classes, found \"{}\" ({}, line {}): correct "
            "the class",
            classes - 1, classes, text, place_, line);
    rows_.labels.add(layout_.class_names[static_cast<std::size_t>(*index)], line);
  }

  // What the fast path refuses: "+1", "\"5.1\"", numbers too small for float; or an error.
  double unusual_number(CsvScanner::Mark row_start, std::size_t cell) {
    const std::int64_t line = scanner_.line();
    const std::string text(scanner_.text_cell());
    const auto value = parse_number(trim(text));
    if (value && std::isfinite(static_cast<float>(*value))) return *value;

    // A missing or additional separator explains a text in the wrong column.
    scanner_.return_to(row_start);
    if (const std::size_t cells = skip_row(); cells != columns_.roles.size()) fail_ragged(cells, row_start.line);
    constexpr std::size_t shown = 40;
    const std::string where =
        fmt::format("{}, line {}, column {}{}", place_, line, cell + 1,
                    layout_.named ? fmt::format(" \"{}\"", layout_.names[cell]) : "");
    const std::string found = text.size() > shown ? text.substr(0, shown) + "..." : text;
    require(!is_missing(trim(text)), Fault::input,
            "[csv] expected a number, found a missing value \"{}\" ({}): remove the row or the column, or fill in the "
            "value",
            found, where);
    require(!value, Fault::input,
            "[csv] expected a finite number in the range of float, found \"{}\" ({}): remove the row or the column, or "
            "correct the value",
            found, where);
    const bool comma = text.find_first_not_of("+-.,0123456789") == std::string::npos;
    fail(Fault::input, "[csv] expected a number, found \"{}\" ({}): {}", found, where,
         comma ? "write numbers with a decimal point and no thousands separators"
               : "turn the column into numbers, remove it, or make it the label with --label");
  }

  [[noreturn]] void fail_ragged(std::size_t cells, std::int64_t line) const {
    fail(Fault::input,
         "[csv] expected {} cells{}, found {} ({}, line {}): add or remove separators, and quote cells that hold one",
         columns_.roles.size(), line == layout_.first_line ? "" : fmt::format(" as in line {}", layout_.first_line),
         cells, place_, line);
  }

  std::string_view text_;
  const CsvLayout& layout_;
  const Columns& columns_;
  const std::string& place_;
  CsvScanner scanner_;
  Rows rows_;
};

// Texts in a column that does not say so name the rows only where they all differ; otherwise a saved model does without them, and a
// fit cannot tell what they are.
bool check_row_names(const Rows& rows, const CsvLayout& layout, std::int64_t column, const LoadOptions& options, const std::string& place) {
  std::size_t repeated = 0;
  if (says_row_name(layout, column) || all_different(rows.names, repeated)) return true;
  const std::string& name = layout.names[static_cast<std::size_t>(column)];
  require(!options.features.empty(), Fault::input,
          "[csv] expected a number, found \"{}\" ({}, line {}, column {}{}): turn the column into numbers, remove it, or make it the label "
          "with --label; it would name the rows if \"{}\" were not there twice (line {})",
          rows.names.front(), place, rows.name_lines.front(), column + 1, layout.named ? fmt::format(" \"{}\"", name) : "",
          rows.names[repeated], rows.name_lines[repeated]);
  return false;
}

}  // namespace

Dataset parse_csv(std::string_view bytes, const std::string& place, const std::vector<std::string>& names,
                  const LoadOptions& options, const Context& context) {
  const std::string_view text = plain_text(bytes, place);
  const CsvLayout layout = find_layout(text, names, options, place);
  const std::int64_t row_names = find_row_names(layout, options, place);
  Columns columns = assign_columns(layout.names, layout.named, options, place, row_names);
  Rows rows = RowReader(text, layout, columns, place).read(context);
  if (row_names >= 0 && !check_row_names(rows, layout, row_names, options, place)) rows.names.clear();

  Dataset data;
  data.rows = rows.count;
  data.columns = static_cast<std::int64_t>(columns.features.size());
  data.values = std::move(rows.values);
  data.features = std::move(columns.features);
  data.row_names = std::move(rows.names);
  if (!data.row_names.empty() && layout.named) data.row_names_column = layout.names[static_cast<std::size_t>(row_names)];
  if (columns.label >= 0) {
    data.label = layout.names[static_cast<std::size_t>(columns.label)];
    set_labels(data, rows.labels, options, place);
  }
  return data;
}

LabelTexts parse_label_csv(std::string_view bytes, const std::string& place, const Context& context) {
  const std::string_view text = plain_text(bytes, place);
  const CsvLayout layout = find_layout(text, {}, LoadOptions{}, place);
  require(layout.names.size() == 1, Fault::input,
          "[csv] expected one column of labels, found {} columns ({}): give a file with the labels alone",
          layout.names.size(), place);
  Columns columns;
  columns.roles = {label_role};
  return RowReader(text, layout, columns, place).read(context).labels;
}

}  // namespace calor::io

#include "calor/io/table_block.h"

#include <algorithm>
#include <limits>

#include "calor/core/error.h"
#include "calor/io/text_scanner.h"

namespace calor::io {
namespace {

std::size_t count_cells(TextScanner& scanner) {
  std::size_t cells = 0;
  do scanner.text_cell(), ++cells;
  while (scanner.next_cell());
  scanner.restart_row();
  return cells;
}

// Room for one more row.
double* row_of(BlockCells& into, std::size_t width) {
  if (into.cells.size() < into.count + width) into.cells.resize(std::max(2 * into.cells.size(), into.count + width));
  return into.cells.data() + into.count;
}

void note(BlockCells& into, std::size_t cell, std::string_view text) {
  NotedCell noted{cell, 0, static_cast<std::uint32_t>(text.size()), false};
  const std::less_equal<const char*> not_after;
  noted.unquoted = !(not_after(into.text.data(), text.data()) && not_after(text.data(), into.text.data() + into.text.size()));
  if (noted.unquoted) {
    noted.begin = static_cast<std::uint32_t>(into.unquoted.size());
    into.unquoted += text;
  } else {
    noted.begin = static_cast<std::uint32_t>(text.data() - into.text.data());
  }
  into.noted.push_back(noted);
}

}  // namespace

BlockReader::BlockReader(const Dialect& dialect, const std::vector<bool>& texts, const std::string& place) : dialect_(dialect), place_(place), numbers_(texts.size()) {
  for (std::size_t c = texts.size(); c-- > 0;) numbers_[c] = texts[c] ? 0 : 1 + (c + 1 < texts.size() ? numbers_[c + 1] : 0);
}

void BlockReader::read(const RowBlock& block, BlockCells& into) const {
  into.text = block.rows;
  into.count = 0;
  into.noted.clear();
  into.unquoted.clear();
  into.lines.clear();
  into.rows = into.comments = 0;
  into.error = nullptr;
  try {
    read_rows(block, into);
  } catch (...) {
    into.error = std::current_exception();
  }
}

void BlockReader::read_rows(const RowBlock& block, BlockCells& into) const {
  TextScanner scanner(block.rows, dialect_.delimiter, dialect_.decimal, place_, block.line);
  while (scanner.begin_row()) {
    const std::int64_t line = scanner.line();
    const char first = scanner.row().front();
    if (line < dialect_.first_line || line == dialect_.header_line) {
      into.comments += line != dialect_.header_line && (first == '#' || first == '%');
      continue;
    }
    if ((first == '#' || first == '%') && is_comment(scanner.row(), count_cells(scanner), numbers_.size())) {
      ++into.comments;
      continue;
    }
    read_row(scanner, into);
    into.lines.push_back(line);
    ++into.rows;
  }
}

void BlockReader::read_row(TextScanner& scanner, BlockCells& into) const {
  const std::size_t expected = numbers_.size();
  double* const values = row_of(into, expected);
  std::size_t cells = 0;
  do {
    if (cells == expected) {
      // Blanks separate comments too: "1 2 # remark".
      if (dialect_.delimiter == ' ' && scanner.text_cell().starts_with('#')) {
        scanner.skip_row();
        break;
      }
      if (dialect_.ends_empty && scanner.text_cell().empty() && !scanner.next_cell()) break;
      scanner.restart_row();
      fail_ragged(count_cells(scanner), scanner.line());
    }
    if (const std::size_t numbers = scanner.number_cells(values + cells, numbers_[cells]); numbers > 0) {
      cells += numbers;
      continue;
    }
    note(into, into.count + cells, scanner.text_cell());
    values[cells++] = std::numeric_limits<double>::quiet_NaN();
  } while (scanner.next_cell());
  if (cells != expected) fail_ragged(cells, scanner.line());
  into.count += expected;
}

void BlockReader::fail_ragged(std::size_t cells, std::int64_t line) const {
  fail(Fault::input, "[csv] expected {} cells{}, found {} ({}, line {}): add or remove separators, and quote cells that hold one; the separator was taken to be {}{}",
       dialect_.names.size(), line == dialect_.first_line ? "" : fmt::format(" as in line {}", dialect_.first_line), cells, place_, line,
       delimiter_name(dialect_.delimiter), " (--delimiter settles it)");
}

}  // namespace calor::io

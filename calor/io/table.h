// A table as a file holds it, typed, before anything is decided about its columns.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/dialect.h"
#include "calor/io/text_pool.h"
#include "calor/io/text_source.h"

namespace calor::io {

// 1 and 0 for TRUE and FALSE in any case; nothing for other texts.
std::optional<double> truth_of(std::string_view text);

// A cell and where it stands.
struct FoundCell {
  std::string text;
  std::int64_t line = 0;  // 0: there is none
};

struct Column {
  std::string name;
  bool text = false;                      // the cells index `texts`; else they are numbers, NaN where missing
  TextPool texts;
  std::int64_t numbers = 0, missing = 0, nearly = 0, words = 0, infinite = 0;  // cells of each kind (dialect.h)
  FoundCell first_missing, first_infinite, first_text;  // the first of each kind; first_text: nearly a number, or a word

  // Most of what is there is words: names, classes or categories, not numbers with mistakes among them.
  bool of_words() const { return words > 0 && 2 * (words + nearly) > words + nearly + numbers + infinite; }
  // TRUE and FALSE alone, in any case.
  bool of_truth() const;
};

struct Table {
  std::int64_t rows = 0;
  std::vector<Column> columns;
  std::vector<double> cells;              // rows x columns, row-major
  bool named = false;                     // the names come from the file, or were given
  std::string unit = "line";              // what a place counts
  char decimal = '.';
  std::int64_t comments = 0;              // lines left out as comments
  std::function<std::vector<double>(std::int64_t column)> elsewhere;  // gives a column of all rows where `cells` are not here (text_part.h)
  std::int64_t width() const { return static_cast<std::int64_t>(columns.size()); }
  double cell(std::int64_t row, std::int64_t column) const {
    return elsewhere ? brought(column)[static_cast<std::size_t>(row)] : cells[static_cast<std::size_t>(row * width() + column)];
  }
  // The text of a cell; of a column of numbers as format_number writes it, "" where missing.
  std::string text(std::int64_t row, std::int64_t column) const;

 private:
  const std::vector<double>& brought(std::int64_t column) const;
  mutable std::int64_t last_brought_ = -1;
  mutable std::vector<double> of_last_;   // that column
};

// One pass over rows that begin at this line of a text, by columns of texts and of numbers as they are given; there may be no rows.  Throws as parse_table.
Table read_rows(TextSource& source, const Dialect& dialect, const TextFacts& facts, const std::vector<bool>& texts, std::int64_t line, const std::string& place,
                const Context& context);

// The columns that a pass must hold as texts: the dialect's and these, counted from 0; and those that turned out to hold other than numbers, which are added to
// `as_text`: whether there are any.
std::vector<bool> as_texts(const Dialect& dialect, const std::vector<std::int64_t>& texts);
bool find_more_texts(const Table& table, std::vector<bool>& as_text);

// Throws Fault::input for a table without rows, or with others than its text announces.
void require_rows(const Table& table, const Dialect& dialect, const std::string& place);

// All rows of a text.  `texts` forces columns (counted from 0) to be read as texts; others are numbers unless a cell is none, in which
// case the text is read twice.  A row has as many cells as the dialect's names.
// 8 bytes per cell, asked of the limit beforehand, each distinct text once and two blocks of text (row_blocks.h) per thread are held at the peak.  The table
// and the first error are the same for any number of threads.
// Throws Fault::input, naming place and line, for a row with other than its number of cells, bad quotes, no rows at all; Fault::memory.
Table parse_table(TextSource& source, const Dialect& dialect, const TextFacts& facts, const std::vector<std::int64_t>& texts, const std::string& place,
                  const Context& context);

// A table of numbers alone; `values` are rows x names.size().
Table table_of_numbers(std::vector<double> values, std::vector<std::string> names, bool named);

}  // namespace calor::io

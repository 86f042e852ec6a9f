#include "calor/io/table.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/threads.h"
#include "calor/io/number.h"
#include "calor/io/row_blocks.h"
#include "calor/io/table_block.h"

namespace calor::io {
namespace {

constexpr double missing_value = std::numeric_limits<double>::quiet_NaN();

void note_first(FoundCell& found, std::string_view text, std::int64_t line) {
  if (found.line == 0) found = {std::string(text), line};
}

// One pass over the text.  Each thread fetches the next block, makes cells of it, and adds what is ready to the table in the order of the text, so
// that neither the table nor the first error depends on the threads.
class TableReader {
 public:
  TableReader(TextSource& source, const Dialect& dialect, const TextFacts& facts, const std::vector<bool>& texts, std::int64_t line, const std::string& place)
      : dialect_(dialect), facts_(facts), place_(place), blocks_(source, dialect.delimiter, place, RowBlocks::usual_size, line), reader_(dialect, texts, place) {
    table_.columns.resize(texts.size());
    for (std::size_t c = 0; c < texts.size(); ++c) {
      table_.columns[c].name = dialect_.names[c];
      table_.columns[c].text = texts[c];
    }
    table_.named = dialect_.header;
    table_.decimal = dialect_.decimal;
  }

  Table read(const Context& context) {
    reserve(context);
    constexpr std::size_t most_threads = 16;  // one thread fetches at a time, which takes about a tenth of what the cells take
    const auto allowed = static_cast<std::size_t>(context.threads > 0 ? context.threads : available_threads());
    const std::size_t threads = std::min({allowed, most_threads, facts_.bytes / RowBlocks::usual_size + 1});
    slots_ = std::vector<Slot>(threads == 1 ? 1 : 2 * threads);
    parallel_for(static_cast<std::int64_t>(threads), static_cast<int>(threads), [&](std::int64_t) { work(context); });
    if (unread_) std::rethrow_exception(unread_);
    for (Column& column : table_.columns)
      if (column.text) count_kinds(column);
      else column.numbers = table_.rows - column.missing - column.nearly - column.words - column.infinite;
    return std::move(table_);
  }

 private:
  struct Slot {
    RowBlock rows;
    BlockCells cells;
    bool ready = false;  // to join the table
  };

  void work(const Context& context) {
    try {
      while (Slot* slot = fetch(context)) {
        reader_.read(slot->rows, slot->cells);
        add(*slot);
      }
    } catch (...) {
      const std::lock_guard lock(guard_);
      ended_ = true;
      freed_.notify_all();
      throw;
    }
  }

  // The slot of the next block; null at the end.
  Slot* fetch(const Context& context) {
    const std::lock_guard reading(reading_);
    std::unique_lock lock(guard_);
    freed_.wait(lock, [&] { return ended_ || fetched_ < added_ + slots_.size(); });
    if (ended_) return nullptr;
    Slot& slot = slots_[fetched_ % slots_.size()];
    lock.unlock();
    context.check_stop("csv");
    context.advance(static_cast<double>(blocks_.bytes_read()), static_cast<double>(facts_.bytes), "reading");
    bool found = false;
    try {
      found = blocks_.next(slot.rows);
    } catch (...) {  // told after what is wrong in the rows before it
      unread_ = std::current_exception();
    }
    lock.lock();
    if (!found) ended_ = true;
    else ++fetched_;
    return found ? &slot : nullptr;
  }

  // Adds this block and those after it that waited for it, unless another thread is about it.
  void add(Slot& read) {
    std::unique_lock lock(guard_);
    read.ready = true;
    if (adding_) return;
    adding_ = true;
    for (Slot* slot = &slots_[added_ % slots_.size()]; slot->ready; slot = &slots_[added_ % slots_.size()]) {
      lock.unlock();
      join(slot->cells);
      lock.lock();
      slot->ready = false;
      ++added_;
      freed_.notify_one();
    }
    adding_ = false;
  }

  // Every cell but the last of a line needs a separator, so the text bounds the number of cells.
  void reserve(const Context& context) {
    const std::size_t cells = std::min(facts_.lines * table_.columns.size(), facts_.bytes + 1);
    context.memory.require(cells * sizeof(double), "csv", fmt::format("{} columns of {} lines of {}", table_.columns.size(), facts_.lines, place_),
                           "use fewer rows or columns, or raise --max-memory");
    table_.cells.reserve(cells);
  }

  void join(const BlockCells& block) {
    if (block.error) std::rethrow_exception(block.error);
    const std::size_t base = table_.cells.size(), width = table_.columns.size();
    table_.cells.insert(table_.cells.end(), block.cells.begin(), block.cells.begin() + static_cast<std::ptrdiff_t>(block.count));
    table_.rows += block.rows;
    table_.comments += block.comments;
    for (const NotedCell& noted : block.noted) {
      Column& column = table_.columns[noted.cell % width];
      const std::int64_t line = block.lines[noted.cell / width];
      const std::string_view text = block.text_of(noted);
      table_.cells[base + noted.cell] = column.text ? static_cast<double>(column.texts.add(text, line)) : unusual(column, text, line);
    }
  }

  static bool in_range(double value) { return std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()); }

  // What the fast path refuses: "+1", "\"5.1\"", too small and too large numbers, what is missing, and what is no number.
  double unusual(Column& column, std::string_view cell, std::int64_t line) const {
    const std::string_view text = trim(cell);
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

  const Dialect& dialect_;
  const TextFacts& facts_;
  const std::string& place_;
  RowBlocks blocks_;
  BlockReader reader_;
  Table table_;
  std::exception_ptr unread_;
  std::mutex reading_;               // held while a block is fetched
  std::mutex guard_;                 // of what follows
  std::condition_variable freed_;    // a slot, or all of them at the end
  std::vector<Slot> slots_;
  std::size_t fetched_ = 0, added_ = 0;  // blocks; number i has the slot i modulo their count
  bool ended_ = false, adding_ = false;
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

const std::vector<double>& Table::brought(std::int64_t column) const {
  if (last_brought_ != column) {
    of_last_ = elsewhere(column);
    last_brought_ = column;
  }
  return of_last_;
}

Table read_rows(TextSource& source, const Dialect& dialect, const TextFacts& facts, const std::vector<bool>& texts, std::int64_t line, const std::string& place,
                const Context& context) {
  source.rewind();
  return TableReader(source, dialect, facts, texts, line, place).read(context);
}

std::vector<bool> as_texts(const Dialect& dialect, const std::vector<std::int64_t>& texts) {
  std::vector<bool> as_text = dialect.texts;
  for (const std::int64_t column : texts) as_text[static_cast<std::size_t>(column)] = true;
  return as_text;
}

bool find_more_texts(const Table& table, std::vector<bool>& as_text) {
  bool found = false;
  for (std::size_t c = 0; c < as_text.size(); ++c) {
    const Column& column = table.columns[c];
    if (column.text || column.words + column.nearly == 0) continue;
    as_text[c] = found = true;
  }
  return found;
}

void require_rows(const Table& table, const Dialect& dialect, const std::string& place) {
  require(table.rows > 0, Fault::input, "[csv] expected rows of data, found only a header ({}): give a file with data", place);
  require(dialect.announced_rows < 0 || dialect.announced_rows == table.rows, Fault::input,
          "[csv] expected {} rows as line 1 announces, found {} ({}): the file is truncated or line 1 is wrong", dialect.announced_rows, table.rows, place);
}

Table parse_table(TextSource& source, const Dialect& dialect, const TextFacts& facts, const std::vector<std::int64_t>& texts, const std::string& place,
                  const Context& context) {
  std::vector<bool> as_text = as_texts(dialect, texts);
  for (;;) {
    Table table = read_rows(source, dialect, facts, as_text, 1, place, context);
    require_rows(table, dialect, place);
    if (!find_more_texts(table, as_text)) return table;
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

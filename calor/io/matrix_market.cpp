#include "calor/io/matrix_market.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"
#include "calor/io/sparse_assembly.h"

namespace calor::io {

namespace {

constexpr std::string_view banner = "%%matrixmarket";

// The words of one line; more than it has room for are counted only.
struct Words {
  std::array<std::string_view, 5> word;
  std::size_t count = 0;
};

class Parser {
 public:
  Parser(std::string_view text, const std::string& place, const Context& context)
      : rest_(text), place_(place), context_(context) {}

  MatrixMarket parse() {
    read_banner();
    read_sizes();
    found_.array ? read_array() : read_coordinates();
    Words words;
    require(!next(words), Fault::input, "[matrix market] expected {} {}, found more ({}, line {}): correct the line of sizes, line {}", found_.stored, unit(),
            place_, line_, sizes_line_);
    found_.matrix = assemble(std::move(triplets_), "matrix market", place_);
    return std::move(found_);
  }

 private:
  const char* unit() const { return found_.array ? "values" : "entries"; }

  std::string_view take_line() {
    const std::string_view line = rest_.substr(0, rest_.find_first_of("\r\n"));
    rest_.remove_prefix(line.size());
    rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : std::min<std::size_t>(1, rest_.size()));
    if (++line_ % 65536 == 0) context_.check_stop("matrix market");
    return line;
  }

  static Words words_of(std::string_view line) {
    constexpr std::string_view blanks = " \t\f\v";
    Words words;
    for (std::size_t begin = line.find_first_not_of(blanks); begin != std::string_view::npos;) {
      const std::size_t end = std::min(line.find_first_of(blanks, begin), line.size());
      if (words.count < words.word.size()) words.word[words.count] = line.substr(begin, end - begin);
      ++words.count;
      begin = line.find_first_not_of(blanks, end);
    }
    return words;
  }

  // The next line that says something; false at the end of the text.
  bool next(Words& words) {
    while (!rest_.empty()) {
      words = words_of(take_line());
      if (words.count > 0 && words.word[0][0] != '%') return true;
    }
    return false;
  }

  void read_banner() {
    const std::string line = lower_case(take_line());
    const Words words = words_of(line);
    require(words.count == 5 && is_matrix_market(words.word[0]), Fault::input,
            "[matrix market] expected \"%%MatrixMarket matrix coordinate real general\" or the like, found \"{}\" ({}, line 1): is it a Matrix Market file?",
            line.substr(0, 80), place_);
    const auto [first, object, format, field, symmetry] = words.word;
    const auto expect = [&](bool known, const char* what, std::string_view word, const char* remedy) {
      require(known, Fault::input, "[matrix market] expected {}, found \"{}\" ({}, line 1): {}", what, word, place_, remedy);
    };
    expect(object == "matrix", "a matrix", object, "give a file with a matrix");
    expect(format == "coordinate" || format == "array", "coordinate or array", format, "correct the first line");
    expect(field == "real" || field == "double" || field == "integer" || field == "unsigned-integer" || field == "pattern", "real, integer or pattern", field,
           field == "complex" ? "write the real part or the modulus" : "correct the first line");
    expect(symmetry == "general" || symmetry == "symmetric" || symmetry == "skew-symmetric", "general, symmetric or skew-symmetric", symmetry,
           symmetry == "hermitian" ? "a real matrix is symmetric; write the real part" : "correct the first line");
    found_.array = format == "array";
    found_.pattern = field == "pattern";
    found_.symmetric = symmetry == "symmetric";
    found_.skew = symmetry == "skew-symmetric";
    require(!(found_.array && found_.pattern), Fault::input,
            "[matrix market] expected values in the array format, found \"pattern\" ({}, line 1): a pattern has the coordinate format", place_);
  }

  std::optional<std::int64_t> whole(std::string_view word) const {
    std::int64_t value = 0;
    if (word.starts_with('+')) word.remove_prefix(1);
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) return {};
    return value;
  }

  // "rows columns entries", or "rows columns" of an array.
  void read_sizes() {
    const std::size_t wanted = found_.array ? 2 : 3;
    Words words;
    const bool found = next(words);
    std::array<std::int64_t, 3> size{};
    bool sound = found && words.count == wanted;
    for (std::size_t k = 0; sound && k < wanted; ++k) {
      const auto number = whole(words.word[k]);
      sound = number && *number >= 0;
      if (sound) size[k] = *number;
    }
    require(sound, Fault::input, "[matrix market] expected {} after the comments, found {} ({}, line {}): the file is truncated, or correct the line",
            found_.array ? "the numbers of rows and columns" : "the numbers of rows, columns and entries",
            found ? "another line" : "no line", place_, line_);
    const auto [rows, columns, listed] = size;
    sizes_line_ = line_;
    require((!found_.symmetric && !found_.skew) || rows == columns, Fault::input,
            "[matrix market] expected as many rows as columns in a symmetric matrix, found {} x {} ({}, line {}): correct the sizes", rows, columns, place_,
            line_);
    found_.stored = found_.array ? array_length(rows, columns) : listed;
    // Each entry takes a line of its own, so the text itself bounds what an honest file can announce.
    const auto shortest = static_cast<std::int64_t>(found_.array ? 2 : 4);
    const auto possible = static_cast<std::int64_t>(rest_.size() + 1) / shortest;
    require(found_.stored <= possible, Fault::input, "[matrix market] expected at most {} {} in what follows, found {} announced ({}, line {}): the file is truncated; fetch it again",
            possible, unit(), found_.stored, place_, line_);
    const bool mirrored = found_.symmetric || found_.skew;
    const auto most = static_cast<std::uint64_t>(found_.stored) * (mirrored ? 2 : 1);
    check_sparse_size(rows, columns, most, 0, "matrix market", place_, context_);
    triplets_.rows = rows;
    triplets_.columns = columns;
    triplets_.row.reserve(most);
    triplets_.column.reserve(most);
    triplets_.value.reserve(most);
  }

  // Values that an array lists: all, or one triangle of it with or without its diagonal; the largest number where none counts them.
  std::int64_t array_length(std::int64_t rows, std::int64_t columns) const {
    std::int64_t all = 0;
    if (__builtin_mul_overflow(rows, columns, &all)) return std::numeric_limits<std::int64_t>::max();
    if (found_.symmetric) return (all - rows) / 2 + rows;
    return found_.skew ? (all - rows) / 2 : all;
  }

  double value(std::string_view word, std::int64_t row, std::int64_t column) const {
    const auto number = parse_number(word);
    require(number && std::isfinite(static_cast<float>(*number)), Fault::input,
            "[matrix market] expected a finite number in the range of float, found \"{}\" ({}, line {}, row {}, column {}): correct the value", word.substr(0, 40),
            place_, line_, row + 1, column + 1);
    return *number;
  }

  void add(std::int64_t row, std::int64_t column, double entry) {
    triplets_.row.push_back(static_cast<std::int32_t>(row));
    triplets_.column.push_back(static_cast<std::int32_t>(column));
    triplets_.value.push_back(entry);
  }

  void add_mirrored(std::int64_t row, std::int64_t column, double entry) {
    require(!found_.skew || row != column || entry == 0, Fault::input,
            "[matrix market] expected no diagonal in a skew-symmetric matrix, found {} ({}, line {}, row {}): correct the entry", entry, place_, line_, row + 1);
    add(row, column, entry);
    if ((found_.symmetric || found_.skew) && row != column) add(column, row, found_.skew ? -entry : entry);
  }

  // The next line, with that many words.
  Words expect_words(std::int64_t before, std::size_t count, const char* what) {
    Words words;
    require(next(words), Fault::input, "[matrix market] expected {} {}, found {} ({}, line {}): the file is truncated, or correct the line of sizes, line {}",
            found_.stored, unit(), before, place_, line_, sizes_line_);
    require(words.count == count, Fault::input, "[matrix market] expected {}, found {} word{} ({}, line {}): correct the line", what, words.count,
            words.count == 1 ? "" : "s", place_, line_);
    return words;
  }

  std::int64_t index(std::string_view word, std::int64_t size, const char* what) const {
    const auto number = whole(word);
    require(number && *number >= 1 && *number <= size, Fault::input, "[matrix market] expected a {} from 1 to {}, found \"{}\" ({}, line {}): correct the index or the sizes",
            what, size, word.substr(0, 40), place_, line_);
    return *number - 1;
  }

  void read_coordinates() {
    const std::size_t count = found_.pattern ? 2 : 3;
    for (std::int64_t e = 0; e < found_.stored; ++e) {
      const Words words = expect_words(e, count, found_.pattern ? "\"row column\"" : "\"row column value\"");
      const std::int64_t row = index(words.word[0], triplets_.rows, "row");
      const std::int64_t column = index(words.word[1], triplets_.columns, "column");
      add_mirrored(row, column, found_.pattern ? 1.0 : value(words.word[2], row, column));
    }
  }

  void read_array() {
    std::int64_t before = 0;
    for (std::int64_t column = 0; column < triplets_.columns; ++column)
      for (std::int64_t row = found_.symmetric ? column : found_.skew ? column + 1 : 0; row < triplets_.rows; ++row, ++before) {
        const Words words = expect_words(before, 1, "one value per line");
        const double entry = value(words.word[0], row, column);
        if (entry != 0) add_mirrored(row, column, entry);
      }
  }

  std::string_view rest_;
  const std::string& place_;
  const Context& context_;
  MatrixMarket found_;
  Triplets triplets_;
  std::int64_t line_ = 0, sizes_line_ = 0;
};

}  // namespace

bool is_matrix_market(std::string_view text) {
  const std::string begin = lower_case(text.substr(0, banner.size()));
  return begin == banner || begin.starts_with(banner.substr(1));
}

MatrixMarket parse_matrix_market(std::string_view text, const std::string& place, const Context& context) {
  return Parser(text, place, context).parse();
}

}  // namespace calor::io

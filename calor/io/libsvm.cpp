#include "calor/io/libsvm.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "calor/core/error.h"
#include "calor/io/labels.h"
#include "calor/io/number.h"
#include "calor/io/roles.h"

namespace calor::io {
namespace {

constexpr std::string_view blanks = " \t";

// The next word of a line, taken off its front; empty at its end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

// Calls row(line number, label, rest of the line) for each row until it returns false.
template <class Row>
void for_each_row(std::string_view text, Row&& row) {
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    if (!text.empty()) text.remove_prefix(text.starts_with("\r\n") ? 2 : 1);
    line = line.substr(0, line.find('#'));
    const std::string_view label = take_word(line);
    if (!label.empty() && !row(number, label, line)) return;
  }
}

struct Pair {
  std::int64_t index;
  double value;
};

std::optional<Pair> pair_of(std::string_view word) {
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  Pair pair{};
  const char* end = word.data() + colon;
  const auto read = std::from_chars(word.data(), end, pair.index);
  const auto value = parse_number(word.substr(colon + 1));
  if (read.ec != std::errc() || read.ptr != end || pair.index < 0 || !value) return std::nullopt;
  pair.value = *value;
  return pair;
}

bool is_label(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || std::string_view("+-.,eE").find(c) != std::string_view::npos; });
}

// The same words as libsvm's own readers for whatever does not fit.
[[noreturn]] void fail_format(std::string_view found, const char* expected, const std::string& place, std::int64_t line) {
  fail(Fault::input, "[libsvm] wrong input format at line {}: expected {}, found \"{}\" ({}, line {}): correct the line", line, expected, found, place, line);
}

Pair checked_pair(std::string_view word, std::int64_t line, const std::string& place) {
  const auto pair = pair_of(word);
  if (!pair && word.starts_with("qid:"))
    fail(Fault::input, "[libsvm] wrong input format at line {}: expected index:value, found the query \"{}\" of a ranking file ({}, line {}): remove qid", line, word, place, line);
  if (!pair && word.find(':') == std::string_view::npos && is_label(word)) fail_format(word, "one label without blanks, then index:value pairs", place, line);
  if (!pair) fail_format(word, "index:value", place, line);
  if (!std::isfinite(static_cast<float>(pair->value))) fail_format(word, "index:value with a finite value", place, line);
  return *pair;
}

void check_label(std::string_view label, std::int64_t line, const std::string& place) {
  if (!is_label(label)) fail_format(label, label.find(':') != std::string_view::npos ? "a label before the pairs" : "a number as label", place, line);
}

// The column of an index: by the names of a saved model, else counted from the first.
class Places {
 public:
  Places(const std::vector<std::string>& features, std::int64_t least, std::int64_t most) : first_(least == 0 ? 0 : 1), columns_(most + 1 - first_) {
    if (features.empty()) return;
    columns_ = static_cast<std::int64_t>(features.size());
    for (std::size_t f = 0; f < features.size(); ++f) {
      std::int64_t index = -1;
      const char* end = features[f].data() + features[f].size();
      const bool numbered = features[f].starts_with('x') && std::from_chars(features[f].data() + 1, end, index).ptr == end && index >= 0;
      require(numbered, Fault::input, "[libsvm] expected a model of numbered columns (x1, x2, ...), found one with the column \"{}\": give the file "
                                      "in the format that it was trained on", features[f]);
      if (static_cast<std::size_t>(index) >= place_.size()) place_.resize(static_cast<std::size_t>(index) + 1, -1);
      place_[static_cast<std::size_t>(index)] = static_cast<std::int64_t>(f);
    }
  }
  std::int64_t columns() const { return columns_; }
  std::int64_t first() const { return first_; }
  std::int64_t of(std::int64_t index) const {  // -1: none
    if (place_.empty()) return index - first_;
    return static_cast<std::size_t>(index) < place_.size() ? place_[static_cast<std::size_t>(index)] : -1;
  }

 private:
  std::int64_t first_, columns_;
  std::vector<std::int64_t> place_;
};

}  // namespace

bool is_libsvm(std::string_view text) {
  constexpr int rows_looked_at = 20;
  int rows = 0, fitting = 0;
  bool labelled = false;
  for_each_row(text, [&](std::int64_t, std::string_view label, std::string_view rest) {
    const bool starts = is_label(label) || pair_of(label);
    bool fits = starts, alone = true;
    int pairs = 0;
    for (std::string_view word = take_word(rest); fits && !word.empty(); word = take_word(rest)) {
      alone = false;
      const bool pair = pair_of(word).has_value() || word.starts_with("qid:");
      fits = pair || is_label(word);  // a label with a blank in it, which is refused later
      pairs += pair;
    }
    if (fits && pairs == 0 && alone && parse_number(label)) return true;  // a row of zeros, or a column of numbers
    fitting += fits && pairs > 0;
    labelled = labelled || (fits && pairs > 0 && is_label(label));
    return ++rows < rows_looked_at;
  });
  return labelled && 2 * fitting >= rows;
}

SparseRows parse_libsvm(std::string_view text, const std::string& place, const std::vector<std::string>& features, const Context& context) {
  std::int64_t rows = 0, entries = 0, least = std::numeric_limits<std::int64_t>::max(), most = 0;
  for_each_row(text, [&](std::int64_t line, std::string_view label, std::string_view rest) {
    if (line % 4096 == 0) context.check_stop("libsvm");
    check_label(label, line, place);
    ++rows;
    for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
      const std::int64_t index = checked_pair(word, line, place).index;
      least = std::min(least, index);
      most = std::max(most, index);
      ++entries;
    }
    return true;
  });
  const Places places(features, least, most);
  SparseRows found;
  SparseMatrix& matrix = found.matrix;
  matrix.rows = rows;
  matrix.columns = places.columns();
  require(matrix.columns > 0, Fault::input, "[libsvm] expected columns to count, found the index {} ({})", most, place);
  require(matrix.columns <= std::numeric_limits<std::int32_t>::max(), Fault::memory, "[libsvm] expected indices below 2^31, found {} ({}): number the columns from 1 on", most, place);
  context.memory.require(static_cast<std::uint64_t>(entries) * 12 + static_cast<std::uint64_t>(rows) * 8 + static_cast<std::uint64_t>(matrix.columns) * 40, "libsvm",
                         fmt::format("{} entries in {} columns of {}", entries, matrix.columns, place), "use fewer rows or columns, or raise --max-memory");
  matrix.column.reserve(static_cast<std::size_t>(entries));
  matrix.value.reserve(static_cast<std::size_t>(entries));
  if (features.empty())
    for (std::int64_t c = 0; c < matrix.columns; ++c) found.features.push_back(fmt::format("x{}", c + places.first()));
  else found.features = features;

  std::vector<std::pair<std::int32_t, double>> row;
  for_each_row(text, [&](std::int64_t line, std::string_view label, std::string_view rest) {
    if (line % 4096 == 0) context.check_stop("libsvm");
    found.labels.add(label, line);
    row.clear();
    for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
      const Pair pair = checked_pair(word, line, place);
      const std::int64_t column = places.of(pair.index);
      require(column >= 0, Fault::input,
              "[libsvm] expected the columns that the model was trained on, found the index {} ({}, line {}): leave it out, or fit anew with data that have it", pair.index, place, line);
      row.emplace_back(static_cast<std::int32_t>(column), pair.value);
    }
    std::sort(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    const auto twice = std::adjacent_find(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
    require(twice == row.end(), Fault::input, "[libsvm] expected each index once in a line, found {} twice ({}, line {}): leave one out",
            twice == row.end() ? "" : found.features[static_cast<std::size_t>(twice->first)].substr(1), place, line);
    for (const auto& [column, value] : row) {
      if (value == 0) continue;
      matrix.column.push_back(column);
      matrix.value.push_back(value);
    }
    matrix.begin.push_back(matrix.entries());
    return true;
  });
  return found;
}

}  // namespace calor::io

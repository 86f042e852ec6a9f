#include "calor/io/libsvm.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "calor/core/error.h"
#include "calor/io/labels.h"
#include "calor/io/number.h"

namespace calor::io {
namespace {

constexpr std::string_view blanks = " \t\r";

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
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
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

Pair checked_pair(std::string_view word, std::int64_t line, const std::string& place) {
  const auto pair = pair_of(word);
  require(pair && std::isfinite(pair->value) && std::isfinite(static_cast<float>(pair->value)), Fault::input,
          "[libsvm] expected index:value with a finite value, found \"{}\" ({}, line {}): mend the line", word, place, line);
  return *pair;
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
  int rows = 0, pairs = 0;
  bool fits = true;
  for_each_row(text, [&](std::int64_t, std::string_view label, std::string_view rest) {
    fits = is_label(label);
    for (std::string_view word = take_word(rest); fits && !word.empty(); word = take_word(rest), ++pairs) fits = pair_of(word).has_value();
    return fits && ++rows < rows_looked_at;
  });
  return fits && pairs > 0;
}

Dataset parse_libsvm(std::string_view text, const std::string& place, const LoadOptions& options, const Context& context) {
  require(!options.label || *options.label == "label", Fault::input,
          "[libsvm] expected the label at the beginning of each line, found --label \"{}\" ({}): leave it out", *options.label, place);
  std::int64_t rows = 0, least = std::numeric_limits<std::int64_t>::max(), most = 0;
  for_each_row(text, [&](std::int64_t line, std::string_view, std::string_view rest) {
    ++rows;
    for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
      const std::int64_t index = checked_pair(word, line, place).index;
      least = std::min(least, index);
      most = std::max(most, index);
    }
    return true;
  });
  const Places places(options.features, least, most);
  const std::int64_t own = options.labelled ? 0 : 1;  // the label as a column
  Dataset data;
  data.rows = rows;
  data.columns = places.columns() + own;
  require(data.columns > own && data.columns < std::int64_t{1} << 40, Fault::input, "[libsvm] expected columns to count, found the index {} ({})", most, place);
  context.memory.require(static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(data.columns) * sizeof(double), "libsvm",
                         fmt::format("{} columns of {} rows of {}", data.columns, rows, place), "use fewer rows or columns, or raise --max-memory");
  data.values.resize(static_cast<std::size_t>(rows * data.columns));
  if (own) data.features.push_back("label");
  for (std::int64_t c = 0; c < places.columns(); ++c)
    data.features.push_back(options.features.empty() ? fmt::format("x{}", c + places.first()) : options.features[static_cast<std::size_t>(c)]);

  LabelTexts labels("line");
  std::vector<std::int64_t> seen(static_cast<std::size_t>(places.columns()), -1);  // the row that named it last
  std::int64_t row = 0;
  for_each_row(text, [&](std::int64_t line, std::string_view label, std::string_view rest) {
    if (line % 4096 == 0) context.check_stop("libsvm");
    double* values = data.values.data() + row * data.columns;
    if (own) {
      const auto number = parse_number(label);
      require(number && std::isfinite(static_cast<float>(*number)), Fault::input, "[libsvm] expected a number as label, found \"{}\" ({}, line {})", label,
              place, line);
      values[0] = *number;
    }
    labels.add(label, line);
    for (std::string_view word = take_word(rest); !word.empty(); word = take_word(rest)) {
      const Pair pair = checked_pair(word, line, place);
      const std::int64_t column = places.of(pair.index);
      require(column >= 0, Fault::input, "[libsvm] expected the columns that the model was trained on, found the index {} ({}, line {})", pair.index, place,
              line);
      std::int64_t& last = seen[static_cast<std::size_t>(column)];
      require(last != row, Fault::input, "[libsvm] expected each index once in a line, found {} twice ({}, line {})", pair.index, place, line);
      last = row;
      values[column + own] = pair.value;
    }
    ++row;
    return true;
  });
  if (!own) {
    data.label = "label";
    set_labels(data, labels, options, place);
  }
  return data;
}

}  // namespace calor::io

#include "calor/io/text_part.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>

#include "calor/core/error.h"
#include "calor/io/container.h"
#include "calor/io/file_options.h"
#include "calor/io/foreign_format.h"
#include "calor/io/graphml.h"
#include "calor/io/gzip.h"
#include "calor/io/libsvm.h"
#include "calor/io/matrix_market.h"
#include "calor/io/roles.h"
#include "calor/io/table.h"
#include "calor/io/table_data.h"
#include "calor/io/text_scanner.h"

namespace calor::io {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 16;

// What readers tell each other: whole numbers and texts, one after the other.
class Said {
 public:
  void put(std::int64_t number) { bytes_.append(reinterpret_cast<const char*>(&number), sizeof number); }
  void put(std::string_view text) {
    put(static_cast<std::int64_t>(text.size()));
    bytes_ += text;
  }
  void put(const FoundCell& cell) {
    put(cell.line);
    put(cell.text);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Heard {
 public:
  explicit Heard(const std::string& bytes) : bytes_(bytes) {}
  std::int64_t number() {
    std::int64_t result = 0;
    std::memcpy(&result, bytes_.data() + at_, sizeof result);
    at_ += sizeof result;
    return result;
  }
  std::string_view text() {
    const auto size = static_cast<std::size_t>(number());
    at_ += size;
    return std::string_view(bytes_).substr(at_ - size, size);
  }
  FoundCell cell() {
    const std::int64_t line = number();
    return {std::string(text()), line};
  }

 private:
  const std::string& bytes_;
  std::size_t at_ = 0;
};

std::vector<std::int64_t> numbers_of_all(const PartReaders& readers, std::int64_t own) {
  Said said;
  said.put(own);
  std::vector<std::int64_t> numbers;
  for (const std::string& bytes : readers.all(said.bytes())) numbers.push_back(Heard(bytes).number());
  return numbers;
}

// The file as a text, or nothing for what is none that is read in parts.
std::unique_ptr<TextSource> plain_text(const std::string& path, const LoadOptions& options, std::uint64_t& mark, const Context& context) {
  auto file = text_of_file(path);
  std::string head(piece_size, '\0');
  head.resize(file->read(head.data(), head.size()));
  if (head.empty() || is_gzip(head) || is_container(head) || !foreign_format(head).empty()) return nullptr;
  TextFacts facts;
  try {
    as_utf8(text_view(head), options.text.encoding, path, context, facts);
  } catch (const Error&) {  // told by who reads the whole
    return nullptr;
  }
  if (facts.encoding != "UTF-8") return nullptr;
  mark = head.size() - facts.bytes;
  auto text = text_of_file(path, mark, std::filesystem::file_size(path));
  const std::string beginning = beginning_of(*text);
  if (is_libsvm(beginning) || is_matrix_market(beginning) || is_graphml(beginning)) return nullptr;
  return text;
}

// The first line that begins at byte `at` or later.
std::uint64_t line_from(const std::string& path, std::uint64_t at, std::uint64_t first, std::uint64_t end) {
  if (at <= first) return first;
  const auto text = text_of_file(path, at - 1, end);
  std::string piece(piece_size, '\0');
  for (std::uint64_t from = at - 1; const std::size_t count = text->read(piece.data(), piece.size()); from += count)
    if (const std::size_t feed = std::string_view(piece).substr(0, count).find('\n'); feed != std::string_view::npos) return from + feed + 1;
  return end;
}

struct Part {
  std::unique_ptr<TextSource> text;
  TextFacts facts;
  std::int64_t line_ends = 0;
  bool quotes = false;
};

// One of parts that end behind a '\n'.
Part part_of(const std::string& path, std::uint64_t begin, std::uint64_t end, const Context& context) {
  Part part;
  part.text = text_of_file(path, begin, end);
  part.facts.bytes = end - begin;
  std::string piece(piece_size, '\0');
  bool returned = false;  // the piece before ended in '\r'
  while (const std::size_t count = part.text->read(piece.data(), piece.size())) {
    const std::string_view text = std::string_view(piece).substr(0, count);
    part.quotes = part.quotes || text.find('"') != std::string_view::npos;
    part.line_ends += static_cast<std::int64_t>(count_byte(text, '\n')) - (returned && text.front() == '\n');
    for (std::size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) part.line_ends += at + 1 == count || text[at + 1] != '\n';
    returned = text.back() == '\r';
    context.check_stop("data");
  }
  part.facts.lines = static_cast<std::size_t>(part.line_ends) + 1;
  part.text->rewind();
  return part;
}

// Whether a row of the part goes over the end of its line: lines that are rows everywhere are so in the whole.
bool breaks_lines(Part& part, char delimiter, const std::string& path) {
  if (!part.quotes) return false;
  TextScanner scanner(*part.text, delimiter, '.', path);
  while (scanner.begin_row())
    if (scanner.row().find_first_of("\r\n") != std::string_view::npos) return true;
  return false;
}

Said said_of(const Table& own) {
  Said said;
  said.put(own.rows);
  said.put(own.comments);
  for (const Column& column : own.columns) {
    for (const std::int64_t count : {column.numbers, column.missing, column.nearly, column.words, column.infinite}) said.put(count);
    for (const FoundCell* cell : {&column.first_missing, &column.first_infinite, &column.first_text}) said.put(*cell);
    said.put(column.texts.size());
    for (std::int64_t id = 0; id < column.texts.size(); ++id) {
      said.put(column.texts.text(id));
      said.put(column.texts.line(id));
      said.put(column.texts.count(id));
    }
  }
  return said;
}

// The table of all rows, whose cells are brought when they are asked for.  `own` must outlive it.
Table table_of_all(const Table& own, const PartReaders& readers) {
  const std::vector<std::string> said = readers.all(said_of(own).bytes());
  Table all;
  all.columns.resize(own.columns.size());
  all.named = own.named;
  all.decimal = own.decimal;
  for (std::size_t c = 0; c < own.columns.size(); ++c) {
    all.columns[c].name = own.columns[c].name;
    all.columns[c].text = own.columns[c].text;
  }
  auto number_of = std::make_shared<std::vector<std::vector<double>>>(own.columns.size());  // of an own text, by its own number
  for (std::size_t r = 0; r < said.size(); ++r) {
    Heard heard(said[r]);
    all.rows += heard.number();
    all.comments += heard.number();
    for (std::size_t c = 0; c < all.columns.size(); ++c) {
      Column& column = all.columns[c];
      for (std::int64_t* count : {&column.numbers, &column.missing, &column.nearly, &column.words, &column.infinite}) *count += heard.number();
      for (FoundCell* cell : {&column.first_missing, &column.first_infinite, &column.first_text})
        if (FoundCell found = heard.cell(); cell->line == 0) *cell = std::move(found);
      for (std::int64_t left = heard.number(); left > 0; --left) {
        const std::string_view text = heard.text();
        const std::int64_t line = heard.number();
        const std::int64_t id = column.texts.add(text, line, heard.number());
        if (static_cast<int>(r) == readers.own) (*number_of)[c].push_back(static_cast<double>(id));
      }
    }
  }
  all.elsewhere = [&own, &readers, number_of](std::int64_t column) {
    std::vector<double> cells;
    const bool text = own.columns[static_cast<std::size_t>(column)].text;
    for (std::int64_t i = 0; i < own.rows; ++i) {
      const double cell = own.cell(i, column);
      cells.push_back(text ? (*number_of)[static_cast<std::size_t>(column)][static_cast<std::size_t>(cell)] : cell);
    }
    std::vector<double> result;
    for (const std::string& bytes : readers.all(std::string(reinterpret_cast<const char*>(cells.data()), cells.size() * sizeof(double)))) {
      const std::size_t before = result.size();
      result.resize(before + bytes.size() / sizeof(double));
      std::memcpy(result.data() + before, bytes.data(), bytes.size());
    }
    return result;
  };
  return all;
}

// Columns of one value: each reader says of each column its first value and one that differs, where there is one.
std::int64_t constant_columns(const std::vector<double>& values, std::int64_t columns, const PartReaders& readers) {
  std::string own;
  const std::int64_t rows = static_cast<std::int64_t>(values.size()) / std::max<std::int64_t>(1, columns);
  for (std::int64_t c = 0; c < columns && rows > 0; ++c) {
    double both[2] = {values[static_cast<std::size_t>(c)], values[static_cast<std::size_t>(c)]};
    for (std::int64_t i = 1; i < rows && both[1] == both[0]; ++i) both[1] = values[static_cast<std::size_t>(i * columns + c)];
    own.append(reinterpret_cast<const char*>(both), sizeof both);
  }
  std::vector<double> first;
  std::vector<bool> varies(static_cast<std::size_t>(columns));
  for (const std::string& bytes : readers.all(own)) {
    if (bytes.empty()) continue;
    std::vector<double> both(bytes.size() / sizeof(double));
    std::memcpy(both.data(), bytes.data(), bytes.size());
    if (first.empty()) first = both;
    for (std::size_t c = 0; c < varies.size(); ++c) varies[c] = varies[c] || both[2 * c] != first[2 * c] || both[2 * c + 1] != first[2 * c];
  }
  return std::count(varies.begin(), varies.end(), false);
}

// The own rows and all rows' facts, by columns of texts that all have agreed on.
struct Read {
  Table own, all;
};

void read_all(Read& read, const Part& part, std::int64_t line, const Dialect& dialect, const std::vector<std::int64_t>& texts, const std::string& path, const PartReaders& readers,
              const Context& context) {
  std::vector<bool> as_text = as_texts(dialect, texts);
  for (bool again = true; again;) {
    read.all = {};
    readers.together([&] { read.own = read_rows(*part.text, dialect, part.facts, as_text, line, path, context); });
    read.all = table_of_all(read.own, readers);
    require_rows(read.all, dialect, path);
    again = find_more_texts(read.all, as_text);
  }
}

}  // namespace

std::optional<PartOfText> load_part(const std::string& path, const LoadOptions& options, const PartReaders& readers, std::string& why, const Context& context) {
  std::uint64_t mark = 0, begin = 0, end = 0;
  Dialect dialect;
  Part part;
  bool plain = false;
  readers.together([&] {
    std::error_code error;
    if (options.known() || options.missing != Missing::refuse || !std::filesystem::is_regular_file(path, error)) return;
    const auto text = plain_text(path, options, mark, context);
    if (!text) return;
    check_options(separated_text, options, true, path);
    dialect = find_dialect(*text, options.text, {}, options.label.value_or(""), false, path);
    plain = dialect.class_names.empty();
    if (!plain) return;
    const std::uint64_t size = std::filesystem::file_size(path), bytes = size - mark;
    const auto cut = [&](int reader) { return line_from(path, mark + bytes / static_cast<std::uint64_t>(readers.count) * static_cast<std::uint64_t>(reader), mark, size); };
    begin = cut(readers.own);
    end = readers.own + 1 == readers.count ? size : cut(readers.own + 1);
    part = part_of(path, begin, end, context);
  });
  const auto alike = [&](std::int64_t number) {
    const std::vector<std::int64_t> numbers = numbers_of_all(readers, number);
    return std::ranges::adjacent_find(numbers, std::not_equal_to<>()) == numbers.end();
  };
  const auto lowest = [](const std::vector<std::int64_t>& numbers) { return *std::ranges::min_element(numbers); };
  if (lowest(numbers_of_all(readers, plain)) == 0) return {};
  if (!alike(static_cast<std::int64_t>(std::filesystem::file_size(path))) || !alike(static_cast<std::int64_t>(dialect.names.size()))) return {};  // others see another file
  bool broken = false;
  readers.together([&] { broken = breaks_lines(part, dialect.delimiter, path); });
  if (lowest(numbers_of_all(readers, !broken)) == 0) {
    why = "quoted cells hold line ends: every process has read the whole file";
    return {};
  }
  std::int64_t line = 1;
  const std::vector<std::int64_t> line_ends = numbers_of_all(readers, part.line_ends);
  for (int r = 0; r < readers.own; ++r) line += line_ends[static_cast<std::size_t>(r)];

  std::vector<std::int64_t> texts = columns_of_texts(dialect, options);
  Read read;
  read_all(read, part, line, dialect, texts, path, readers, context);
  Roles roles = assign_roles(read.all, options, path);
  if (roles.names >= 0 && !read.all.columns[static_cast<std::size_t>(roles.names)].text) {  // as in data_of_text
    texts.push_back(roles.names);
    read_all(read, part, line, dialect, texts, path, readers, context);
  }
  PartOfText result;
  Dataset& data = result.data;
  data = data_beside_features(read.all, roles, options, path, {}, {});
  const Coding coding = find_coding(read.all, roles, options, path);
  const std::int64_t rows = read.all.rows;
  for (std::size_t c = 0; c < read.own.columns.size(); ++c) {  // what is missing is complained about in the order of the whole
    read.own.columns[c].missing = read.all.columns[c].missing;
    read.own.columns[c].first_missing = read.all.columns[c].first_missing;
  }
  read.all = {};
  readers.together([&] { code_features(data, std::move(read.own), roles, coding, options, path); });
  result.values = std::move(data.values);
  data.values = {};
  data.rows = rows;
  data.constant = rows < 2 ? 0 : constant_columns(result.values, data.columns, readers);
  tell_reading(data, dialect, part.facts);
  data.name = short_name(path);
  data.source = path;
  data.measured = options.measured;
  return result;
}

}  // namespace calor::io

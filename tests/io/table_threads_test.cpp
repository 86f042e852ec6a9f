// One table and one first error for any number of threads: what one thread reads, block by block in the order of the text, is the reference.
#include <gtest/gtest.h>

#include <cstring>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/io/table.h"

namespace calor::io {
namespace {

Table read(const std::string& text, int threads, const std::vector<std::int64_t>& texts = {}) {
  const std::string place = "file.csv";
  Context context;
  context.threads = threads;
  TextFacts facts;
  const auto source = as_utf8(text_view(text), "", place, context, facts);
  return parse_table(*source, find_dialect(*source, {}, {}, "", false, place), facts, texts, place, context);
}

std::string error_of(const std::string& text, int threads) {
  try {
    read(text, threads);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

void expect_same(const FoundCell& a, const FoundCell& b) {
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.line, b.line);
}

void expect_same(const Table& a, const Table& b) {
  ASSERT_EQ(a.rows, b.rows);
  ASSERT_EQ(a.cells.size(), b.cells.size());
  EXPECT_EQ(std::memcmp(a.cells.data(), b.cells.data(), a.cells.size() * sizeof(double)), 0);
  EXPECT_EQ(a.comments, b.comments);
  for (std::size_t c = 0; c < a.columns.size(); ++c) {
    const Column &x = a.columns[c], &y = b.columns[c];
    EXPECT_EQ(x.text, y.text);
    EXPECT_EQ(x.texts.texts(), y.texts.texts());
    for (std::int64_t id = 0; id < std::min(x.texts.size(), y.texts.size()); ++id) {
      EXPECT_EQ(x.texts.line(id), y.texts.line(id));
      EXPECT_EQ(x.texts.count(id), y.texts.count(id));
    }
    for (const auto kind : {&Column::numbers, &Column::missing, &Column::nearly, &Column::words, &Column::infinite}) EXPECT_EQ(x.*kind, y.*kind);
    for (const auto first : {&Column::first_missing, &Column::first_infinite, &Column::first_text}) expect_same(x.*first, y.*first);
  }
}

constexpr std::int64_t rows = 60'000;  // some 2 MB, a dozen blocks

// Everything that a table may hold; `quotes`: line ends within cells too.
std::string mixed(bool quotes, const char* line_end) {
  std::string text = std::string("a,b,c,d") + line_end;
  for (std::int64_t i = 0; i < rows; ++i) {
    Random random(static_cast<std::uint64_t>(i), Purpose::test, 14);
    text += std::to_string(static_cast<double>(random.below(1'000'000)) / 997) + ",";
    text += (random.below(50) == 0 ? "NA" : std::to_string(random.below(1000))) + "," + (random.below(200) == 0 ? "1e300" : "-1.5e-3") + ",";
    const std::string word = "word " + std::to_string(random.below(3000));
    text += quotes && random.below(20) == 0 ? "\"" + word + (random.below(2) ? "\n" : "\"\"") + "more\"" : word;
    text += line_end;
    if (random.below(300) == 0) text += std::string("# a remark") + line_end + line_end;
  }
  return text;
}

TEST(TableThreads, OneTable) {
  for (const bool quotes : {false, true})
    for (const char* line_end : {"\n", "\r\n", "\r"}) {
      const std::string text = mixed(quotes, line_end);
      const Table one = read(text, 1);
      ASSERT_EQ(one.rows, rows);
      EXPECT_GT(one.columns[1].missing, 0);
      EXPECT_GT(one.columns[2].infinite, 0);
      EXPECT_GT(one.columns[3].texts.size(), 2900);
      for (const int threads : {2, 3, 8}) expect_same(one, read(text, threads));
    }
}

// Against what the rows were made from; the last cell of a block and the first of the next are all in their places.
TEST(TableThreads, RowsStandInTheirOrder) {
  std::string text = "number,square\n";
  for (std::int64_t i = 0; i < 100'000; ++i) text += std::to_string(i) + "," + std::to_string(i * i) + "\n";
  for (const int threads : {1, 2, 3}) {
    const Table table = read(text, threads);
    ASSERT_EQ(table.rows, 100'000);
    for (std::int64_t i = 0; i < table.rows; ++i) {
      ASSERT_EQ(table.cell(i, 0), static_cast<double>(i));
      ASSERT_EQ(table.cell(i, 1), static_cast<double>(i) * static_cast<double>(i));
    }
  }
}

TEST(TableThreads, LinesAreCountedThroughBlocks) {
  for (const char* line_end : {"\n", "\r\n", "\r"}) {
    std::string text = std::string("a,b") + line_end;
    for (std::int64_t i = 0; i < 80'000; ++i) text += (i == 70'000 ? "," : "1.25,") + std::string("2.5") + line_end;
    for (const int threads : {1, 2, 3}) {
      const Table table = read(text, threads);
      EXPECT_EQ(table.rows, 80'000);
      EXPECT_EQ(table.columns[0].first_missing.line, 70'002);
    }
  }
}

// The first faulty place is told, though later blocks are read before it and are faulty too.
TEST(TableThreads, OneFirstError) {
  const auto with = [](std::initializer_list<std::pair<std::int64_t, const char*>> faults) {
    std::string text = "a,b\n";
    std::int64_t line = 2;
    for (const auto& [at, fault] : faults) {
      for (; line < at; ++line) text += "1.25,2.5\n";
      text += fault + std::string("\n");
      ++line;
    }
    for (; line < 120'000; ++line) text += "1.25,2.5\n";
    return text;
  };
  const std::pair<std::string, const char*> cases[] = {
      {with({{50'000, "1"}, {50'001, "1,2,3"}, {100'000, "1,2,3,4"}}), "found 1 (file.csv, line 50000)"},
      {with({{49'999, "1,2,3"}, {65'000, "1"}, {80'000, "1,\"x"}}), "found 3 (file.csv, line 49999)"},
      {with({{70'000, "1,\"x\"y"}, {70'001, "1"}, {90'000, "1,\"x"}}), "after the closing quote, found \"y\" (file.csv, line 70000)"},
      {with({{60'000, "1,\"x"}}), "found the end of the file (file.csv, line 60000)"},
      {with({{30'000, "1,2,3"}, {60'000, "1,\"x"}}), "found 3 (file.csv, line 30000)"}};
  for (const auto& [text, what] : cases) {
    const std::string one = error_of(text, 1);
    EXPECT_NE(one.find(what), std::string::npos) << one;
    for (int again = 0; again < 5; ++again)
      for (const int threads : {2, 3}) EXPECT_EQ(error_of(text, threads), one);
  }
}

// A text that breaks off while it is read.
TEST(TableThreads, AnErrorOfTheSourceComesAfterThoseOfTheRowsBeforeIt) {
  class Broken final : public TextSource {
   public:
    explicit Broken(std::string text) : text_(std::move(text)) {}
    std::size_t read(char* into, std::size_t most) override {
      require(at_ < text_.size(), Fault::input, "[read] broken off");
      const std::size_t count = std::min(most, text_.size() - at_);
      std::memcpy(into, text_.data() + at_, count);
      at_ += count;
      return count;
    }
    void rewind() override { at_ = 0; }

   private:
    std::string text_;
    std::size_t at_ = 0;
  };
  // The fault stands at the end of the first block; meanwhile the second one breaks off.
  std::string good, faulty;
  for (int i = 0; i < 30'000; ++i) good += "1.25,2.5\n", faulty += i == 14'000 ? "1\n" : "1.25,2.5\n";
  const std::string place = "file.csv";
  Dialect dialect;
  dialect.names = {"a", "b"};
  dialect.texts = {false, false};
  for (const int threads : {1, 2, 3}) {
    Context context;
    context.threads = threads;
    const auto message = [&](const std::string& text) {
      Broken source(text);
      try {
        parse_table(source, dialect, {"UTF-8", text.size(), 30'001}, {}, place, context);
      } catch (const Error& error) {
        return std::string(error.what());
      }
      return std::string();
    };
    EXPECT_EQ(message(good), "[read] broken off");
    for (int again = 0; again < 20; ++again) EXPECT_EQ(message(faulty).find("[csv] expected 2 cells as in line 1, found 1 (file.csv, line 14001)"), 0U) << message(faulty);
  }
}

TEST(TableThreads, ARowLongerThanABlock) {
  constexpr std::int64_t width = 60'000;
  std::string text;
  for (int row = 0; row < 5; ++row)
    for (std::int64_t c = 0; c < width; ++c) text += std::to_string(c + row) + (c + 1 < width ? ".5;" : ".5\n");
  for (const int threads : {1, 2, 3}) {
    const Table table = read(text, threads);
    ASSERT_EQ(table.rows, 5);
    ASSERT_EQ(table.width(), width);
    for (std::int64_t row = 0; row < 5; ++row)
      for (std::int64_t c = 0; c < width; ++c) ASSERT_EQ(table.cell(row, c), static_cast<double>(c + row) + 0.5);
  }
}

}  // namespace
}  // namespace calor::io

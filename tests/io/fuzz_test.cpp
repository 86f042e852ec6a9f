// The one reader under mutated inputs: it returns or throws calor::Error, and no row goes without a word: rows read, the header, comments and
// blank lines add up to the lines that were there.  CALOR_FUZZ sets the number of inputs (10,000 without it).
#include <cstdlib>

#include "calor/core/random.h"
#include "calor/io/dialect.h"
#include "calor/io/edge_list.h"
#include "calor/io/libsvm.h"
#include "calor/io/number.h"
#include "calor/io/pickle.h"
#include "calor/io/row_blocks.h"
#include "calor/io/table.h"
#include "calor/io/text_scanner.h"
#include "mutation.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

const char* const seeds[] = {
    "a,b,kind\n1,2,x\n3.5,-4,y\n5e3,6,x\n", "name;a;b\r\n\"x;1\";1,5;2\r\n\"y\"\"2\";2,5;3\r\n", "a\tb\tc\ns1\t1\t2\t3\ns2\t4\t5\t6\n", "# a b c\n1 2 3\n4 5 6\n", "sep=;\na;b\n1;2\n",
    "0,1,2,3\n9,8,7,5\n1,5,3,2\n4,4,1,9\n", "3,2,cat,dog\n1,2,1\n3.5,-4,0\n5e3,6,1\n", "1 1:0.5 3:-2\n-1 2:7\n1 1:3\n", "ant,bee\nant,cat\n#ai,%20\n", "from|to|weight\na|b|1\nb|a|2\n",
    "id,when,flag,city,y\n1,2024-05-01,TRUE,Oslo,0\n2,2024-05-02,FALSE,Lund,1\n", "\xEF\xBB\xBF" "a,b\n1,NA\n,2\n", "\"multi\nline\",a\n\"x\ny\",1\n\"z\",2\n", "\xFF\xFE" "a\0,\0b\0\n\0001\0,\0002\0\n\0",
};

std::string mutated(Random& random) {
  static const std::string pieces[] = {",", ";", "\t", "|", " ", "\"", "\"\"", "\n", "\r", "\r\n", "#", "%", "# ", ":", ".", "-", "1e999", "nan", "inf", "NA", "TRUE", "0", "1,5", "\xC3", "\xA9", std::string(1, '\0'), "qid:1", "sep=,", "2024-01-01", "label", "x", "99999999999999999999"};
  std::string text = seeds[random.below(std::size(seeds))];
  if (random.below(8) == 0) text = std::string("\xFF\xFE" "a\0,\0b\0\n\0001\0,\0002\0\n\0", 18);
  for (std::uint64_t k = random.below(6); k > 0; --k) {
    const auto at = static_cast<std::size_t>(random.below(text.size() + 1));
    switch (random.below(5)) {
      case 0: text.insert(at, pieces[random.below(std::size(pieces))]); break;
      case 1: text.erase(at, static_cast<std::size_t>(1 + random.below(4))); break;
      case 2: if (at < text.size()) text[at] = static_cast<char>(random.below(256)); break;
      case 3: text.insert(at, text.substr(static_cast<std::size_t>(random.below(text.size() + 1)), static_cast<std::size_t>(random.below(30)))); break;
      default: text.resize(at); break;
    }
  }
  return text;
}

// Lines that hold something, by the scanner alone.
std::int64_t rows_in(TextSource& text, char delimiter, std::int64_t from_line, const std::string& place) {
  TextScanner scanner(text, delimiter, '.', place);
  std::int64_t rows = 0;
  while (scanner.begin_row()) rows += scanner.line() >= from_line;
  return rows;
}

struct FoundRow {
  std::string text;
  std::int64_t line;
  bool operator==(const FoundRow&) const = default;
};

void add_rows(TextScanner& scanner, std::vector<FoundRow>& rows) {
  while (scanner.begin_row()) rows.push_back({std::string(scanner.row()), scanner.line()});
}

// Wherever a text is cut into blocks, they hold the rows that it has, in the lines where they stand.
TEST(Fuzz, BlocksHoldTheSameRows) {
  const std::string place = "fuzz";
  std::int64_t several = 0;
  for (std::int64_t i = 0; i < 20'000; ++i) {
    Random random(static_cast<std::uint64_t>(i), Purpose::test, 8);
    std::string text = mutated(random);
    for (int more = 0; more < 3; ++more) text += mutated(random);
    const char delimiter = ",; "[random.below(3)];
    std::vector<FoundRow> whole, parts;
    TextScanner scanner(text, delimiter, '.', place, 1);
    add_rows(scanner, whole);
    const auto source = text_view(text);
    RowBlocks blocks(*source, delimiter, place, 1 + random.below(60));
    std::int64_t count = 0;
    for (RowBlock block; blocks.next(block); ++count) {
      TextScanner part(block.rows, delimiter, '.', place, block.line);
      add_rows(part, parts);
    }
    ASSERT_TRUE(parts == whole) << i << "\n" << text;
    several += count > 3;
  }
  EXPECT_GT(several, 10'000);
}

std::int64_t wanted_inputs() {
  const char* wanted = std::getenv("CALOR_FUZZ");
  return wanted ? std::atoll(wanted) : 10'000;
}

// Pickles of a dictionary and of arrays, protocols 0 and 2.
TEST(Fuzz, PicklesAreReadOrRefused) {
  using namespace std::string_literals;
  const std::string dictionary = "ccollections\ndefaultdict\np0\n(c__builtin__\nlist\np1\ntp2\nRp3\nI0\n(lp4\nI1\naI2\nasI1\n(lp5\nI0\naF1.5\naVx\\u00e9\naS'y'\nas.";
  const std::string array = "cnumpy.core.multiarray\n_reconstruct\nq\0cnumpy\nndarray\nq\1K\0\x85U\1b\x87R(K\1K\2K\1\x86" "cnumpy\ndtype\nU\2f4K\0K\1\x87R(K\3U\1<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89U\x08"
                            "12345678tb"s;
  const std::string matrix = "\x80\2cscipy.sparse.csr\ncsr_matrix\n)\x81}(U\6_shapeK\2K\3\x86U\4data"s + array + "U\7indicesh\0h\1K\0\x85U\1b\x87R)bub."s;
  for (const std::string& seed : {dictionary, "\x80\2" + array + ".", matrix})
    expect_survival(seed, static_cast<int>(wanted_inputs() / 3), [](const std::string& bytes, const Context& context) {
      const Pickle pickle(bytes, "fuzz", context);
      pickle.matrix(pickle.root(), "features");
    });
}

TEST(Fuzz, NoCrashAndNoRowLostSilently) {
  const std::int64_t inputs = wanted_inputs();
  const std::string place = "fuzz";
  const Context context;
  std::int64_t read = 0, refused = 0;
  for (std::int64_t i = 0; i < inputs; ++i) {
    Random random(static_cast<std::uint64_t>(i), Purpose::test, 7);
    const std::string text = mutated(random);
    try {
      TextFacts facts;
      const auto source = as_utf8(text_view(text), random.below(10) == 0 ? "latin1" : "", place, context, facts);
      const std::string head = beginning_of(*source);
      if (is_libsvm(head)) {
        const SparseRows rows = parse_libsvm(whole_text(*source, facts.bytes, place, context), place, {}, context);
        EXPECT_EQ(rows.labels.size(), rows.matrix.rows);
        ++read;
        continue;
      }
      const Dialect dialect = find_dialect(*source, {}, {}, "", false, place);
      const Table table = parse_table(*source, dialect, facts, {}, place, context);
      const bool sep = dialect.first_line > 1 && lower_case(head).starts_with("sep=");
      const std::int64_t all = rows_in(*source, dialect.delimiter, sep ? 2 : 1, place);
      const std::int64_t named = dialect.header_line > 0 && dialect.header_line >= dialect.first_line ? 1 : 0;
      // A header that stands in a comment is passed over with the lines before the first row, where comments are counted.
      EXPECT_GE(table.rows + table.comments + named, 1);
      EXPECT_LE(table.rows + table.comments + named, all);
      std::int64_t commented = 0;
      TextScanner scanner(*source, dialect.delimiter, '.', place);
      while (scanner.begin_row()) {
        const char first = scanner.row().front();
        if (scanner.line() >= (sep ? 2 : 1) && scanner.line() < dialect.first_line) {
          EXPECT_TRUE(first == '#' || first == '%' || scanner.line() == dialect.header_line) << "input " << i << ": " << text;
          commented += scanner.line() == dialect.header_line;
        }
      }
      EXPECT_EQ(table.rows + table.comments + named + commented, all) << "input " << i << ": " << text;
      ++read;
    } catch (const Error& error) {
      EXPECT_TRUE(error.fault() == Fault::input || error.fault() == Fault::memory) << error.what();
      EXPECT_NE(std::string_view(error.what()).find('['), std::string_view::npos);
      ++refused;
    }
    if (testing::Test::HasFailure()) FAIL() << "input " << i << ": " << text;
  }
  EXPECT_EQ(read + refused, inputs);
  EXPECT_GT(read, inputs / 10);
  EXPECT_GT(refused, inputs / 10);
}

}  // namespace
}  // namespace calor::io

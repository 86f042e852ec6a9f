// Matrix Market: texts as NIST describes them, against the dense matrices that they stand for; every kind of mistake with its line.
#include "calor/io/matrix_market.h"

#include "mutation.h"
#include "sparse_matrices.h"

namespace calor::io {
namespace {

MatrixMarket parse(const std::string& text) { return parse_matrix_market(text, "f.mtx", Context()); }

TEST(MatrixMarket, IsKnownByItsFirstLine) {
  EXPECT_TRUE(is_matrix_market("%%MatrixMarket matrix coordinate real general\n"));
  EXPECT_TRUE(is_matrix_market("%%matrixmarket "));
  EXPECT_TRUE(is_matrix_market("%MatrixMarket matrix"));
  EXPECT_FALSE(is_matrix_market("% MatrixMarket"));
  EXPECT_FALSE(is_matrix_market("%%Matrix"));
  EXPECT_FALSE(is_matrix_market(""));
}

TEST(MatrixMarket, CoordinateGeneral) {
  const MatrixMarket found = parse(
      "%%MatrixMarket matrix coordinate real general\n% a comment\n%\n\n  3 4   5 \n1 1 1.5\n3\t4 -2e1\n\n% between\n1 3 +0.25\n2 2 0\n3 1 7");
  EXPECT_EQ(dense(found.matrix), (Numbers{1.5, 0, 0.25, 0, 0, 0, 0, 0, 7, 0, 0, -20}));
  EXPECT_EQ(found.matrix.entries(), 4);  // a zero vanishes
  EXPECT_EQ(found.stored, 5);
  EXPECT_FALSE(found.array || found.pattern || found.symmetric || found.skew);
}

TEST(MatrixMarket, EndsOfLines) {
  const std::string text = "%%MatrixMarket matrix coordinate integer general\n2 2 2\n1 2 3\n2 1 4\n";
  for (const std::string end : {"\r\n", "\r", "\n"}) {
    std::string changed;
    for (const char c : text) changed += c == '\n' ? end : std::string(1, c);
    EXPECT_EQ(dense(parse(changed).matrix), (Numbers{0, 3, 4, 0}));
    changed.resize(changed.size() - end.size());
    EXPECT_EQ(dense(parse(changed).matrix), (Numbers{0, 3, 4, 0}));
  }
}

TEST(MatrixMarket, PatternTwiceAndOrder) {
  const MatrixMarket found = parse("%MatrixMarket MATRIX Coordinate Pattern General\n2 3 4\n2 3\n1 2\n2 1\n2 3\n");
  EXPECT_TRUE(found.pattern);
  EXPECT_EQ(dense(found.matrix), (Numbers{0, 1, 0, 1, 0, 2}));
}

TEST(MatrixMarket, SymmetricGivesBothTriangles) {
  const MatrixMarket found = parse("%%MatrixMarket matrix coordinate real symmetric\n3 3 3\n1 1 2\n3 1 5\n3 2 -1\n");
  EXPECT_TRUE(found.symmetric);
  EXPECT_EQ(found.stored, 3);
  EXPECT_EQ(dense(found.matrix), (Numbers{2, 0, 5, 0, 0, -1, 5, -1, 0}));
  const MatrixMarket skew = parse("%%MatrixMarket matrix coordinate real skew-symmetric\n3 3 2\n3 1 5\n3 2 -1\n");
  EXPECT_TRUE(skew.skew);
  EXPECT_EQ(dense(skew.matrix), (Numbers{0, 0, -5, 0, 0, 1, 5, -1, 0}));
}

TEST(MatrixMarket, ArraysAreListedByColumns) {
  EXPECT_EQ(dense(parse("%%MatrixMarket matrix array real general\n2 3\n1\n2\n3\n4\n5\n6\n").matrix), (Numbers{1, 3, 5, 2, 4, 6}));
  EXPECT_EQ(dense(parse("%%MatrixMarket matrix array real symmetric\n3 3\n1\n2\n3\n4\n5\n6\n").matrix), (Numbers{1, 2, 3, 2, 4, 5, 3, 5, 6}));
  const MatrixMarket skew = parse("%%MatrixMarket matrix array integer skew-symmetric\n3 3\n2\n3\n5\n");
  EXPECT_TRUE(skew.array);
  EXPECT_EQ(dense(skew.matrix), (Numbers{0, -2, -3, 2, 0, -5, 3, 5, 0}));
}

TEST(MatrixMarket, NoEntries) {
  EXPECT_EQ(dense(parse("%%MatrixMarket matrix coordinate real general\n2 2 0\n").matrix), Numbers(4));
  EXPECT_EQ(parse("%%MatrixMarket matrix coordinate real general\n0 0 0").matrix.rows, 0);
}

void expect_refused(const std::string& text, std::initializer_list<std::string_view> texts, Fault fault = Fault::input) {
  Context context;
  context.memory = MemoryLimit(1 << 20);
  expect_error(fault, texts, [&] { parse_matrix_market(text, "f.mtx", context); });
}
const std::string real = "%%MatrixMarket matrix coordinate real general\n";

TEST(MatrixMarket, FirstLine) {
  expect_refused("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 1\n", {"found \"complex\"", "f.mtx, line 1", "modulus"});
  expect_refused("%%MatrixMarket matrix coordinate real hermitian\n", {"found \"hermitian\"", "line 1"});
  expect_refused("%%MatrixMarket vector coordinate real general\n", {"expected a matrix, found \"vector\""});
  expect_refused("%%MatrixMarket matrix sparse real general\n", {"found \"sparse\""});
  expect_refused("%%MatrixMarket matrix array pattern general\n1 1\n", {"\"pattern\"", "coordinate format"});
  expect_refused("%%MatrixMarket matrix coordinate real\n", {"line 1", "is it a Matrix Market file?"});
  expect_refused("", {"found \"\""});
}

TEST(MatrixMarket, LinesAreNamed) {
  expect_refused(real + "% c\n2 3 2\n1 1 1\n3 1 1\n", {"row from 1 to 2, found \"3\"", "line 5"});
  expect_refused(real + "2 3 1\n0 1 1\n", {"row from 1 to 2, found \"0\"", "line 3"});
  expect_refused(real + "2 3 1\n1 4 1\n", {"column from 1 to 3, found \"4\""});
  expect_refused(real + "2 3 1\n1 -1 1\n", {"found \"-1\""});
  expect_refused(real + "2 3 1\n1 1.5 1\n", {"found \"1.5\""});
  expect_refused(real + "2 3 1\n1 99999999999999999999 1\n", {"found \"99999999999999999999\""});
  expect_refused(real + "2 3 1\n1 1\n", {"\"row column value\", found 2 words", "line 3"});
  expect_refused(real + "2 3 1\n1 1 1 0 0 0 0\n", {"found 7 words"});
  expect_refused(real + "2 3 1\n1 1 nan\n", {"found \"nan\"", "line 3, row 1, column 1"});
  expect_refused(real + "2 3 1\n1 1 1e300\n", {"range of float", "1e300"});
  expect_refused(real + "2 3 1\n1 1 x\n", {"found \"x\""});
  expect_refused(real + "2 3 3\n1 1 1\n1 2 1    \n", {"expected 3 entries, found 2", "truncated", "line of sizes, line 2"});
  expect_refused(real + "2 3 1\n1 1 1\n\n1 2 1\n", {"expected 1 entries, found more", "line 5", "line of sizes, line 2"});
  expect_refused("%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n%\n", {"expected 4 values, found 3"});
  expect_refused("%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4 5\n", {"one value per line, found 2 words", "line 6"});
  expect_refused("%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n2 2 1\n", {"no diagonal", "line 3, row 2"});
}

TEST(MatrixMarket, SizesAreNotBelieved) {
  expect_refused(real, {"rows, columns and entries", "found no line"});
  expect_refused(real + "2 3\n", {"rows, columns and entries", "line 2"});
  expect_refused(real + "2 -3 1\n", {"line 2"});
  expect_refused("%%MatrixMarket matrix coordinate real symmetric\n2 3 1\n1 1 1\n", {"as many rows as columns", "2 x 3"});
  expect_refused(real + "2 3 4611686018427387904\n1 1 1\n", {"expected at most 1 entries in what follows, found 4611686018427387904", "line 2"});
  expect_refused("%%MatrixMarket matrix array real general\n4611686018427387904 4611686018427387904\n1\n", {"in what follows"});
  expect_refused(real + "4000000000 3 1\n1 1 1\n", {"4000000000 x 3"});
  expect_refused(real + "1000000000 3 1\n1 1 1\n", {"1000000000 x 3"}, Fault::memory);
}

TEST(MatrixMarket, DamageIsSurvived) {
  const auto survive = [](const std::string& text) {
    expect_survival(text, 2000, [](const std::string& damaged, const Context& context) { parse_matrix_market(damaged, "f.mtx", context); });
  };
  survive(real + "% c\n3 4 5\n1 1 1.5\n3 4 -2e1\n1 3 0.25\n2 2 0\n3 1 7\n");
  survive("%%MatrixMarket matrix coordinate pattern symmetric\n3 3 3\n1 1\n3 1\n3 2\n");
  survive("%%MatrixMarket matrix array real skew-symmetric\n3 3\n2\n3\n5\n");
}

}  // namespace
}  // namespace calor::io

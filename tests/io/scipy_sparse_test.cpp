// scipy.sparse.save_npz: files that scipy wrote (files/make.py), archives built here with one field wrong, and damaged ones.
#include "calor/io/scipy_sparse.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

#include "archives.h"
#include "mutation.h"
#include "sparse_matrices.h"

namespace calor::io {
namespace {

SparseMatrix parse(const std::string& name) { return parse_scipy_sparse(content_of(CALOR_TEST_FILES "/" + name), name, Context()); }

TEST(ScipySparse, IsKnownByItsArrays) {
  for (const char* name : {"sparse_csr.npz", "sparse_csc.npz", "sparse_coo.npz", "sparse_bsr.npz"})
    EXPECT_TRUE(is_scipy_sparse(zip_entries(content_of(std::string(CALOR_TEST_FILES "/") + name), name))) << name;
  for (const char* name : {"stored.npz", "other_names.npz", "two_labels.npz"})
    EXPECT_FALSE(is_scipy_sparse(zip_entries(content_of(std::string(CALOR_TEST_FILES "/") + name), name))) << name;
}

TEST(ScipySparse, FormatsTypesAndOrders) {
  for (const char* name : {"sparse_csr.npz", "sparse_stored.npz", "sparse_wide.npz", "sparse_unsorted.npz", "sparse_csc.npz"}) {
    const SparseMatrix matrix = parse(name);
    EXPECT_EQ(matrix.rows, 6) << name;
    EXPECT_EQ(matrix.columns, 3) << name;
    EXPECT_EQ(matrix.entries(), 9) << name;
    EXPECT_EQ(dense(matrix), dense(6, 3, s_at)) << name;
  }
  EXPECT_EQ(dense(parse("sparse_coo.npz")), dense(6, 3, [](auto i, auto j) { return s_at(i, j) > 0; }));
}

// coo 5 x 4: 1.5 and 0.25 at (4, 2), 2 and -2 at (0, 1), 0 at (3, 0), 4 at (0, 0).
TEST(ScipySparse, DuplicatesAddUpAndZerosVanish) {
  const SparseMatrix matrix = parse("sparse_twice.npz");
  EXPECT_EQ(matrix.begin, (Labels{0, 1, 1, 1, 1, 2}));
  EXPECT_EQ(matrix.column, (std::vector<std::int32_t>{0, 2}));
  EXPECT_EQ(matrix.value, (Numbers{4, 1.75}));
}

TEST(ScipySparse, NoEntries) {
  const SparseMatrix matrix = parse("sparse_empty.npz");
  EXPECT_EQ(matrix.entries(), 0);
  EXPECT_EQ(dense(matrix), Numbers(6));
}

TEST(ScipySparse, OtherFormatsAreRefusedByName) {
  expect_error(Fault::input, {"[scipy]", "found bsr", "sparse_bsr.npz", ".tocsr()"}, [] { parse("sparse_bsr.npz"); });
  expect_error(Fault::input, {"found dia", ".tocsr()"}, [] { parse("sparse_dia.npz"); });
  expect_error(Fault::input, {"<c8", "array \"data\""}, [] { parse("sparse_complex.npz"); });
  expect_error(Fault::input, {"1 dimension ", "two dimensions"}, [] { parse("sparse_list.npz"); });
  expect_error(Fault::input, {"expected an array \"format\"", "save_npz"}, [] { parse("stored.npz"); });
}

// 2 x 3 with the entries (0, 0) = 1, (0, 2) = 2, (1, 1) = 3, in two forms.
using Parts = std::map<std::string, std::string>;
const Parts csr{{"format", npy("|S3", "()", "csr")},
                {"shape", npy_list<std::int64_t>("<i8", {2, 3})},
                {"data", npy_list<double>("<f8", {1, 2, 3})},
                {"indices", npy_list<std::int32_t>("<i4", {0, 2, 1})},
                {"indptr", npy_list<std::int32_t>("<i4", {0, 2, 3})}};
const Parts coo{{"format", npy("<U3", "()", std::string("c\0\0\0o\0\0\0o\0\0\0", 12))},
                {"shape", npy_list<std::int64_t>("<i8", {2, 3})},
                {"data", npy_list<double>("<f8", {1, 2, 3})},
                {"row", npy_list<std::int32_t>("<i4", {0, 0, 1})},
                {"col", npy_list<std::uint8_t>("|u1", {0, 2, 1})}};

std::string archive(const Parts& parts) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [name, content] : parts) entries.emplace_back(fmt::format("{}.npy", name), content);
  return stored_zip(entries);
}
void expect_refused(Parts parts, const std::string& name, const std::string& content, std::initializer_list<std::string_view> texts, Fault fault = Fault::input) {
  parts[name] = content;
  Context context;
  context.memory = MemoryLimit(100 << 20);
  expect_error(fault, texts, [&] { parse_scipy_sparse(archive(parts), "f.npz", context); });
}

TEST(ScipySparse, BothFormsAsBuiltHere) {
  for (const Parts& parts : {csr, coo}) EXPECT_EQ(dense(parse_scipy_sparse(archive(parts), "f.npz", Context())), (Numbers{1, 0, 2, 0, 3, 0}));
  Parts big = csr;
  big["indices"] = npy(">i4", "(3,)", std::string("\0\0\0\0\0\0\0\2\0\0\0\1", 12));
  EXPECT_EQ(dense(parse_scipy_sparse(archive(big), "f.npz", Context())), (Numbers{1, 0, 2, 0, 3, 0}));
}

// scipy keeps room past the last pointer; what lies there is no entry.
TEST(ScipySparse, RoomPastTheLastPointer) {
  Parts parts = csr;
  parts["indptr"] = npy_list<std::int32_t>("<i4", {0, 1, 2});
  EXPECT_EQ(dense(parse_scipy_sparse(archive(parts), "f.npz", Context())), (Numbers{1, 0, 0, 0, 0, 2}));
}

TEST(ScipySparse, IndicesPointersAndSizes) {
  expect_refused(csr, "indices", npy_list<std::int32_t>("<i4", {0, 3, 1}), {"[scipy]", "from 0 to 2, found 3", "array \"indices\", entry 2"});
  expect_refused(csr, "indices", npy_list<std::int32_t>("<i4", {0, 2, -1}), {"found -1", "entry 3"});
  expect_refused(csr, "indices", npy_list<std::int64_t>("<i8", {0, (std::int64_t{1} << 32) + 1, 1}), {"found 4294967297"});
  expect_refused(csr, "indices", npy_list<std::uint64_t>("<u8", {0, ~std::uint64_t{0}, 1}), {"found 9223372036854775807"});
  expect_refused(csr, "indices", npy_list<std::int32_t>("<i4", {0, 2}), {"as many indices as values, 3, found 2"});
  expect_refused(csr, "indices", npy_list<double>("<f8", {0, 2, 1}), {"list of whole numbers, found other elements"});
  expect_refused(csr, "indices", npy("<i4", "(3, 1)", std::string(12, '\0')), {"list of whole numbers", "(3, 1)"});
  expect_refused(csr, "indptr", npy_list<std::int32_t>("<i4", {0, 2}), {"expected 3 row pointers", "found 2"});
  expect_refused(csr, "indptr", npy_list<std::int32_t>("<i4", {0, 2, 4}), {"ascend from 0 to 3, found 4"});
  expect_refused(csr, "indptr", npy_list<std::int32_t>("<i4", {0, 2, 1}), {"found 1 after 2", "pointer 3"});
  expect_refused(csr, "indptr", npy_list<std::int32_t>("<i4", {-1, 2, 3}), {"found -1"});
  expect_refused(csr, "indptr", npy_list<std::int32_t>("<i4", {1, 2, 3}), {"found 1 after 0", "pointer 1"});
  expect_refused(coo, "row", npy_list<std::int32_t>("<i4", {0, 2, 1}), {"from 0 to 1, found 2", "array \"row\""});
  expect_refused(coo, "col", npy_list<std::int32_t>("<i4", {0, 2}), {"as many indices as values", "array \"col\""});
  expect_refused(csr, "shape", npy_list<std::int64_t>("<i8", {2, -3}), {"found 2 x -3"});
  expect_refused(csr, "shape", npy_list<std::int64_t>("<i8", {2, 3, 1}), {"3 dimensions"});
  expect_refused(csr, "shape", npy_list<std::int64_t>("<i8", {2, std::int64_t{1} << 31}), {"at most 2147483647", "2 x 2147483648"});
  expect_refused(csr, "shape", npy_list<std::int64_t>("<i8", {1'000'000'000, 3}), {"[scipy]", "1000000000 x 3"}, Fault::memory);
}

TEST(ScipySparse, ValuesAndFormat) {
  expect_refused(csr, "data", npy_list<double>("<f8", {1, NAN, 3}), {"found nan", "array \"data\", row 2"});
  expect_refused(csr, "data", npy_list<double>("<f8", {1, 1e300, 3}), {"found 1e+300"});
  expect_refused(csr, "data", npy("<f8", "(3, 1)", std::string(24, '\0')), {"list of values", "(3, 1)"});
  expect_refused(csr, "data", npy("<f8", "(1000000000000,)", ""), {"expected 8000000000000 bytes"});
  expect_refused(csr, "data", npy("|S3", "(3,)", std::string(9, 'a')), {"array of numbers, found texts"});
  expect_refused(csr, "format", npy("|S3", "()", "abc"), {"csr, csc or coo", "\"abc\""});
  expect_refused(csr, "format", npy_list<double>("<f8", {1}), {"no such text", "save_npz"});
}

TEST(ScipySparse, DamageIsSurvived) {
  for (const char* name : {"sparse_csr.npz", "sparse_stored.npz"})
    expect_survival(content_of(std::string(CALOR_TEST_FILES "/") + name), 1000,
                    [](const std::string& bytes, const Context& context) { parse_scipy_sparse(bytes, "f.npz", context); });
  // Beyond the checksums of the archive: one array is damaged before it is packed.
  for (const Parts& parts : {csr, coo})
    for (const auto& [name, content] : parts)
      expect_survival(content, 500, [&, name = name](const std::string& bytes, const Context& context) {
        Parts damaged = parts;
        damaged[name] = bytes;
        parse_scipy_sparse(archive(damaged), "f.npz", context);
      });
}

}  // namespace
}  // namespace calor::io

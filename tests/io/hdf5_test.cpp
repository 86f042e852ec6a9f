// HDF5: files that anndata and h5py wrote (files/make_h5.py), copies of them changed through libhdf5, and damaged ones.
#include "calor/io/hdf5.h"

#include <hdf5.h>

#include <array>
#include <cmath>
#include <functional>

#include "calor/io/gzip.h"
#include "mutation.h"
#include "sparse_matrices.h"

namespace calor::io {
namespace {

std::string file(const std::string& name) { return gunzip(content_of(CALOR_TEST_FILES "/" + name + ".gz"), name, Context()); }
AnnotatedMatrix parse(const std::string& name, const Hdf5Options& options = {}) { return parse_hdf5(file(name), name, options, Context()); }

const Annotation& annotation(const AnnotatedMatrix& matrix, const std::string& name) {
  for (const Annotation& found : matrix.annotations)
    if (found.name == name) return found;
  throw std::runtime_error("no annotation " + name);
}

const Strings cells{"cell0", "cell1", "cell2", "cell3", "cell4", "cell5"};

TEST(Hdf5, Signature) {
  const std::string bytes = file("tenx3.h5");
  EXPECT_TRUE(is_hdf5(bytes.substr(0, 8)));
  EXPECT_TRUE(is_hdf5(std::string(512, ' ') + bytes));
  EXPECT_TRUE(is_hdf5(std::string(2048, ' ') + bytes.substr(0, 8)));
  EXPECT_FALSE(is_hdf5(std::string(600, ' ') + bytes));
  EXPECT_FALSE(is_hdf5("\x89HDF"));
  EXPECT_FALSE(is_hdf5(""));
}

TEST(AnnData, SparseX) {
  const AnnotatedMatrix data = parse("anndata.h5ad");
  EXPECT_EQ(data.rows, 6);
  EXPECT_EQ(data.columns, 3);
  EXPECT_TRUE(data.dense.empty());
  ASSERT_TRUE(data.sparse);
  EXPECT_EQ(dense(*data.sparse), dense(6, 3, s_at));
  EXPECT_EQ(data.sparse->entries(), 9);
  EXPECT_EQ(data.row_names, cells);
  EXPECT_EQ(data.column_names, (Strings{"ABC1", "DEF2", "GHI3"}));
}

TEST(AnnData, Annotations) {
  const AnnotatedMatrix data = parse("anndata.h5ad");
  Strings names;
  for (const Annotation& found : data.annotations) names.push_back(found.name);
  EXPECT_EQ(names, (Strings{"alive", "cluster", "count", "name", "note", "seen", "tree", "weight", "year"}));
  EXPECT_EQ(annotation(data, "tree").texts, (Strings{"ash", "birch", "", "ash", "céder", "ash"}));
  EXPECT_TRUE(annotation(data, "tree").text);
  EXPECT_EQ(annotation(data, "cluster").texts, (Strings{"2", "0", "1", "1", "0", "2"}));
  EXPECT_EQ(annotation(data, "note").texts, (Strings{"a", "b", "", "d", "é", "f"}));
  EXPECT_EQ(annotation(data, "name").texts, (Strings{"x", "", "z", "u", "v", "w"}));
  EXPECT_EQ(annotation(data, "year").numbers, (Numbers{2000, 2001, 2002, 2003, 2004, 2005}));
  EXPECT_FALSE(annotation(data, "year").text);
  EXPECT_EQ(annotation(data, "alive").numbers, (Numbers{1, 0, 1, 1, 0, 0}));
  const auto expect_missing_second = [&](const char* name, Numbers numbers) {
    Numbers found = annotation(data, name).numbers;
    ASSERT_EQ(found.size(), 6u);
    EXPECT_TRUE(std::isnan(found[1])) << name;
    found[1] = numbers[1] = 0;
    EXPECT_EQ(found, numbers) << name;
  };
  expect_missing_second("weight", {0.5, 0, 1.5, 2, 2.5, 3});
  expect_missing_second("count", {1, 0, 3, 4, 5, 6});
  expect_missing_second("seen", {1, 0, 0, 1, 1, 0});
  EXPECT_TRUE(data.left_out.empty());
}

TEST(AnnData, LayersAndCoordinates) {
  const AnnotatedMatrix counts = parse("anndata.h5ad", {"counts", ""});
  EXPECT_EQ(dense(*counts.sparse), dense(6, 3, s_at));
  EXPECT_EQ(counts.column_names, (Strings{"ABC1", "DEF2", "GHI3"}));
  const AnnotatedMatrix scaled = parse("anndata.h5ad", {"scaled", ""});
  EXPECT_FALSE(scaled.sparse);
  EXPECT_EQ(scaled.dense, dense(6, 3, [](auto i, auto j) { return x_at(i, j) / 4; }));
  const AnnotatedMatrix pca = parse("anndata.h5ad", {"", "X_pca"});
  EXPECT_EQ(pca.dense, dense(6, 2, [](auto i, auto j) { return x_at(i, j) / 2; }));
  EXPECT_EQ(pca.column_names, (Strings{"pca1", "pca2"}));
  EXPECT_EQ(pca.row_names, cells);
  EXPECT_EQ(dense(*parse("anndata.h5ad", {"", "places"}).sparse), dense(6, 3, s_at));
  const AnnotatedMatrix raw = parse("anndata.h5ad", {"raw", ""});
  EXPECT_EQ(raw.dense, dense(6, 6, [](auto i, auto j) { return x_at(i, j % 3); }));
  EXPECT_EQ(raw.column_names, (Strings{"r0", "r1", "r2", "r3", "r4", "r5"}));
}

TEST(AnnData, BeforeVersion0_8) {
  const AnnotatedMatrix data = parse("old_anndata.h5ad");
  EXPECT_EQ(data.dense, dense(6, 3, x_at));
  EXPECT_EQ(data.row_names, cells);
  EXPECT_EQ(data.column_names, (Strings{"ABC1", "DEF2", "GHI3"}));
  ASSERT_EQ(data.annotations.size(), 1u);
  EXPECT_EQ(data.annotations[0].texts, (Strings{"ash", "birch", "", "ash", "céder", "ash"}));
  EXPECT_EQ(data.left_out, (Strings{"points"}));
  EXPECT_EQ(dense(*parse("old_anndata.h5ad", {"log", ""}).sparse), dense(6, 3, s_at));
}

TEST(TenX, BothVersions) {
  for (const char* name : {"tenx3.h5", "tenx2.h5"}) {
    const AnnotatedMatrix data = parse(name);
    EXPECT_EQ(data.rows, 6);
    EXPECT_EQ(data.columns, 3);
    EXPECT_EQ(dense(*data.sparse), dense(6, 3, s_at)) << name;
    EXPECT_EQ(data.row_names[5], "AAAC-5");
    EXPECT_EQ(data.column_names, (Strings{"TBCE (E1)", "HES4", "TBCE (E3)"}));
  }
}

TEST(Hdf5, UnknownNamesAreAnsweredWithThoseThereAre) {
  expect_error(Fault::input, {"counts, scaled", "found \"cuonts\"", "f.h5ad, layers", "did you mean \"counts\"?"},
               [] { parse_hdf5(file("anndata.h5ad"), "f.h5ad", {"cuonts", ""}, Context()); });
  expect_error(Fault::input, {"X_pca, places", "found \"umap\""}, [] { parse("anndata.h5ad", {"", "umap"}); });
  expect_error(Fault::input, {"\"X_pca\" in obsm", "found no arrays there"}, [] { parse("old_anndata.h5ad", {"", "X_pca"}); });
  expect_error(Fault::input, {"found \"raw\""}, [] { parse("old_anndata.h5ad", {"raw", ""}); });
  expect_error(Fault::input, {"found \"obs/tree\""}, [] { parse("anndata.h5ad", {"obs/tree", ""}); });
  expect_error(Fault::input, {"10x Genomics", "counts"}, [] { parse("tenx3.h5", {"counts", ""}); });
  expect_error(Fault::usage, {"name one"}, [] { parse("anndata.h5ad", {"counts", "X_pca"}); });
}

// Copies that are changed through the library.
class ChangedFile : public TemporaryFolder {
 protected:
  std::string changed(const std::string& name, const std::function<void(hid_t)>& change) {
    const std::string copy = write(name, file(name));
    const hid_t opened = H5Fopen(copy.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    change(opened);
    H5Fclose(opened);
    return copy;
  }
  // Replaces a data set by a list of numbers.
  template <class T>
  static void put(hid_t file, const char* name, hid_t type, const std::vector<T>& values, std::vector<hsize_t> shape = {}) {
    if (H5Lexists(file, name, H5P_DEFAULT) > 0) H5Ldelete(file, name, H5P_DEFAULT);
    if (shape.empty()) shape = {values.size()};
    const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
    const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (!values.empty()) H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(dataset);
    H5Sclose(space);
  }
  using Whole = std::vector<int>;
  void expect_refused(const std::string& name, std::initializer_list<std::string_view> texts, const std::function<void(hid_t)>& change,
                      Fault fault = Fault::input, const Hdf5Options& options = {}) {
    const std::string path = changed(name, change);
    Context context;
    context.memory = MemoryLimit(100 << 20);
    expect_error(fault, texts, [&] { read_hdf5(path, options, context); });
  }
};

TEST_F(ChangedFile, PathAndBytesAgree) {
  const std::string path = changed("anndata.h5ad", [](hid_t) {});
  EXPECT_EQ(dense(*read_hdf5(path, {}, Context()).sparse), dense(6, 3, s_at));
  EXPECT_EQ(read_hdf5(path, {}, Context()).annotations.size(), 9u);
}

TEST_F(ChangedFile, IndicesAndPointers) {
  // S has the entries 0 2 | 1 | 0 2 | 1 | 0 2 | 1.
  expect_refused("anndata.h5ad", {"indices from 0 to 2, found 3", "X, entry 9"}, [](hid_t f) { put(f, "X/indices", H5T_NATIVE_INT, Whole{0, 2, 1, 0, 2, 1, 0, 2, 3}); });
  expect_refused("anndata.h5ad", {"found -1"}, [](hid_t f) { put(f, "X/indices", H5T_NATIVE_INT, Whole{0, 2, 1, 0, -1, 1, 0, 2, 1}); });
  expect_refused("anndata.h5ad", {"found 2147483647"},
                 [](hid_t f) { put(f, "X/indices", H5T_NATIVE_INT64, std::vector<std::int64_t>{0, 2, 1, std::int64_t{1} << 32, 2, 1, 0, 2, 1}); });
  expect_refused("anndata.h5ad", {"as many values as indices, found 9 and 2"}, [](hid_t f) { put(f, "X/indices", H5T_NATIVE_INT, Whole{0, 2}); });
  expect_refused("anndata.h5ad", {"expected 7 row pointers", "found 3"}, [](hid_t f) { put(f, "X/indptr", H5T_NATIVE_INT, Whole{0, 2, 9}); });
  expect_refused("anndata.h5ad", {"ascend", "found 2 after 3", "pointer 4"}, [](hid_t f) { put(f, "X/indptr", H5T_NATIVE_INT, Whole{0, 2, 3, 2, 6, 8, 9}); });
  expect_refused("anndata.h5ad", {"found 1 after 0", "pointer 1"}, [](hid_t f) { put(f, "X/indptr", H5T_NATIVE_INT, Whole{1, 2, 3, 5, 6, 8, 9}); });
  expect_refused("anndata.h5ad", {"ascend from 0 to 9, found 10"}, [](hid_t f) { put(f, "X/indptr", H5T_NATIVE_INT, Whole{0, 2, 3, 5, 6, 8, 10}); });
  expect_refused("anndata.h5ad", {"whole numbers, found numbers", "X/indices"}, [](hid_t f) { put(f, "X/indices", H5T_NATIVE_DOUBLE, Numbers(9)); });
  expect_refused("anndata.h5ad", {"expected \"data\"", "X"}, [](hid_t f) { H5Ldelete(f, "X/data", H5P_DEFAULT); });
}

TEST_F(ChangedFile, UnsortedAndTwice) {
  const std::string path = changed("anndata.h5ad", [](hid_t f) {
    put(f, "X/indices", H5T_NATIVE_INT, Whole{2, 0, 1, 1, 1, 1, 2, 0, 1});
    put(f, "X/data", H5T_NATIVE_DOUBLE, Numbers{1, 2, 3, 4, 5, 0, 7, 8, 9});
  });
  const SparseMatrix matrix = *read_hdf5(path, {}, Context()).sparse;
  EXPECT_EQ(matrix.begin, (Labels{0, 2, 3, 4, 4, 6, 7}));
  EXPECT_EQ(matrix.column, (std::vector<std::int32_t>{0, 2, 1, 1, 0, 2, 1}));
  EXPECT_EQ(matrix.value, (Numbers{2, 1, 3, 9, 8, 7, 9}));
}

TEST_F(ChangedFile, ValuesMustBeFinite) {
  expect_refused("anndata.h5ad", {"found nan", "X/data, entry 3"}, [](hid_t f) { put(f, "X/data", H5T_NATIVE_DOUBLE, Numbers{1, 2, NAN, 4, 5, 6, 7, 8, 9}); });
  Numbers values(18);
  values[7] = INFINITY;
  expect_refused("old_anndata.h5ad", {"found inf", "X, row 3, column 2"}, [&](hid_t f) { put(f, "X", H5T_NATIVE_DOUBLE, values, {6, 3}); });
}

TEST_F(ChangedFile, SizesMustFitEachOther) {
  expect_refused("old_anndata.h5ad", {"expected 5 elements", "found 6", "obs/barcode"}, [](hid_t f) { put(f, "X", H5T_NATIVE_DOUBLE, Numbers(15), {5, 3}); });
  expect_refused("old_anndata.h5ad", {"expected 4 elements", "found 3", "var/index"}, [](hid_t f) { put(f, "X", H5T_NATIVE_DOUBLE, Numbers(24), {6, 4}); });
  expect_refused("old_anndata.h5ad", {"found shape (2, 3, 3)"}, [](hid_t f) { put(f, "X", H5T_NATIVE_DOUBLE, Numbers(18), {2, 3, 3}); });
  expect_refused("old_anndata.h5ad", {"found shape (0, 3)"}, [](hid_t f) { put(f, "X", H5T_NATIVE_DOUBLE, Numbers{}, {0, 3}); });
  expect_refused("anndata.h5ad", {"expected 6 elements", "found 2", "obs/year"}, [](hid_t f) { put(f, "obs/year", H5T_NATIVE_INT, Whole{1, 2}); });
  expect_refused("anndata.h5ad", {"3 categories, found 3", "obs/tree/codes"}, [](hid_t f) { put(f, "obs/tree/codes", H5T_NATIVE_INT, Whole{0, 1, -1, 0, 3, 0}); });
  expect_refused("anndata.h5ad", {"found -2"}, [](hid_t f) { put(f, "obs/tree/codes", H5T_NATIVE_INT, Whole{0, 1, -2, 0, 2, 0}); });
  expect_refused("tenx3.h5", {"expected two sizes, found 3"}, [](hid_t f) { put(f, "matrix/shape", H5T_NATIVE_INT, Whole{3, 6, 1}); });
  expect_refused("tenx3.h5", {"found 6 x -3"}, [](hid_t f) { put(f, "matrix/shape", H5T_NATIVE_INT, Whole{-3, 6}); });
  expect_refused("tenx3.h5", {"4 names, found 3", "matrix/features/name"}, [](hid_t f) { put(f, "matrix/shape", H5T_NATIVE_INT, Whole{4, 6}); });
}

TEST_F(ChangedFile, MemoryIsAskedForBeforeItIsTaken) {
  expect_refused("old_anndata.h5ad", {"[h5]", "the values of", "X"}, [](hid_t f) { put(f, "X", H5T_NATIVE_DOUBLE, Numbers{}, {1 << 20, 1 << 20}); }, Fault::memory);
  expect_refused("old_anndata.h5ad", {"shape that memory can hold"},
                 [](hid_t f) { put(f, "X", H5T_NATIVE_CHAR, Numbers{}, {hsize_t{1} << 31, hsize_t{1} << 31}); });
  expect_refused("tenx3.h5", {"2147483647 x 2147483647"}, [](hid_t f) { put(f, "matrix/shape", H5T_NATIVE_INT, Whole{0x7fffffff, 0x7fffffff}); }, Fault::memory);
}

// A thousand elements that share one text: 1 MiB stored, 1 GiB as texts.
TEST_F(ChangedFile, TextsThatShareTheirBytes) {
  constexpr std::size_t elements = 1024, descriptor = 16;  // length, and where the text lies
  haddr_t at = 0;
  const std::string path = changed("old_anndata.h5ad", [&](hid_t f) {
    H5Ldelete(f, "obs/barcode", H5P_DEFAULT);
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    const std::string text(1 << 20, 'a');
    std::vector<const char*> pointers(elements, "");
    pointers[0] = text.c_str();
    put(f, "obs/barcode", type, pointers);
    const hid_t dataset = H5Dopen2(f, "obs/barcode", H5P_DEFAULT);
    at = H5Dget_offset(dataset);
    H5Dclose(dataset), H5Tclose(type);
  });
  std::string bytes = content_of(path);
  for (std::size_t e = 1; e < elements; ++e) bytes.replace(at + e * descriptor, descriptor, bytes, at, descriptor);
  Context context;
  context.memory = MemoryLimit(100 << 20);
  expect_error(Fault::memory, {"the texts of f.h5ad, obs/barcode"}, [&] { parse_hdf5(bytes, "f.h5ad", {}, context); });
}

TEST_F(ChangedFile, OtherFilesAreNotRead) {
  const std::string other = write("other.h5", file("tenx3.h5"));
  expect_refused("old_anndata.h5ad", {"found a link to another", "X"}, [&](hid_t f) {
    H5Ldelete(f, "X", H5P_DEFAULT);
    H5Lcreate_external(other.c_str(), "/matrix/data", f, "X", H5P_DEFAULT, H5P_DEFAULT);
  });
  expect_refused("old_anndata.h5ad", {"lies in another", "X"}, [&](hid_t f) {
    H5Ldelete(f, "X", H5P_DEFAULT);
    const hsize_t shape[] = {6, 3};
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, shape, nullptr);
    H5Pset_external(creation, other.c_str(), 0, H5F_UNLIMITED);
    H5Dclose(H5Dcreate2(f, "X", H5T_NATIVE_CHAR, space, H5P_DEFAULT, creation, H5P_DEFAULT));
    H5Pclose(creation), H5Sclose(space);
  });
}

TEST_F(ChangedFile, FiltersThatAreMissing) {
  expect_refused("old_anndata.h5ad", {"found \"lzf\" (number 32000)", "compression=\"gzip\""}, [](hid_t f) {
    constexpr H5Z_filter_t lzf = 32000;
    H5Zregister(std::array<H5Z_class2_t, 1>{{{H5Z_CLASS_T_VERS, lzf, 1, 1, "lzf", nullptr, nullptr,
                                              [](unsigned, std::size_t, const unsigned*, std::size_t size, std::size_t*, void**) { return size; }}}}
                    .data());
    H5Ldelete(f, "X", H5P_DEFAULT);
    const hsize_t shape[] = {6, 3};
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(2, shape, nullptr);
    H5Pset_chunk(creation, 2, shape);
    H5Pset_filter(creation, lzf, H5Z_FLAG_MANDATORY, 0, nullptr);
    const Numbers values(18);
    const hid_t dataset = H5Dcreate2(f, "X", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Dclose(dataset), H5Pclose(creation), H5Sclose(space);
    H5Fflush(f, H5F_SCOPE_GLOBAL);
    H5Zunregister(lzf);
  });
}

TEST_F(ChangedFile, OtherContents) {
  expect_refused("tenx3.h5", {"AnnData (.h5ad) or a 10x Genomics matrix", "\"images\" (10 x 4)", "\"matrix\" (a group)", "h5py"}, [](hid_t f) {
    H5Ldelete(f, "matrix/indptr", H5P_DEFAULT);
    put(f, "images", H5T_NATIVE_DOUBLE, Numbers(40), {10, 4});
  });
  expect_refused("tenx3.h5", {"loom"}, [](hid_t f) {
    H5Ldelete(f, "matrix", H5P_DEFAULT);
    for (const char* name : {"row_attrs", "col_attrs"}) H5Gclose(H5Gcreate2(f, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  });
  expect_refused("tenx2.h5", {"one genome, found GRCh38, mm10"}, [](hid_t f) { H5Lcreate_hard(f, "GRCh38", f, "mm10", H5P_DEFAULT, H5P_DEFAULT); });
  expect_refused("old_anndata.h5ad", {"expected a matrix X, found none"}, [](hid_t f) { H5Ldelete(f, "X", H5P_DEFAULT); });
  expect_refused("old_anndata.h5ad", {"before 0.7", "obs"}, [](hid_t f) {
    H5Ldelete(f, "obs", H5P_DEFAULT);
    put(f, "obs", H5T_NATIVE_INT, Whole{1, 2, 3, 4, 5, 6});
  });
}

TEST_F(ChangedFile, EveryTruncationIsRefused) {
  const std::string whole = file("old_anndata.h5ad");
  for (std::size_t size = 0; size < whole.size(); size += 61) {
    expect_error(Fault::input, {"[h5]", "f.h5ad"}, [&] { parse_hdf5(whole.substr(0, size), "f.h5ad", {}, Context()); });
    const std::string path = write("cut.h5ad", whole.substr(0, size));
    expect_error(Fault::input, {"[h5]", "cut.h5ad"}, [&] { read_hdf5(path, {}, Context()); });
  }
}

// libhdf5 prints its errors unless it is told not to.
TEST(Hdf5, IsSilent) {
  testing::internal::CaptureStderr();
  EXPECT_THROW(parse_hdf5(file("tenx3.h5").substr(0, 900), "f.h5", {}, Context()), Error);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Hdf5, DamageIsSurvived) {
  for (const auto& [name, times] : {std::pair{"anndata.h5ad", 100}, {"old_anndata.h5ad", 500}, {"tenx3.h5", 300}, {"tenx2.h5", 100}})
    expect_survival(file(name), times, [&](const std::string& bytes, const Context& context) { parse_hdf5(bytes, name, {}, context); });
}

}  // namespace
}  // namespace calor::io

// npy, npz and idx: files written by numpy (tests/io/files/make.py gives their content by formula), and damaged copies.
#include <cmath>
#include <limits>
#include <map>

#include "calor/io/dataset.h"
#include "calor/io/npy.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

std::string file(const std::string& name) { return CALOR_TEST_FILES "/" + name; }

class Arrays : public TemporaryFolder {
 protected:
  static Dataset unlabelled(const std::string& name) {
    LoadOptions options;
    options.labels = LabelUse::none;
    return load_dataset(name, options, Context());
  }
  static LoadOptions label(const std::string& column) {
    LoadOptions options;
    options.label = column;
    return options;
  }
  static Numbers expected(double scale = 1, double shift = -5) {
    Numbers values;
    for (int i = 0; i < 6; ++i)
      for (int j = 0; j < 3; ++j)
        values.push_back((10 * static_cast<float>(i) + static_cast<float>(j) + shift) / scale);
    return values;
  }
  // An npy file with that header text and body.
  std::string npy(const std::string& name, const std::string& header, std::string_view body) const {
    std::string bytes("\x93NUMPY\x01\x00", 8);
    bytes += static_cast<char>(header.size() & 0xff);
    bytes += static_cast<char>(header.size() >> 8);
    return write(name, bytes + header + std::string(body));
  }
  const Labels thirds{0, 1, 2, 0, 1, 2};
};

TEST_F(Arrays, EveryNumberTypeAndByteOrder) {
  for (const char* order : {"little", "big"})
    for (const char* type : {"f2", "f4", "f8", "i1", "i2", "i4", "i8"}) {
      if (std::string(type) == "i1" && std::string(order) == "big") continue;
      const Dataset data = unlabelled(file(fmt::format("{}_{}.npy", type, order)));
      EXPECT_EQ(data.rows, 6) << type << order;
      EXPECT_EQ(data.columns, 3) << type << order;
      EXPECT_EQ(data.values, expected(type[0] == 'f' ? 4 : 1)) << type << order;
    }
  EXPECT_EQ(unlabelled(file("u1.npy")).values, expected(1, 0));
  EXPECT_EQ(unlabelled(file("b1.npy")).values, (Numbers{0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1}));
  EXPECT_EQ(unlabelled(file("version2.npy")).values, expected());
  EXPECT_EQ(unlabelled(file("version3.npy")).values, expected());
  EXPECT_EQ(unlabelled(file("u1.npy")).features, (Strings{"x1", "x2", "x3"}));
}

TEST_F(Arrays, NumbersKeepAllTheirDigits) {
  const std::vector<double> numbers{1e9 + 1, 7, 0.1, 3, 8, 0.25};
  const std::string body(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double));
  const auto header = [](const char* type, const char* order) { return fmt::format("{{'descr': '{}', 'fortran_order': {}, 'shape': (2, 3)}}\n", type, order); };
  EXPECT_EQ(load_dataset(npy("c.npy", header("<f8", "False"), body), label("2"), Context()).values, (Numbers{1e9 + 1, 0.1, 3, 0.25}));
  EXPECT_EQ(load_dataset(npy("f.npy", header("<f8", "True"), body), label("2"), Context()).values, (Numbers{1e9 + 1, 8, 7, 0.25}));
  const std::vector<std::int32_t> whole{16777217, 2};
  const std::string shorter(reinterpret_cast<const char*>(whole.data()), 8);
  EXPECT_EQ(unlabelled(npy("i.npy", "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 1)}\n", shorter)).values, (Numbers{16777217, 2}));
  EXPECT_TRUE(unlabelled(file("f4_little.npy")).floats && unlabelled(file("f2_little.npy")).floats);
  EXPECT_FALSE(unlabelled(file("f8_little.npy")).floats);
}

TEST_F(Arrays, FortranOrderAndFurtherDimensions) {
  EXPECT_EQ(unlabelled(file("fortran.npy")).values, expected());
  const Dataset cube = unlabelled(file("cube.npy"));
  EXPECT_EQ(cube.rows, 4);
  EXPECT_EQ(cube.columns, 6);
  for (int i = 0; i < 24; ++i) EXPECT_EQ(cube.values[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(unlabelled(file("cube_fortran.npy")).values, cube.values);
  const Dataset vector = unlabelled(file("vector.npy"));
  EXPECT_EQ(vector.columns, 1);
  EXPECT_EQ(vector.rows, 6);
}

TEST_F(Arrays, LabelColumnOrLabelsFile) {
  const Dataset column = load_dataset(file("i4_little.npy"), label("2"), Context());
  EXPECT_EQ(column.columns, 2);
  EXPECT_EQ(column.label, "x2");
  EXPECT_EQ(column.features, (Strings{"x1", "x3"}));
  EXPECT_EQ(column.classes, (Strings{"-4", "6", "16", "26", "36", "46"}));
  EXPECT_EQ(column.row(1)[0], 5);
  EXPECT_EQ(column.row(1)[1], 7);

  const Dataset pair = load_dataset(file("f4_big.npy") + "," + file("vector.npy"), {}, Context());
  EXPECT_EQ(pair.labels, thirds);
  EXPECT_EQ(pair.label, "label");
  EXPECT_EQ(pair.values, expected(4));
  const Dataset texts = load_dataset(file("f4_big.npy") + "," + file("texts.npy"), {}, Context());
  EXPECT_EQ(texts.classes, (Strings{"ash", "birch", "céder"}));
  EXPECT_EQ(texts.labels, thirds);
  EXPECT_EQ(load_dataset(file("f8_big.npy") + "," + file("bytes.npy"), {}, Context()).classes,
            (Strings{"ash", "birch", "oak"}));
  EXPECT_NE(pair.hash, texts.hash);

  expect_error(Fault::input, {"expected labels", "3 columns", "--label", "after a comma"},
               [] { load_dataset(file("f4_little.npy"), {}, Context()); });
  expect_error(Fault::input, {"each of 4 rows, found 6 labels"},
               [] { load_dataset(file("cube.npy") + "," + file("vector.npy"), {}, Context()); });
  expect_error(Fault::input, {"one label per row, found 3 columns"},
               [] { load_dataset(file("u1.npy") + "," + file("u1.npy"), {}, Context()); });
}

TEST_F(Arrays, ModelFeatures) {
  LoadOptions options;
  options.coding = numbers_named({"x1", "x2", "x3"});
  EXPECT_FALSE(load_dataset(file("f4_little.npy"), options, Context()).labelled());
  options.coding = numbers_named({"x1", "x2"});
  options.label = "x3";
  EXPECT_EQ(load_dataset(file("i4_little.npy"), options, Context()).labels.size(), 6u);
  options.coding = numbers_named({"x1"});
  expect_error(Fault::input, {"expected 1 feature columns", "found 3"},
               [&] { load_dataset(file("i4_little.npy"), options, Context()); });
}

TEST_F(Arrays, RefusesWhatIsNoTableOfNumbers) {
  const std::map<std::string, std::string> refused{{"complex.npy", "<c8"},
                                                   {"objects.npy", "Python objects"},
                                                   {"records.npy", "records"},
                                                   {"scalar.npy", "single value"},
                                                   {"texts.npy", "found texts"}};
  for (const auto& item : refused)
    expect_error(Fault::input, {item.first, item.second}, [&] { unlabelled(file(item.first)); });
}

TEST_F(Arrays, NonFiniteValuesAreNamed) {
  const double values[] = {1, 2, 3, 4, std::numeric_limits<double>::quiet_NaN(), 1e300};
  const std::string_view body(reinterpret_cast<const char*>(values), sizeof values);
  const std::string bad = npy("bad.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", body);
  expect_error(Fault::input, {"finite", "nan", "row 2, column 2"}, [&] { unlabelled(bad); });
  const std::string large =
      npy("large.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }", body.substr(40));
  expect_error(Fault::input, {"1e+300", "row 1, column 1"}, [&] { unlabelled(large); });
}

TEST_F(Arrays, TruncatedNpyAtEveryLength) {
  const std::string whole = content_of(file("i2_little.npy"));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    write("cut.npy", whole.substr(0, size));
    EXPECT_THROW(unlabelled(path("cut.npy")), Error) << size;
  }
  expect_error(Fault::input, {"truncated", "cut.npy"}, [&] { unlabelled(path("cut.npy")); });
  write("long.npy", whole + "x");
  expect_error(Fault::input, {"36 bytes", "found 37"}, [&] { unlabelled(path("long.npy")); });
}

TEST_F(Arrays, HugeHeaderValuesAreRefusedBeforeAnyAllocation) {
  const std::string four(4, '\0');
  for (const char* shape : {"(4611686018427387904, 4611686018427387904)", "(99999999999999999999999, 1)",
                            "(1000000000000, 1000)", "(-3, 2)", "(3", "3", "(a, 2)"})
    expect_error(Fault::input, {"huge.npy"}, [&] {
      unlabelled(
          npy("huge.npy", fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': {}, }}", shape), four));
    });
  expect_error(Fault::input, {"at least one row"},
               [&] { unlabelled(npy("none.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4), }", "")); });
  expect_error(Fault::input, {"at least one row"}, [&] {
    unlabelled(npy("none.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (4000000000000000000, 0), }", ""));
  });
  expect_error(Fault::input, {"'shape'"},
               [&] { unlabelled(npy("a.npy", "{'descr': '<f4', 'fortran_order': False, }", four)); });
  expect_error(Fault::input, {"'descr'"}, [&] { unlabelled(npy("a.npy", "nonsense", four)); });
  for (const char* type :
       {"'<f999999999999999999999'", "'<f4x'", "''", "'<'", "'<U4611686018427387904'", "'<V8'", "f4", "'"})
    EXPECT_THROW(
        unlabelled(npy("a.npy", fmt::format("{{'descr': {}, 'fortran_order': False, 'shape': (1,), }}", type), four)),
        Error)
        << type;
  write("length.npy", std::string_view("\x93NUMPY\x02\x00\xff\xff\xff\xff{", 13));
  expect_error(Fault::input, {"header of at most 1 bytes, found 4294967295"}, [&] { unlabelled(path("length.npy")); });
  write("version.npy", std::string_view("\x93NUMPY\x09\x00\x01\x00\x00\x00{", 13));
  expect_error(Fault::input, {"version 1, 2 or 3, found 9"}, [&] { unlabelled(path("version.npy")); });
}

TEST_F(Arrays, Npz) {
  const Dataset stored = load_dataset(file("stored.npz"), {}, Context());
  EXPECT_EQ(stored.values, expected());
  EXPECT_EQ(stored.labels, thirds);
  EXPECT_EQ(stored.label, "y");
  EXPECT_EQ(stored.name, "stored");
  const Dataset deflated = load_dataset(file("deflated.npz"), {}, Context());
  EXPECT_EQ(deflated.values, expected());
  EXPECT_EQ(deflated.classes, (Strings{"ash", "birch", "céder"}));
  EXPECT_EQ(load_dataset(file("two_labels.npz"), {}, Context()).classes.size(), 3u);
  EXPECT_EQ(load_dataset(file("two_labels.npz"), label("age"), Context()).labels, (Labels{0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(load_dataset(file("no_labels.npz"), label("-1"), Context()).columns, 2);
  EXPECT_FALSE(unlabelled(file("stored.npz")).labelled());

  expect_error(Fault::input, {"named X, x or data", "points, target"},
               [] { load_dataset(file("other_names.npz"), {}, Context()); });
  expect_error(Fault::input, {"named y, labels or target", "--label"},
               [] { load_dataset(file("no_labels.npz"), {}, Context()); });
  expect_error(Fault::input, {"each of 6 rows, found 5 labels"},
               [] { load_dataset(file("mismatch.npz"), {}, Context()); });
}

TEST_F(Arrays, Idx) {
  const Dataset toy = load_dataset(file("toy-images-idx3-ubyte"), {}, Context());
  EXPECT_EQ(toy.rows, 6);
  EXPECT_EQ(toy.columns, 3);
  EXPECT_EQ(toy.values, expected(1, 0));
  EXPECT_EQ(toy.labels, thirds);
  EXPECT_EQ(toy.label, "label");
  EXPECT_EQ(toy.name, "toy-images-idx3-ubyte");
  const Dataset named =
      load_dataset(file("toy-images-idx3-ubyte") + "," + file("toy-labels-idx1-ubyte"), {}, Context());
  EXPECT_EQ(named.labels, toy.labels);
  EXPECT_EQ(named.hash, toy.hash);
  EXPECT_EQ(unlabelled(file("float.idx")).values, expected(4));

  expect_error(Fault::input, {"labels file beside", "after a comma"},
               [] { load_dataset(file("float.idx"), {}, Context()); });
  expect_error(Fault::input, {"list of 6 values", "give the images file"},
               [] { load_dataset(file("toy-labels-idx1-ubyte"), label("1"), Context()); });
  write("a-images-idx3-ubyte", content_of(file("toy-images-idx3-ubyte")));
  expect_error(Fault::input, {"a-labels-idx1-ubyte"},
               [&] { load_dataset(path("a-images-idx3-ubyte"), {}, Context()); });
  EXPECT_FALSE(unlabelled(path("a-images-idx3-ubyte")).labelled());
}

TEST_F(Arrays, DamagedIdx) {
  const std::string whole = content_of(file("toy-images-idx3-ubyte"));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    write("cut.idx", whole.substr(0, size));
    EXPECT_THROW(unlabelled(path("cut.idx")), Error) << size;
  }
  expect_error(Fault::input, {"18 bytes", "found 17", "truncated"}, [&] { unlabelled(path("cut.idx")); });
  write("huge.idx", std::string("\0\0\x0e\x04", 4) + std::string(16, '\xff'));
  expect_error(Fault::input, {"shape that memory can hold"}, [&] { unlabelled(path("huge.idx")); });
  write("none.idx", std::string("\0\0\x08\x01\0\0\0\0", 8));
  expect_error(Fault::input, {"at least one row"}, [&] { unlabelled(path("none.idx")); });
}

TEST_F(Arrays, MemoryIsCheckedBeforeItIsTaken) {
  const std::string zeros(100'000, '\0');
  npy("wide.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (10, 10000), }", zeros);
  Context context;
  context.memory = MemoryLimit(200'000);
  LoadOptions options;
  options.labels = LabelUse::none;
  expect_error(Fault::memory, {"values of", "wide.npy"}, [&] { load_dataset(path("wide.npy"), options, context); });
}

}  // namespace
}  // namespace calor::io

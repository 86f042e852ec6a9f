// An option that a kind of file does not take is refused by its name; one that it takes works.  Expectations are written by hand.
#include "calor/io/file_options.h"

#include <algorithm>
#include <string>
#include <vector>

#include "archives.h"
#include "calor/io/edge_list.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

constexpr std::string_view svm = "1 1:0.5 3:2\n-1 2:1\n1 3:7\n", market = "%%MatrixMarket matrix coordinate real general\n3 3 4\n1 1 0.5\n1 3 2\n2 2 1\n3 3 7\n",
                           table = "a,b,kind\n1,2,p\n3,4,q\n5,5,p\n", edges = "from,to,weight\na,b,1\nb,c,2\n";

struct Given {
  const char* option;
  void (*set)(LoadOptions&);
};
const Given given[] = {
    {"--header", [](LoadOptions& o) { o.text.header = true; }},      {"--delimiter", [](LoadOptions& o) { o.text.delimiter = ','; }},
    {"--decimal", [](LoadOptions& o) { o.text.decimal = '.'; }},     {"--encoding", [](LoadOptions& o) { o.text.encoding = "latin1"; }},
    {"--label", [](LoadOptions& o) { o.label = "kind"; }},           {"--names", [](LoadOptions& o) { o.names = "a"; }},
    {"--features", [](LoadOptions& o) { o.select = {"1"}; }},        {"--one-hot", [](LoadOptions& o) { o.one_hot = {"1"}; }},
    {"--layer", [](LoadOptions& o) { o.layer = "raw"; }},            {"--obsm", [](LoadOptions& o) { o.obsm = "X_pca"; }},
};

class FileOptionsTest : public TemporaryFolder {
 protected:
  // Every option that is not among `taken` is refused.
  template <class Load>
  void expect_taken(const std::vector<std::string>& taken, const Load& load_file) {
    for (const Given& one : given) {
      if (std::ranges::find(taken, one.option) != taken.end()) continue;
      LoadOptions options;
      options.labels = LabelUse::shown;
      one.set(options);
      expect_error(Fault::input, {"expected no " + std::string(one.option) + " for", "found it", ": "}, [&] { load_file(options); });
    }
  }
};

TEST_F(FileOptionsTest, WhatAFileDoesNotTakeIsRefusedByName) {
  expect_taken({"--features"}, [&](const LoadOptions& options) { load("a.svm", svm, options); });
  expect_taken({"--features"}, [&](const LoadOptions& options) { load("a.mtx", market, options); });
  expect_taken({"--features"}, [&](const LoadOptions& options) { load_dataset(CALOR_TEST_FILES "/sparse_csr.npz", options, Context()); });
  expect_taken({"--label", "--names", "--features", "--one-hot"}, [&](const LoadOptions& options) { load_dataset(CALOR_TEST_FILES "/stored.npz", options, Context()); });
  expect_taken({"--label", "--names", "--features", "--one-hot"}, [&](const LoadOptions& options) { load_dataset("iris", options, Context()); });
  expect_taken({"--header", "--delimiter", "--decimal", "--encoding", "--label", "--names", "--features", "--one-hot"}, [&](const LoadOptions& options) { load("a.csv", table, options); });
  expect_taken({"--header", "--delimiter", "--decimal", "--encoding"}, [&](const LoadOptions& options) { load_edge_list(write("e.csv", edges), options, Context()); });
  expect_taken({}, [&](const LoadOptions& options) { load_edge_list(write("e.mtx", market), options, Context()); });
}

TEST_F(FileOptionsTest, NoneIsNoRequest) {
  LoadOptions options;
  options.label = options.names = "none";
  EXPECT_FALSE(load("a.svm", svm, options).labelled());
  EXPECT_EQ(load("a.mtx", market, options).columns, 3);
  EXPECT_EQ(load_edge_list(write("e.csv", edges), options, Context()).nodes.size(), 3u);
}

TEST_F(FileOptionsTest, FeaturesOfASparseMatrix) {
  LoadOptions options;
  options.labels = LabelUse::shown;
  options.select = {"x3", "1"};
  for (const bool sparse : {false, true}) {
    options.sparse = sparse;
    const Dataset data = load("a.svm", svm, options);
    EXPECT_EQ(data.features, (Strings{"x3", "x1"}));
    EXPECT_EQ(data.reading.left_out, (Strings{"x2"}));
    if (sparse) {
      EXPECT_EQ(data.sparse->begin, (Labels{0, 2, 2, 3}));
      EXPECT_EQ(data.sparse->column, (std::vector<std::int32_t>{0, 1, 0}));
      EXPECT_EQ(data.sparse->value, (Numbers{2, 0.5, 7}));
    } else {
      EXPECT_EQ(data.values, (Numbers{2, 0.5, 0, 0, 7, 0}));
    }
  }
  options.select = {"!x2"};
  EXPECT_EQ(load("a.mtx", market, options).features, (Strings{"x1", "x3"}));
  options.select = {"9"};
  expect_error(Fault::input, {"from 1 to 3", "\"9\""}, [&] { load("a.mtx", market, options); });
  options.select = {"1", "x1"};
  expect_error(Fault::usage, {"each column once", "\"x1\"", "twice"}, [&] { load("a.mtx", market, options); });
}

TEST_F(FileOptionsTest, ASavedModelKnowsItsColumns) {
  LoadOptions options;
  options.coding = numbers_named({"a", "b"});
  options.select = {"a"};
  expect_error(Fault::input, {"no --features beside a saved model"}, [&] { load("a.csv", table, options); });
  options.select.clear();
  options.one_hot = {"a"};
  expect_error(Fault::input, {"no --one-hot beside a saved model"}, [&] { load("a.csv", table, options); });
  options.one_hot.clear();
  options.coding = numbers_named({"x1", "x2"});
  expect_error(Fault::input, {"expected 2 feature columns", "found 3 columns", "a.mtx"}, [&] { load("a.mtx", market, options); });
}

TEST_F(FileOptionsTest, ALabelThatAnArchiveDoesNotHave) {
  LoadOptions options;
  options.label = "lables";
  const std::string file = CALOR_TEST_FILES "/two_labels.npz";
  expect_error(Fault::input, {"an array for --label", "\"lables\"", "two_labels.npz", "did you mean \"labels\"?"}, [&] { load_dataset(file, options, Context()); });
  options.label = "1";
  const Dataset column = load_dataset(CALOR_TEST_FILES "/stored.npz", options, Context());
  EXPECT_EQ(column.label, "x1") << "a position means a column of the points, though there is a y";
}

TEST_F(FileOptionsTest, ALabelBesideAFileOfLabels) {
  LoadOptions options;
  options.label = "kind";
  write("l.csv", "p\nq\np\n");
  write("a.csv", table);
  expect_error(Fault::input, {"no --label beside a file of labels"}, [&] { load_dataset(path("a.csv") + "," + path("l.csv"), options, Context()); });
}

TEST_F(FileOptionsTest, AWrongLabelsFileIsTheOneThatIsNamed) {
  write("l.csv", "p\n\xE9\np\n");
  write("a.csv", "a,b\n1,2\n3,4\n5,5\n");
  expect_error(Fault::input, {"UTF-8", "l.csv, line 2"}, [&] { load_dataset(path("a.csv") + "," + path("l.csv"), {}, Context()); });
}

}  // namespace
}  // namespace calor::io

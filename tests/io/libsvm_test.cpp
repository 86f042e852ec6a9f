// libsvm's sparse text: dense values, labels, numbering from 0 or 1, a model's columns, what is not it, and every error; a9a where the
// folder of test data is named, against the counts of LIBSVM's own page.
#include <cstdlib>

#include "calor/io/dataset.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

class Libsvm : public TemporaryFolder {
 protected:
  void expect_bad(std::string_view content, std::initializer_list<std::string_view> texts, const LoadOptions& options = {}) {
    expect_error(Fault::input, texts, [&] { load("bad.svm", content, options); });
  }
};

TEST_F(Libsvm, BecomesDense) {
  const Dataset data = load("a.svm", "+1 1:0.5 3:-2 # first\n-1\n+1 2:1e-3 4:7\r\n\n");
  EXPECT_EQ(data.rows, 3);
  EXPECT_EQ(data.values, (Numbers{0.5, 0, -2, 0, 0, 0, 0, 0, 0, 1e-3, 0, 7}));
  EXPECT_EQ(data.features, (std::vector<std::string>{"x1", "x2", "x3", "x4"}));
  EXPECT_EQ(data.classes, (std::vector<std::string>{"-1", "1"}));
  EXPECT_EQ(data.labels, (std::vector<std::int64_t>{1, 0, 1}));
  EXPECT_EQ(data.label, "label");
}

TEST_F(Libsvm, RowsOfZerosAtTheStartAreRows) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += i % 2 ? "1\n" : "-1\n";
  const Dataset data = load("a.svm", text + "1 2:5\n");
  EXPECT_EQ(data.rows, 41);
  EXPECT_EQ(data.columns, 2);
  EXPECT_EQ(data.values[81], 5);
  LoadOptions unlabelled;
  unlabelled.labels = LabelUse::none;
  EXPECT_EQ(load("b.csv", "1\n2\n3\n", unlabelled).reading.format, "csv") << "numbers alone are a column";
}

TEST_F(Libsvm, MayCountFromZero) {
  const Dataset data = load("a.svm", "3 0:5 2:6\n1 1:7\n");
  EXPECT_EQ(data.features, (std::vector<std::string>{"x0", "x1", "x2"}));
  EXPECT_EQ(data.values, (Numbers{5, 0, 6, 0, 7, 0}));
}

TEST_F(Libsvm, TakesTheColumnsOfAModel) {
  LoadOptions options;
  options.coding = numbers_named({"x3", "x1", "x2", "x4"});
  options.classes = {"-1", "1"};
  const Dataset data = load("a.svm", "1 1:4 3:5\n", options);
  EXPECT_EQ(data.values, (Numbers{5, 4, 0, 0}));
  EXPECT_EQ(data.labels, (std::vector<std::int64_t>{1}));
  expect_bad("1 9:4\n", {"index 9", "line 1"}, options);
  options.coding = numbers_named({"height", "x1"});
  expect_bad("1 1:4\n", {"height"}, options);
}

TEST_F(Libsvm, GivesMeasuredLabels) {
  LoadOptions options;
  options.measured = true;
  const Dataset data = load("a.svm", "0.25 1:4\n-3e2 2:5\n", options);
  EXPECT_EQ(data.classes, (Strings{"-300", "0.25"}));
  EXPECT_EQ(data.labels, (Labels{1, 0}));
  EXPECT_EQ(data.values, (Numbers{4, 0, 0, 5}));
}

// Sparse where it is asked for: the same entries, zeros left out, columns in order.
TEST_F(Libsvm, StaysSparse) {
  LoadOptions options;
  options.sparse = true;
  const Dataset data = load("a.svm", "1 3:-2 1:0.5\n0\n1 2:0 4:7\n", options);
  ASSERT_TRUE(data.sparse);
  EXPECT_TRUE(data.values.empty());
  EXPECT_EQ(data.columns, 4);
  EXPECT_EQ(data.sparse->begin, (std::vector<std::int64_t>{0, 2, 2, 3}));
  EXPECT_EQ(data.sparse->column, (std::vector<std::int32_t>{0, 2, 3}));
  EXPECT_EQ(data.sparse->value, (Numbers{0.5, -2, 7}));
}

// As libsvm's own readers have it.
TEST_F(Libsvm, RefusesLinesInLibsvmsWords) {
  const std::string good = "1 1:1 2:2\n", many = [&] { std::string text; for (int i = 0; i < 30; ++i) text += good; return text; }();
  expect_bad(many + "1:5 2:2\n", {"wrong input format at line 31", "a label before the pairs"});
  expect_bad("0 qid:1 1:5\n1 qid:1 2:2\n", {"wrong input format at line 1", "qid"});
  expect_bad("1, 2 1:5\n1 2:2\n", {"wrong input format at line 1", "label"});
}

TEST_F(Libsvm, MarksAndLineEndsDoNoHarm) {
  EXPECT_EQ(load("a.svm", "\xEF\xBB\xBF" "1 1:1\n0 1:2\n").rows, 2);
  const Dataset returns = load("b.svm", "1 1:1\r0 1:2\r\n1 1:3\r");
  EXPECT_EQ(returns.values, (Numbers{1, 2, 3}));
}

TEST_F(Libsvm, OtherTextsAreNotIt) {
  EXPECT_EQ(load("a.csv", "a,b,kind\n1:2,2,1\n3,4,2\n", [] { LoadOptions o; o.coding = numbers_named({"b"}); return o; }()).columns, 1);
  EXPECT_EQ(load("b.csv", "1 2 x\n3 4 y\n").columns, 2);
}

TEST_F(Libsvm, Errors) {
  const std::string good = "1 1:1 2:2\n", many = [&] { std::string text; for (int i = 0; i < 30; ++i) text += good; return text; }();
  expect_bad(many + "1 2:x\n", {"\"2:x\"", "line 31"});
  expect_bad(many + "1 2\n", {"index:value", "line 31"});
  expect_bad(many + "1 -2:5\n", {"\"-2:5\"", "line 31"});
  expect_bad(good + "1 2:nan\n", {"finite", "line 2"});
  expect_bad(good + "1 2:3 2:4\n", {"2 twice", "line 2"});
  LoadOptions options;
  options.label = "kind";
  expect_bad(good, {"--label", "libsvm file"}, options);
}

TEST_F(Libsvm, ReadsA9a) {
  const char* folder = std::getenv("CALOR_DATA");
  if (!folder) GTEST_SKIP() << "needs CALOR_DATA";
  const Dataset data = load_dataset(std::string(folder) + "/svm/a9a", {}, Context());
  EXPECT_EQ(data.rows, 32561);
  EXPECT_EQ(data.columns, 123);
  EXPECT_EQ(std::count(data.labels.begin(), data.labels.end(), 1), 7841);
  LoadOptions options;
  options.coding = data.coding;
  EXPECT_EQ(load_dataset(std::string(folder) + "/svm/a9a.t", options, Context()).columns, 123);
}

}  // namespace
}  // namespace calor::io

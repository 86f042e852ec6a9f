// MNIST as its authors publish it: counts per class and pixel statistics (mean 0.1307, deviation 0.3081 of 255).
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "temporary_folder.h"

namespace calor::io {
namespace {

class Mnist : public TemporaryFolder {
 protected:
  void SetUp() override {
    const char* data = std::getenv("CALOR_DATA");
    if (!data || !std::filesystem::exists(std::string(data) + "/mnist"))
      GTEST_SKIP() << "SKIPPED: CALOR_DATA names no folder with mnist/";
    folder = std::string(data) + "/mnist/";
  }
  static Labels counts(const Dataset& data) {
    Labels counts(10);
    for (const std::int64_t label : data.labels) ++counts[static_cast<std::size_t>(label)];
    return counts;
  }
  std::string folder;
};

TEST_F(Mnist, Train) {
  const Dataset data = load_dataset(folder + "train-images-idx3-ubyte.gz", {}, Context());
  EXPECT_EQ(data.rows, 60000);
  EXPECT_EQ(data.columns, 784);
  EXPECT_EQ(data.classes, (Strings{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}));
  EXPECT_EQ(counts(data), (Labels{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949}));
  double sum = 0, squares = 0;
  for (const double value : data.values) sum += value, squares += value * value;
  const double n = static_cast<double>(data.values.size()), mean = sum / n;
  EXPECT_NEAR(mean / 255, 0.1307, 0.00005);
  EXPECT_NEAR(std::sqrt(squares / n - mean * mean) / 255, 0.3081, 0.00005);
}

TEST_F(Mnist, Test) {
  const Dataset data =
      load_dataset(folder + "t10k-images-idx3-ubyte.gz," + folder + "t10k-labels-idx1-ubyte.gz", {}, Context());
  EXPECT_EQ(data.rows, 10000);
  EXPECT_EQ(counts(data), (Labels{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
}

TEST_F(Mnist, TruncatedDownload) {
  const std::string whole = content_of(folder + "t10k-images-idx3-ubyte.gz");
  write("t10k-images-idx3-ubyte.gz", whole.substr(0, whole.size() / 2));
  std::filesystem::copy(folder + "t10k-labels-idx1-ubyte.gz", path("t10k-labels-idx1-ubyte.gz"));
  expect_error(Fault::input, {"ends early", "t10k-images"},
               [&] { load_dataset(path("t10k-images-idx3-ubyte.gz"), {}, Context()); });
}

TEST_F(Mnist, LabelsOfTheOtherPart) {
  expect_error(Fault::input, {"each of 10000 rows, found 60000 labels"}, [&] {
    load_dataset(folder + "t10k-images-idx3-ubyte.gz," + folder + "train-labels-idx1-ubyte.gz", {}, Context());
  });
}

}  // namespace
}  // namespace calor::io

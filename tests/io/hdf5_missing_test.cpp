// The reader of HDF5 of a build without libhdf5: files are known for what they are, and refused with the remedy.
#include "calor/io/gzip.h"
#include "calor/io/hdf5.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

TEST(Hdf5, IsRefusedByName) {
  const std::string bytes = gunzip(content_of(CALOR_TEST_FILES "/tenx3.h5.gz"), "f.h5", Context());
  EXPECT_TRUE(is_hdf5(bytes));
  expect_error(Fault::input, {"[h5]", "f.h5", "libhdf5-dev", "save_npz"}, [&] { parse_hdf5(bytes, "f.h5", {}, Context()); });
  expect_error(Fault::input, {"[h5]", "libhdf5-dev"}, [] { read_hdf5("f.h5", {}, Context()); });
}

}  // namespace
}  // namespace calor::io

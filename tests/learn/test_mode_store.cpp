// Modes of surfaces on disk: the same bits as without, computed once; damaged files are made anew, others' files are left, and what else decides the modes makes another file.
#include "calor/learn/network/mode_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "../engine/surfaces.h"
#include "calor/core/error.h"
#include "calor/io/output.h"
#include "calor/io/safetensors.h"
#include "calor/learn/network/surface.h"

namespace calor::learn {
namespace {

namespace fs = std::filesystem;

class ModeStores : public ::testing::Test {
 protected:
  ModeStores() { fs::remove_all(folder_); }
  ~ModeStores() override { fs::remove_all(folder_); }

  // The modes of a new surface, as each run makes one, and what the store says of it.
  std::shared_ptr<const Modes> modes(const io::Mesh& mesh, std::int64_t count = 20, const std::string& weights = "robust") {
    const auto store = std::make_shared<const ModeStore>(folder_);
    auto found = Surface(mesh, store).modes(weights, count, at::kFloat, Context());
    notes_ = store->notes();
    return found;
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator(folder_)) all.push_back(entry.path());
    return all;
  }
  void expect_computed(bool computed) const {
    EXPECT_EQ(notes_.front(), fmt::format("modes of {} found in {}, of {} computed", computed ? "0 surfaces" : "1 surface", folder_, computed ? 1 : 0));
  }

  std::string folder_ = ::testing::TempDir() + "calor_modes/below";
  std::vector<std::string> notes_;
};

void expect_equal(const Modes& found, const Modes& truth) {
  EXPECT_TRUE(found.vectors.equal(truth.vectors));
  EXPECT_TRUE(found.measures.equal(truth.measures));
  EXPECT_TRUE(found.values.equal(truth.values));
}

TEST_F(ModeStores, HaveTheBitsOfAComputation) {
  io::Mesh mesh = engine::sphere(2);
  mesh.points.insert(mesh.points.end(), {3, 3, 3});  // without a triangle
  const auto truth = Surface(mesh).modes("robust", 20, at::kFloat, Context());
  expect_equal(*modes(mesh), *truth);
  expect_computed(true);
  ASSERT_EQ(files().size(), 1u);
  expect_equal(*modes(mesh), *truth);
  expect_computed(false);
  EXPECT_EQ(notes_.size(), 1u);
}

TEST_F(ModeStores, TellApartWhatDecidesThem) {
  io::Mesh mesh = engine::sphere(2);
  modes(mesh);
  modes(mesh, 21);
  expect_computed(true);
  modes(mesh, 20, "cotangent");
  expect_computed(true);
  mesh.points[0] *= 1 + 1e-12;
  modes(mesh);
  expect_computed(true);
  std::swap(mesh.triangles[0], mesh.triangles[1]);
  modes(mesh);
  expect_computed(true);
  EXPECT_EQ(files().size(), 5u);
}

TEST_F(ModeStores, MakeDamagedFilesAnew) {
  const io::Mesh mesh = engine::sphere(2);
  const auto truth = modes(mesh);
  const std::string path = files().front(), whole = io::read_file(path);
  for (const std::size_t place : {whole.size() - 1, whole.size() / 2, std::size_t{3}}) {  // values, vectors, the header's length
    std::string bytes = whole;
    bytes[place] = static_cast<char>(bytes[place] ^ 1);
    std::ofstream(path, std::ios::binary) << bytes;
    expect_equal(*modes(mesh), *truth);
    expect_computed(true);
    ASSERT_EQ(notes_.size(), 2u);
    EXPECT_NE(notes_.back().find("is damaged"), std::string::npos);
    EXPECT_EQ(io::read_file(path), whole);
  }
  std::ofstream(path, std::ios::binary) << whole.substr(0, whole.size() - 1);
  expect_equal(*modes(mesh), *truth);
  EXPECT_EQ(io::read_file(path), whole);
}

TEST_F(ModeStores, LeaveOthersFiles) {
  const io::Mesh mesh = engine::sphere(2);
  const auto truth = modes(mesh);
  const std::string path = files().front();
  io::write_safetensors(path, {{{"kind", "somebody's"}}, {}});
  const std::string theirs = io::read_file(path);
  expect_equal(*modes(mesh), *truth);
  ASSERT_EQ(notes_.size(), 2u);
  EXPECT_NE(notes_.back().find("left as it is"), std::string::npos);
  EXPECT_EQ(io::read_file(path), theirs);
}

TEST_F(ModeStores, NeedAFolder) {
  const std::string file = ::testing::TempDir() + "calor_no_folder";
  std::ofstream(file) << "text";
  EXPECT_THROW(ModeStore{file}, Error);
  fs::remove(file);
}

}  // namespace
}  // namespace calor::learn

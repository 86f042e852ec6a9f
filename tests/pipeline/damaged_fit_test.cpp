// Fits whose file holds numbers that are not finite: refused when they are read, by array and row, whatever recipe wrote them and wherever the
// number is; and those that belong there are read as they are.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <limits>

#include "calor/io/safetensors.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/model.h"
#include "labelled.h"
#include "support.h"

namespace calor::pipeline {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

class DamagedFit : public ::testing::Test {
 protected:
  DamagedFit() { std::filesystem::remove(path_); }

  io::Safetensors written(const Fit& fit, bool compact = false) const {
    SavedFit saved{fit, print(fit.stages), "0", "hash", "side"};
    saved.compact = compact;
    save_fit(path_, saved);
    return io::read_safetensors(path_);
  }

  // The file with one number exchanged.
  void expect_refused(io::Safetensors file, const std::string& name, std::size_t at, double value) const {
    io::Tensor& tensor = file.tensors.at(name);
    if (tensor.dtype == "F32") put(tensor, at, static_cast<float>(value));
    else put(tensor, at, value);
    io::write_safetensors(path_, file);
    const std::int64_t width = tensor.shape.size() == 2 ? tensor.shape[1] : 1;
    try {
      load_fit(path_, recipes::all_stages());
      ADD_FAILURE() << name << " with " << value << " at " << at << " was read";
    } catch (const Error& error) {
      const std::string said = error.what();
      EXPECT_EQ(error.fault(), Fault::input) << said;
      EXPECT_NE(said.find(fmt::format("\"{}\"", name)), std::string::npos) << said;
      if (tensor.shape.size() == 2) {
        EXPECT_NE(said.find(fmt::format("at row {}", static_cast<std::int64_t>(at) / width + 1)), std::string::npos) << said;
      }
      EXPECT_NE(said.find("damaged"), std::string::npos) << said;
    }
  }

  template <class Number>
  static void put(io::Tensor& tensor, std::size_t at, Number value) {
    std::memcpy(tensor.bytes.data() + at * sizeof(Number), &value, sizeof value);
  }

  const std::string path_ = ::testing::TempDir() + "calor_damaged_fit.safetensors";
};

std::shared_ptr<Data> data_for(const std::string& recipe) {
  auto data = three_clouds(120);
  data->targets = Vector::LinSpaced(120, 0, 1);
  if (recipe == "mcl") {
    std::vector<Edge> edges;
    for (std::int64_t i = 0; i < 30; ++i)
      for (const std::int64_t step : {1, 29}) edges.push_back({i, (i + step) % 30, 1.0 + static_cast<double>(i % 5)});
    auto graph = std::make_shared<Data>();
    graph->features = std::make_shared<const Matrix>(30, 0);
    graph->graph = std::make_shared<const Csr>(from_edges(30, 30, std::move(edges)));
    return graph;
  }
  return data;
}

TEST_F(DamagedFit, IsRefusedByArrayAndRowOfEveryRecipe) {
  int arrays = 0;
  for (const recipes::Recipe& recipe : recipes::all_recipes()) {
    const std::string name(recipe.name);
    if (without_place(bind_stages(recipes::resolve(name, {}), recipes::all_stages()))) continue;
    const Fit fit = run_text(name, data_for(name));
    for (const bool compact : {false, true}) {
      const io::Safetensors good = written(fit, compact);
      EXPECT_NO_THROW(load_fit(path_, recipes::all_stages())) << name;
      for (const auto& [array, tensor] : good.tensors) {
        if (!tensor.dtype.starts_with("F") || tensor.bytes.empty() || array.starts_with("features.")) continue;
        const std::size_t count = tensor.bytes.size() / (tensor.dtype == "F32" ? 4 : 8);
        for (const double value : {nan, infinity, -infinity}) {
          if (array == "targets" && std::isnan(value)) continue;  // not known
          if (value == -infinity && ((name == "isomap" && array == "stage.2.values") || array.ends_with(".log_density"))) continue;  // belongs there
          for (const std::size_t at : {std::size_t{0}, count - 1}) expect_refused(good, array, at, value);
        }
        ++arrays;
      }
    }
  }
  EXPECT_GT(arrays, 60);
}

// Two groups that no path joins, a pair without a distance, a row without a value.
TEST_F(DamagedFit, IsNoneOfWhatBelongsThere) {
  const Matrix apart = two_blobs(40, 1000);
  const Fit paths = run_text("isomap", apart);
  written(paths);
  const Fit read = load_fit(path_, recipes::all_stages()).fit;
  EXPECT_EQ(paths.kept[2].array("values").minCoeff(), -infinity);
  EXPECT_EQ(read.kept[2].array("values"), paths.kept[2].array("values"));
  const auto fresh = std::make_shared<const Matrix>(two_blobs(5, 1000, 8));
  EXPECT_EQ(*place(read, fresh, Context()).points, *place(paths, fresh, Context()).points);

  Matrix table(40, 40);
  for (Eigen::Index i = 0; i < 40; ++i)
    for (Eigen::Index j = 0; j < 40; ++j) table(i, j) = std::abs(static_cast<double>(i - j)) < 20 ? std::abs(static_cast<double>(i - j)) : infinity;
  const Fit distances = run_text("knn(4) | distance(2) | exp(auto) | mean | eigen(2, of=laplacian)", std::make_shared<Data>(data_of_distances(table, {})));
  const io::Safetensors good = written(distances);
  EXPECT_EQ(*load_fit(path_, recipes::all_stages()).fit.data->distances, table);
  for (const double value : {nan, -infinity}) expect_refused(good, "distances", 45, value);

  auto measures = measured(two_blobs(20, 3));
  measures->targets[7] = nan;
  written(run_text("knn-regressor", measures));
  EXPECT_TRUE(std::isnan(load_fit(path_, recipes::all_stages()).fit.data->targets[7]));
}

TEST_F(DamagedFit, IsRefusedInSparsePointsAndEdges) {
  io::SparseMatrix points;
  points.rows = 30;
  points.columns = 4;
  for (std::int64_t i = 0; i < 30; ++i) {
    for (const std::int32_t c : {static_cast<std::int32_t>(i % 3), 3}) {
      points.column.push_back(c);
      points.value.push_back(1 + 0.1 * static_cast<double>(i));
    }
    points.begin.push_back(std::ssize(points.column));
  }
  auto data = std::make_shared<Data>(data_of(std::move(points), {}, {}));
  for (std::int64_t i = 0; i < 30; ++i) data->labels.push_back(i % 2);
  data->classes = {"a", "b"};
  const io::Safetensors good = written(run_text("knn-classifier", data));
  expect_refused(good, "sparse.value", 12, nan);
  expect_fault(Fault::input, "found nan at row 7", [&] { load_fit(path_, recipes::all_stages()); });
  expect_refused(good, "sparse.value", 59, infinity);

  const io::Safetensors graph = written(run_text("mcl", data_for("mcl")));
  expect_refused(graph, "graph.value", 5, nan);
  expect_fault(Fault::input, "found nan at row 3", [&] { load_fit(path_, recipes::all_stages()); });
}

}  // namespace
}  // namespace calor::pipeline

#include <gtest/gtest.h>

#include <filesystem>

#include "calor/calor.h"
#include "calor/core/error.h"

namespace calor {
namespace {

TEST(Pipelines, FitTransformSaveAndLoad) {
  const Points points = read_points("iris");
  const Pipeline pipeline("diffusion-map", {"eigen.k=2"});
  const Fit fit = pipeline.fit(points);
  EXPECT_EQ(fit.pipeline(), pipeline.text());
  EXPECT_NE(pipeline.explain(points).find("150 rows, 4 features"), std::string::npos);
  const Matrix& map = fit.as<Embedding>().coordinates();
  ASSERT_EQ(map.cols(), 2);
  EXPECT_EQ(fit.as<Embedding>().spectrum().size(), 2);

  const Points some(Matrix(points.coordinates().topRows(7)));
  const Matrix placed = std::get<Embedding>(fit.transform(some)).coordinates();
  EXPECT_LT((placed - map.topRows(7)).cwiseAbs().maxCoeff(), 1e-8 * map.cwiseAbs().maxCoeff());

  const std::filesystem::path file = std::filesystem::temp_directory_path() / ("calor_api_" + std::to_string(::getpid()) + ".safetensors");
  fit.save(file);
  const Fit loaded = Fit::load(file);
  std::filesystem::remove(file);
  EXPECT_EQ(std::get<Embedding>(loaded.transform(some)).coordinates(), placed);
  EXPECT_THROW(loaded.result(), Error);
  EXPECT_THROW(fit.as<Labels>(), Error);
}

TEST(Pipelines, PredictClassesOfNewRows) {
  const Points points = read_points("iris");
  std::vector<std::int64_t> labels = points.state().data->labels;
  const Fit fit = Pipeline("knn-classifier", {"knn.k=5"}).fit(points);
  const std::vector<std::int64_t> best = std::get<Prediction>(fit.transform(Points(points.coordinates()))).best();
  int right = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) right += labels[i] == best[i];
  EXPECT_GE(right, 143);  // 5 neighbours, the row among them
}

TEST(Pipelines, TheSeedAndTheThreadsAreTheSessions) {
  const Matrix features = read_points("wine").coordinates();
  const auto clusters = [&](std::uint64_t seed, int threads) {
    const Points points(features, {.seed = seed, .threads = threads});
    return Pipeline("k-means", {"k=8", "centres.starts=1"}).fit(points).as<Labels>().numbers();
  };
  EXPECT_EQ(clusters(3, 1), clusters(3, 2));
  EXPECT_NE(clusters(3, 1), clusters(4, 1));
}

TEST(Pipelines, ShowWhereTextIsWrong) {
  try {
    Pipeline("distance(2) | expp(1)");
    FAIL() << "the text was accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("^^^^"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace calor

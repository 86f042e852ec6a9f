// Smaller files of a fit: landmarks alone, and numbers in 8 and 32 bits.
#include "calor/pipeline/landmarks.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "calor/io/safetensors.h"
#include "calor/pipeline/model.h"
#include "labelled.h"
#include "support.h"

namespace calor::pipeline {
namespace {

class SmallerFit : public ::testing::Test {
 protected:
  SavedFit reloaded(const Fit& fit, bool compact) {
    SavedFit saved{fit, print(fit.stages), "0", "hash", "side"};
    saved.compact = compact;
    save_fit(path_, saved);
    return load_fit(path_, recipes::all_stages());
  }
  const std::string path_ = ::testing::TempDir() + "calor_smaller_fit.safetensors";
};

std::vector<std::int64_t> halves(std::int64_t n) {
  std::vector<std::int64_t> labels(static_cast<std::size_t>(n), 0);
  std::fill(labels.begin() + n / 2, labels.end(), 1);
  return labels;
}

TEST_F(SmallerFit, LandmarksStandWhereTheyStoodAndNewPointsAmongThem) {
  const Matrix points = two_blobs(100, 8), fresh = two_blobs(10, 8, 99);
  for (const char* text : {"umap", "tsne", "sne"}) {
    const Fit whole = run_text(text, points);
    const Fit some = reloaded(with_landmarks(whole, 60), false).fit;
    ASSERT_EQ(some.data->rows(), 60) << text;
    std::int64_t at = 0;
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < points.rows() && at < 60; ++i)
      if (points.row(i) == some.data->features->row(at)) rows.push_back(i), ++at;
    ASSERT_EQ(at, 60) << text << ": not in the order of the fit";
    const State own = place(some, some.data->features, Context());
    for (std::int64_t i = 0; i < 60; ++i) EXPECT_EQ(own.points->row(i), whole.result.points->row(rows[i])) << text;
    const State placed = place(some, std::make_shared<const Matrix>(fresh), Context());
    const Matrix& map = *whole.result.points;
    const Eigen::RowVectorXd left = map.topRows(100).colwise().mean(), right = map.bottomRows(100).colwise().mean();
    for (std::int64_t i = 0; i < fresh.rows(); ++i)
      EXPECT_EQ((placed.points->row(i) - left).norm() < (placed.points->row(i) - right).norm(), i < 10) << text << " row " << i;
  }
}

TEST_F(SmallerFit, LandmarksKeepTheirClasses) {
  const Fit whole = run_text("knn-classifier", labelled(two_blobs(50, 9), halves(100), {"left", "right"}));
  const Fit some = with_landmarks(whole, 30);
  ASSERT_EQ(some.data->labels.size(), 30U);
  for (std::int64_t i = 0; i < 30; ++i) {
    std::int64_t row = 0;
    while (whole.data->features->row(row) != some.data->features->row(i)) ++row;
    EXPECT_EQ(some.data->labels[i], whole.data->labels[row]);
  }
  const State placed = place(some, std::make_shared<const Matrix>(two_blobs(20, 9, 7)), Context());
  for (std::int64_t i = 0; i < 40; ++i) EXPECT_EQ(placed.scores(i, 1) > placed.scores(i, 0), i >= 20) << "row " << i;
  EXPECT_EQ(with_landmarks(whole, 100).data, whole.data);
  EXPECT_EQ(*with_landmarks(whole, 30).data->features, *some.data->features);  // the same rows each time
}

TEST_F(SmallerFit, WhatBelongsToTheWholeFitIsRefused) {
  const Matrix points = two_blobs(40, 5);
  for (const char* text : {"isomap", "laplacian-eigenmaps", "diffusion-map", "lle"})
    expect_fault(Fault::usage, "belongs to the whole fit: leave out --landmarks", [&] { with_landmarks(run_text(text, points), 20); });
}

// Rows of other numbers, factors of training rows alone, support vectors.
TEST_F(SmallerFit, WhatHoldsRowsInAnotherShapeIsRefusedToo) {
  auto data = labelled(two_blobs(40, 3), halves(80), {"left", "right"});
  for (std::int64_t i = 0; i < 80; ++i) data->train.push_back(i % 2);
  for (const char* text : {"svm", "knn(5) | indicator | row | expand(2) | vote", "distance(2, to=train) | exp(auto) | column | row | vote", "propagator", "k-means"})
    expect_fault(Fault::usage, "belongs to the whole fit", [&] { with_landmarks(run_text(text, data), 20); });
}

// What is refused by the stages alone is what the fit itself would be refused for: every recipe, and what no recipe has.
TEST_F(SmallerFit, WhatIsKnownBeforehandIsWhatTheFitSays) {
  std::vector<std::string> texts{"knn(5) | indicator | row | expand(2) | vote", "distance(2, to=train) | exp(auto) | column | row | vote", "distance(2) | exp(auto) | sinkhorn | row | eigen(2)",
                                 "distance(2) | exp(auto) | sinkhorn | apply", "knn(8) | distance(2) | exp(auto) | row | apply", "radius(3) | distance(2) | exp(auto) | row | apply",
                                 "standardise | distance(2) | exp(auto) | row | apply", "distance(2) | exp(auto) | row | repeat(restart(0.2)) | vote", "knn(5) | components"};
  for (const recipes::Recipe& recipe : recipes::all_recipes())
    if (!recipe.pipeline.starts_with("adjacency")) texts.emplace_back(recipe.name);
  const auto classes = labelled(two_blobs(60, 3), halves(120), {"left", "right"});
  classes->targets = Vector::LinSpaced(120, 0, 1);
  int refused = 0;
  for (const std::string& text : texts) {
    const Fit whole = run_text(text, classes);
    if (without_place(whole.stages)) continue;
    const auto says = [&](const std::function<void()>& action) {
      try {
        action();
      } catch (const Error& error) {
        return std::string(error.what()).find("keep nothing of all rows together") != std::string::npos;
      }
      return false;
    };
    const bool after = says([&] { with_landmarks(whole, 60); });
    EXPECT_EQ(says([&] { require_landmarks(whole.stages); }), after) << text;
    refused += after;
  }
  EXPECT_GT(refused, 10);
}

TEST_F(SmallerFit, TooFewLandmarksAreRefused) {
  const Fit whole = run_text("tsne", two_blobs(60, 5));
  expect_fault(Fault::usage, "expected enough landmarks to place new points among, found 3: raise --landmarks", [&] { with_landmarks(whole, 3); });
  auto data = labelled(two_blobs(40, 9), halves(80), {"left", "right"});
  expect_fault(Fault::usage, "expected at least one for each of 2 classes, found 1", [&] { with_landmarks(run_text("knn-classifier", data), 1); });
  data = labelled(two_blobs(40, 9), halves(80), {"left", "right"});
  data->train.assign(80, 0);
  for (const std::int64_t i : {3, 4, 70, 71, 72, 12}) data->train[i] = 1;
  const Fit some = with_landmarks(run_text("knn-classifier", data), 5);
  for (std::int64_t i = 0; i < some.data->rows(); ++i) EXPECT_TRUE(some.data->labelled(i));
}

TEST_F(SmallerFit, ALoadedFitCanBeMadeSmaller) {
  const Fit whole = run_text("umap", two_blobs(60, 5));
  EXPECT_EQ(with_landmarks(reloaded(whole, false).fit, 50).kept.back().array("points"), with_landmarks(whole, 50).kept.back().array("points"));
}

TEST_F(SmallerFit, WhatFloatsCannotHoldStaysAsItIs) {
  const Fit fit = run_text("standardise | knn(14) | distance(1, from=nearest) | exp(cardinality=log2(15)) | union | match(rational, cross_entropy)", (two_blobs(30, 4).array() + 1e9).matrix());
  const Fit plain = run_text("k-means", (two_blobs(30, 4).array() + 1e9).matrix());
  for (const Fit* one : {&fit, &plain}) {
    const Fit read = reloaded(*one, true).fit;
    for (std::size_t s = 0; s < one->kept.size(); ++s)
      for (const auto& [name, values] : one->kept[s].arrays())
        for (Eigen::Index c = 0; c < values->cols(); ++c) {
          const double spread = values->col(c).maxCoeff() - values->col(c).minCoeff();
          EXPECT_LE((read.kept[s].array(name).col(c) - values->col(c)).cwiseAbs().maxCoeff(), 1e-6 * spread) << name;
        }
  }
}

TEST_F(SmallerFit, CompactNumbersAreWithinHalfAStep) {
  Matrix points(120, 3);
  points << two_blobs(60, 3), Vector::Constant(120, 4.25);
  const Fit fit = run_text("umap", points);
  const Fit read = reloaded(fit, true).fit;
  for (Eigen::Index c = 0; c < 3; ++c) {
    const double step = (points.col(c).maxCoeff() - points.col(c).minCoeff()) / 255;
    EXPECT_LE((read.data->features->col(c) - points.col(c)).cwiseAbs().maxCoeff(), step / 2 + 1e-12);
  }
  EXPECT_LE((read.kept.back().array("points") - *fit.result.points).cwiseAbs().maxCoeff(), 1e-6 * fit.result.points->cwiseAbs().maxCoeff());
  const auto size = std::filesystem::file_size(path_);
  reloaded(fit, false);
  EXPECT_LT(size, std::filesystem::file_size(path_));
}

TEST_F(SmallerFit, WholeNumbersUpTo255PassUnchanged) {
  Matrix points = (40 * two_blobs(30, 4)).array().round().abs().min(255);
  points(0, 0) = 255;
  EXPECT_EQ(*reloaded(run_text("umap", points), true).fit.data->features, points);
}

TEST_F(SmallerFit, DamagedLevelsAreRefused) {
  const Fit fit = run_text("umap", two_blobs(30, 4));
  reloaded(fit, true);
  const io::Safetensors good = io::read_safetensors(path_);
  io::Safetensors file = good;
  file.tensors.erase("features.step");
  io::write_safetensors(path_, file);
  expect_fault(Fault::input, "expected the tensor \"features.step\", found none", [&] { load_fit(path_, recipes::all_stages()); });
  file = good;
  file.tensors["features.step"].bytes.assign(file.tensors["features.step"].bytes.size(), static_cast<char>(0xff));
  io::write_safetensors(path_, file);
  expect_fault(Fault::input, "expected finite levels and steps of at least 0", [&] { load_fit(path_, recipes::all_stages()); });
  file = good;
  file.tensors["features.low"] = good.tensors.at("stage.4.points");
  io::write_safetensors(path_, file);
  expect_fault(Fault::input, "levels of each column", [&] { load_fit(path_, recipes::all_stages()); });
}

}  // namespace
}  // namespace calor::pipeline

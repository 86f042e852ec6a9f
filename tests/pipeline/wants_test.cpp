// What pipelines ask of their data, and that data without it are refused before anything runs.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "calor/io/safetensors.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/model.h"
#include "calor/pipeline/wants.h"
#include "labelled.h"

namespace calor::pipeline {
namespace {

Wants wants(const std::string& text) { return wants_of(bind_stages(recipes::resolve(text, {}), recipes::all_stages())); }

TEST(Wants, AreThoseOfAllStagesNestedOnesToo) {
  EXPECT_EQ(wants("mds"), Wants::nothing);
  EXPECT_EQ(wants("standardise(deviation) | distance(2) | exp(auto) | row | apply"), Wants::nothing);
  EXPECT_EQ(wants("knn(5) | indicator | row | repeat(restart(0.2, side=left))"), Wants::nothing);
  EXPECT_EQ(wants("distance(2) | exp(perplexity=3) | row | apply"), Wants::nothing);
  for (const char* text : {"standardise(loo) | distance(2) | exp(1) | row | apply", "distance(2, to=train) | exp(loo) | row | apply",
                           "knn(5, to=train) | indicator | row | apply", "distance(2) | exp(2) | two_side(loo, of=keys) | row | apply",
                           "dot(to=train) | exp(1) | row | apply", "cosine(to=train) | exp(1) | row | apply", "kernel(rbf, to=train) | row | apply"})
    EXPECT_EQ(wants(text), Wants::labels) << text;
  for (const char* text : {"knn-classifier", "propagator", "label-spreading", "knn(5) | indicator | row | repeat(restart(0.2))"})
    EXPECT_EQ(wants(text), Wants::classes) << text;
  for (const char* text : {"knn-regressor", "nadaraya-watson", "propagator-regressor"}) EXPECT_EQ(wants(text), Wants::values) << text;
  EXPECT_EQ(wants("pagerank"), Wants::graph);
  EXPECT_EQ(wants("adjacency | mean | row | repeat(restart(0.2)) | vote"), Wants::graph);
}

TEST(Wants, MeasuredValuesAreNoClasses) {
  auto data = measured(random_points(40, 2, 3));
  data->targets[7] = std::numeric_limits<double>::quiet_NaN();
  const std::string use = "found labels that are measured values: use knn-regressor, nadaraya-watson or propagator-regressor, which average them";
  for (const bool hidden : {false, true}) {
    if (hidden) mark_training(*data, 0.5, 0);
    for (const char* text : {"knn-classifier", "propagator", "label-spreading", "knn(3) | indicator | row | vote"})
      expect_fault(Fault::input, fmt::format("[{}] expected classes, {}", std::string_view(text) == "label-spreading" ? "restart" : "vote", use),
                   [&] { run_text(text, data); });
    expect_fault(Fault::input, "repeat(restart(0.2)) | average\n                                    ^^^^^^^^^^^^",
                 [&] { run_text("knn(3) | indicator | row | repeat(restart(0.2)) | average", data); });
  }
}

TEST(Wants, ClassesAndLabelsThatAreMissingAreNamed) {
  const Matrix x = random_points(20, 2, 4);
  auto none = data_of_points(x);
  none->labels.assign(20, -1);
  none->classes = {"a", "b"};
  for (const char* text : {"knn-classifier", "propagator", "distance(2, to=train) | exp(1) | row | apply"}) {
    expect_fault(Fault::input, "expected labelled training rows, found none: name the label column with --label", [&] { run_text(text, x); });
    expect_fault(Fault::input, "expected labelled training rows, found none: name the label column with --label", [&] { run_text(text, none); });
  }
  none->labels.assign(20, 2);
  expect_fault(Fault::input, "[vote] expected labels below 2, found 2", [&] { run_text("knn(3) | indicator | row | vote", none); });
}

TEST(Wants, AWalkOverPointsHasNoClasses) {
  expect_fault(Fault::usage, "[vote] expected labels, found the distribution of a random walk",
               [] { run_text("knn(3) | indicator | row | repeat(restart(0.2, side=left)) | vote", three_clouds(30)); });
}

TEST(Wants, AFitThatLostItsLabelsIsNoClassifier) {
  const std::string path = (std::filesystem::temp_directory_path() / "calor_wants_test.safetensors").string();
  SavedFit saved;
  saved.pipeline = "knn(3, to=train) | indicator | row | vote";
  saved.fit = run_text(saved.pipeline, three_clouds(30));
  save_fit(path, saved);
  EXPECT_NO_THROW(load_fit(path, recipes::all_stages()));
  io::Safetensors content = io::read_safetensors(path);
  content.tensors.erase("labels");
  io::write_safetensors(path, content);
  expect_fault(Fault::input, "expected labelled training rows, found none", [&] { load_fit(path, recipes::all_stages()); });
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace calor::pipeline

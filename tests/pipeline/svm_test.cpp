// The stage weigh and its recipes: what it is given and what it says, new points, and libsvm's model files, read and written by libsvm itself.
// The solver is compared with libsvm's in engine/support_vectors_test.cpp, the recipes with scikit-learn in test_svm.py.
#include <gtest/gtest.h>
#include <libsvm/svm.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include "calor/engine/passes.h"
#include "calor/engine/points.h"
#include "calor/io/output.h"
#include "calor/pipeline/model.h"
#include "support.h"

namespace calor::pipeline {
namespace {

std::shared_ptr<Data> blobs(std::int64_t rows, std::int64_t classes, std::uint64_t seed) {
  Matrix points = random_points(rows, 3, seed);
  auto data = data_of_points(Matrix());
  data->targets.resize(rows);
  for (std::int64_t c = 0; c < classes; ++c) data->classes.push_back(std::to_string(c));
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t c = (7 * i + i / 3) % classes;
    points(i, c % 3) += c < 3 ? 2 : -2;
    data->labels.push_back(c);
    data->targets[i] = points(i, 0) * points(i, 1);
  }
  data->features = std::make_shared<const Matrix>(std::move(points));
  return data;
}

std::shared_ptr<Data> sparse_of_data(const Data& dense) {
  auto data = std::make_shared<Data>(dense);
  data->sparse = std::make_shared<const io::SparseMatrix>(sparse_of(*dense.features));
  data->features = std::make_shared<const Matrix>(dense.rows(), 0);
  return data;
}

bool says(const State& state, const std::string& part) {
  return std::any_of(state.notes.begin(), state.notes.end(), [&](const Note& note) { return note.text.find(part) != std::string::npos; });
}

const char* const machines[] = {"svm", "svm-regressor", "one-class-svm", "kernel(rbf) | weigh(svm, probabilities=platt) | vote", "kernel(linear) | weigh(svm, class_weights=balanced) | vote",
                                "kernel(poly, gamma=0.3) | weigh(svr, C=2) | average", "kernel(sigmoid, gamma=0.05, offset=-0.2) | weigh(svm, C=0.5) | vote",
                                "distance(2) | exp(4) | two_side(1) | weigh(svm, C=100) | vote"};

// What is known of a row: its scores, or the decision.
Matrix answer(const State& state) { return state.type == types::prediction ? state.scores : *state.field; }

TEST(Weigh, ANewPointThatIsARowOfTheFitHasItsBitsAloneAndAmongOthers) {
  for (const std::int64_t classes : {2, 4}) {
    const auto data = blobs(130, classes, 3);
    for (const char* text : machines) {
      const Fit fit = run_text(text, data);
      const Matrix all = answer(place(fit, data->features, Context()));
      EXPECT_LE(relative_difference(all, answer(fit.result)), std::string(text).find("two_side") == std::string::npos ? 0 : 1e-9) << text;
      for (const Eigen::Index i : {0, 77, 129}) EXPECT_EQ(answer(place(fit, std::make_shared<const Matrix>(data->features->row(i)), Context())), all.row(i)) << text;
      const Fit sparse = run_text(text, sparse_of_data(*data));
      EXPECT_LT(relative_difference(answer(place(sparse, data->features, Context())), all), 5e-3) << text;  // each as close to the optimum as the tolerance
    }
  }
}

TEST(Weigh, FiguresAndNamesAreTheMachines) {
  const auto data = blobs(90, 3, 4);
  const State state = run_text("kernel(rbf, gamma=0.4) | weigh(svm) | vote", data).result;
  EXPECT_EQ(state.figures.at("gamma"), 0.4);
  EXPECT_GT(state.figures.at("support_vectors"), 0);
  ASSERT_EQ(state.series.at("offset").size(), 3U);
  EXPECT_EQ(state.decision_pairs, (std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 1}, {0, 2}, {1, 2}}));
  ASSERT_EQ(state.decisions.cols(), 3);
  for (Eigen::Index i = 0; i < 90; ++i) {
    Vector votes = Vector::Zero(3);
    const auto [a, b, c] = std::array{state.decisions(i, 0) > 0 ? 0 : 1, state.decisions(i, 1) > 0 ? 0 : 2, state.decisions(i, 2) > 0 ? 1 : 2};
    votes[a] += 1, votes[b] += 1, votes[c] += 1;
    EXPECT_LT((state.scores.row(i).transpose() - votes / 3).cwiseAbs().maxCoeff(), 1e-15);
  }
}

// Hidden labels have no part in the machine: it is that of the labelled rows alone.
TEST(Weigh, OnlyLabelledTrainingRowsGetWeights) {
  const auto whole = blobs(120, 2, 5);
  auto hidden = std::make_shared<Data>(*whole), part = std::make_shared<Data>(*whole);
  hidden->train.assign(120, 1);
  for (std::size_t i = 80; i < 120; ++i) hidden->train[i] = 0;
  hidden->labels[79] = -1;
  part->features = std::make_shared<const Matrix>(whole->features->topRows(79));
  part->labels.resize(79);
  part->targets = Vector(whole->targets.head(79));
  for (const char* text : {"kernel(rbf, gamma=0.5) | weigh(svm) | vote", "kernel(rbf, gamma=scale) | weigh(svm, probabilities=platt) | vote"}) {
    hidden->train[79] = 0;
    const Fit fit = run_text(text, hidden), alone = run_text(text, part);
    EXPECT_EQ(fit.result.scores, place(alone, whole->features, Context()).scores) << text;
  }
}

TEST(Weigh, ProbabilitiesAddUpAndFavourTheRightClass) {
  const auto data = blobs(150, 4, 6);
  const State state = run_text("kernel(rbf) | weigh(svm, probabilities=platt) | vote", data).result;
  double right = 0;
  for (Eigen::Index i = 0; i < 150; ++i) {
    EXPECT_NEAR(state.scores.row(i).sum(), 1, 1e-12);
    EXPECT_GT(state.scores.row(i).minCoeff(), 0);
    right += std::log(state.scores(i, data->labels[static_cast<std::size_t>(i)]));
  }
  EXPECT_GT(right / 150, std::log(0.5));  // by chance: log(0.25)
}

TEST(Weigh, SaysWhatItCannotServe) {
  const auto data = blobs(60, 2, 7);
  const auto refuses = [&](const char* text, const char* part) { expect_fault(Fault::usage, part, [&] { run_text(text, data); }); };
  refuses("distance(2) | exp(1) | row | weigh(svm) | vote", "[weigh] expected a similarity that is equal both ways");
  refuses("knn(5) | distance(2) | exp(1) | weigh(svm) | vote", "put mean or union before it");
  refuses("distance(2) | weigh(svm) | vote", "[weigh] expected similarities, found minus distances");
  refuses("kernel(rbf, to=train) | weigh(svm) | vote", "[weigh] expected");
  refuses("kernel(rbf) | weigh(svr) | vote", "found values: use average in the place of vote");
  refuses("kernel(rbf) | weigh(svm) | average", "[average] expected values");
  auto unlabelled = std::make_shared<Data>(*data);
  unlabelled->labels.clear();
  unlabelled->targets.resize(0);
  expect_fault(Fault::input, "labelled training rows", [&] { run_text("svm", unlabelled); });
  EXPECT_EQ(run_text("one-class-svm", unlabelled).result.field->rows(), 60);
}

TEST(Weigh, SaysWhenItIsNotAtItsOptimum) {
  auto data = blobs(80, 2, 8);
  data->features = std::make_shared<const Matrix>(*data->features * 1e4);  // not scaled
  const State cut = run_text("kernel(linear) | weigh(svm, C=1000, max_iterations=500) | vote", data).result;
  EXPECT_TRUE(says(cut, "not converged: after 500 steps"));
  EXPECT_TRUE(says(cut, "standardise"));
  EXPECT_TRUE(cut.scores.allFinite());
  EXPECT_TRUE(says(run_text("svm", data).result, "each row alone"));
  const State sigmoid = run_text("kernel(sigmoid, gamma=1, offset=-1) | weigh(svm) | vote", blobs(80, 2, 8)).result;
  EXPECT_TRUE(says(sigmoid, "not positive semidefinite"));
  EXPECT_FALSE(says(run_text("svm", blobs(80, 2, 8)).result, "not positive semidefinite"));
}

// A graph's similarity, its diagonal with it, is a kernel like another.
TEST(Weigh, OnANeighbourGraph) {
  const auto data = blobs(120, 3, 9);
  const State state = run_text("knn(10) | distance(2) | exp(2) | mean | weigh(svm) | vote", data).result;
  std::int64_t right = 0;
  for (Eigen::Index i = 0; i < 120; ++i) {
    Eigen::Index best = 0;
    state.scores.row(i).maxCoeff(&best);
    right += best == data->labels[static_cast<std::size_t>(i)];
  }
  EXPECT_GT(right, 80);
}

class ModelFile : public ::testing::Test {
 protected:
  std::string path_ = (std::filesystem::temp_directory_path() / ("calor-svm-" + std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + std::to_string(getpid()) + ".model")).string();
  ~ModelFile() override { std::filesystem::remove(path_); }
};

std::vector<svm_node> nodes_of(const Matrix& points, Eigen::Index i) {
  std::vector<svm_node> row;
  for (Eigen::Index c = 0; c < points.cols(); ++c) row.push_back({static_cast<int>(c + 1), points(i, c)});
  row.push_back({-1, 0});
  return row;
}

using Model = std::unique_ptr<svm_model, void (*)(svm_model*)>;
void release(svm_model* one) { svm_free_and_destroy_model(&one); }

// libsvm on our file, and we on our own file and on libsvm's, decide as the fit does.
TEST_F(ModelFile, OfLibsvmIsReadAndWritten) {
  for (const std::int64_t classes : {2, 4})
    for (const char* text : machines) {
      if (std::string(text).find("two_side") != std::string::npos) continue;
      SCOPED_TRACE(testing::Message() << text << ", " << classes << " classes");
      const auto data = blobs(90, classes, 10);
      const Fit fit = run_text(text, data);
      save_fit(path_, {fit, print(fit.stages), "", "", "", {}, {}});
      const Model model(svm_load_model(path_.c_str()), release);
      ASSERT_NE(model, nullptr);
      const Matrix fresh = random_points(20, 3, 11);
      const auto points = std::make_shared<const Matrix>(fresh);
      const State expected = place(fit, points, Context());
      EXPECT_LT(relative_difference(answer(place(load_fit(path_, recipes::all_stages()).fit, points, Context())), answer(expected)), 1e-9);
      for (Eigen::Index i = 0; i < 20; ++i) {
        std::vector<double> decided(16), probabilities(16);
        const double label = svm_predict_values(model.get(), nodes_of(fresh, i).data(), decided.data());
        if (model->param.svm_type != C_SVC) {
          EXPECT_NEAR(decided[0], answer(expected)(i, 0), 1e-9);
          continue;
        }
        for (Eigen::Index m = 0; m < expected.decisions.cols(); ++m) EXPECT_NEAR(decided[static_cast<std::size_t>(m)], expected.decisions(i, m), 1e-9);
        if (svm_check_probability_model(model.get())) {
          svm_predict_probability(model.get(), nodes_of(fresh, i).data(), probabilities.data());
          for (int c = 0; c < model->nr_class; ++c) EXPECT_NEAR(probabilities[static_cast<std::size_t>(c)], expected.scores(i, model->label[c]), 1e-6);
        } else {
          EXPECT_GE(expected.scores(i, static_cast<Eigen::Index>(label)), expected.scores.row(i).maxCoeff() - 1e-12);
        }
      }
      ASSERT_EQ(svm_save_model(path_.c_str(), model.get()), 0);
      EXPECT_LT(relative_difference(answer(place(load_fit(path_, recipes::all_stages()).fit, points, Context())), answer(expected)), 1e-6);  // eight digits of the points
    }
}

TEST_F(ModelFile, SaysWhatIsWrongWithIt) {
  const auto data = blobs(60, 2, 12);
  const Fit fit = run_text("distance(2) | exp(2) | weigh(svm) | vote", data);
  expect_fault(Fault::usage, "for a libsvm model", [&] { save_fit(path_, {fit, "", "", "", "", {}, {}}); });
  auto named = std::make_shared<Data>(*data);
  named->classes = {"no", "yes"};
  expect_fault(Fault::usage, "whole numbers for a libsvm model, found \"no\"", [&] { save_fit(path_, {run_text("svm", named), "", "", "", "", {}, {}}); });
  const std::string good = "svm_type c_svc\nkernel_type rbf\ngamma 0.5\nnr_class 2\ntotal_sv 2\nrho 0.1\nlabel 1 -1\nnr_sv 1 1\nSV\n1 1:0.5 3:1\n-1 2:1\n";
  const auto expect_wrong = [&](const std::string& from, const std::string& to, const std::string& part) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    io::write_file(path_, text);
    expect_fault(Fault::input, part, [&] { load_fit(path_, recipes::all_stages()); });
  };
  io::write_file(path_, good);
  EXPECT_EQ(load_fit(path_, recipes::all_stages()).fit.data->columns(), 3);
  expect_wrong("kernel_type rbf", "kernel_type precomputed", "linear, polynomial, rbf or sigmoid");
  expect_wrong("svm_type c_svc", "svm_type forest", "c_svc, nu_svc, one_class");
  expect_wrong("gamma 0.5", "gamma -0.5", "a kernel's parameters");
  expect_wrong("gamma 0.5\n", "", "1 numbers after gamma");
  expect_wrong("rho 0.1", "rho nan", "a number");
  expect_wrong("nr_sv 1 1", "nr_sv 1 2", "total_sv");
  expect_wrong("nr_class 2", "nr_class 3", "numbers after");
  expect_wrong("label 1 -1", "label 1 1", "different labels");
  expect_wrong("-1 2:1\n", "", "2 support vectors");
  expect_wrong("1:0.5 3:1", "3:1 1:0.5", "ascending index:value");
  expect_wrong("3:1", "3:x", "a number");
  expect_wrong("SV\n1 1:0.5 3:1\n-1 2:1\n", "", "after SV");
}

}  // namespace
}  // namespace calor::pipeline

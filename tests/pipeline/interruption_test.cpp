// Every long stage says how far it is and stops soon after it is told to: the stop comes with the first report of one kind of work, and
// of the reports that would follow, only those of pieces already begun may come.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "calor/core/error.h"
#include "support.h"

namespace calor::pipeline {
namespace {

struct LongWork {
  std::string what, pipeline;
  std::int64_t rows;
  std::string name() const {
    std::string text = what;
    std::replace(text.begin(), text.end(), ' ', '_');
    return text;
  }
};

void PrintTo(const LongWork& work, std::ostream* out) { *out << work.pipeline; }

class Interruption : public ::testing::TestWithParam<LongWork> {};

TEST_P(Interruption, StopsWithinAPieceOfWork) {
  const LongWork& work = GetParam();
  const auto data = data_of_points(random_points(work.rows, 3, 1));
  StopFlag stop;
  std::atomic<int> all{0}, late{0};
  Context context;
  context.threads = 2;
  context.stop = &stop;
  const auto run = [&] { return fit(bind_stages(parse(work.pipeline), recipes::all_stages()), data, 0, context); };
  context.progress = [&](double done, double total, std::string_view what) {
    EXPECT_GE(done, 0);
    EXPECT_GT(total, 0);
    if (what == work.what) ++all;
  };
  try {
    run();
  } catch (const Error& error) {
    ASSERT_EQ(error.fault(), Fault::convergence) << error.what();  // max_iterations=.. below: enough to see
  }
  ASSERT_GT(all, 8) << "too little work to tell whether it stopped";
  context.progress = [&](double, double, std::string_view what) {
    if (stop.requested()) ++late;
    else if (what == work.what) stop.request();
  };
  try {
    run();
    ADD_FAILURE() << "ran to its end";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::interrupted) << error.what();
  }
  EXPECT_TRUE(stop.requested());
  EXPECT_LE(late, std::max(3, all / 10)) << "of " << all << " reports";
}

INSTANTIATE_TEST_SUITE_P(
    LongStages, Interruption,
    ::testing::Values(LongWork{"nearest neighbours", "knn(5)", 3000}, LongWork{"pairs within reach", "radius(0.3)", 3000},
                      LongWork{"bandwidth", "distance(2) | exp(auto)", 3000}, LongWork{"perplexity", "distance(2) | exp(perplexity=10)", 800},
                      LongWork{"row sums", "distance(2) | exp(1) | row", 3000}, LongWork{"flow", "distance(2) | exp(1) | apply", 3000},
                      LongWork{"values", "distance(1) | double_center", 1500}, LongWork{"shortest paths", "knn(5) | distance(1) | geodesic", 600},
                      LongWork{"local weights", "knn(5) | local_weights", 6000},
                      LongWork{"eigenvectors", "distance(2) | exp(1) | row | eigen(5)", 400},
                      LongWork{"repeat", "repeat(distance(2) | exp(0.3) | row | apply, max_iterations=30)", 200},
                      LongWork{"centres", "centres(3) | assign", 300}, LongWork{"best", "centres(2) | distance(2, to=data) | best(column)", 3000},
                      LongWork{"heat", "distance(2) | exp(1) | row | heat(5)", 200},
                      LongWork{"implicit", "distance(2) | exp(1) | row | implicit(5)", 200},
                      LongWork{"expand", "knn(5) | distance(2) | exp(1) | row | expand(12)", 200}),
    [](const auto& test) { return test.param.name(); });

// A descent that is told to stop gives the map that it has.
TEST(Interruption, KeepsTheMapOfADescent) {
  const auto data = data_of_points(random_points(120, 3, 1));
  for (const std::string text : {"distance(1) | match(distance, stress{})", "knn(9) | distance(2) | exp(perplexity=3) | row | mean | global | match(student, kl{})",
                                 "distance(2) | exp(perplexity=5) | row | match(gaussian, kl{})",
                                 "knn(9) | distance(1, from=nearest) | exp(cardinality=3.3) | union | match(rational, cross_entropy{})"}) {
    const auto run = [&](const std::string& more, const Context& context) {
      return fit(bind_stages(parse(fmt::format(fmt::runtime(text), more)), recipes::all_stages()), data, 0, context).result;
    };
    StopFlag stop;
    Context context;
    context.stop = &stop;
    int steps = 0;
    context.progress = [&](double, double, std::string_view what) {
      if ((what == "stress" || what == "descent") && ++steps == 7) stop.request();
    };
    const State kept = run("", context);
    EXPECT_EQ(steps, 7) << text;
    EXPECT_TRUE(kept.interrupted) << text;
    ASSERT_FALSE(kept.notes.empty());
    EXPECT_NE(kept.notes.back().text.find("interrupted"), std::string::npos);
    EXPECT_TRUE(kept.points->allFinite());
    const State whole = run("", Context());
    EXPECT_FALSE(whole.interrupted);
    EXPECT_NE(*kept.points, *whole.points) << text;
    // The same as of a descent of so many steps; umap's are shorter the nearer the end is.
    if (text.find("rational") == std::string::npos) {
      EXPECT_EQ(*kept.points, *run(", max_iterations=7", Context()).points) << text;
    }
  }
}

}  // namespace
}  // namespace calor::pipeline

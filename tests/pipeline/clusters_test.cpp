// Clusters that are counted have rows: numbered 0, 1, ... without gaps where the points are at fewer places than clusters were asked for.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support.h"

namespace calor::pipeline {
namespace {

Matrix at_places(std::int64_t rows, std::int64_t places) {
  const Matrix at = random_points(places, 2, 9);
  Matrix points(rows, 2);
  for (std::int64_t i = 0; i < rows; ++i) points.row(i) = 3 * at.row(i % places);
  return points;
}

const char* const texts[] = {"centres(10) | repeat(distance(2, to=data) | best(column) | row | apply) | assign", "centres(10, max_iterations=0) | assign",
                             "cluster(10)"};

TEST(Clusters, AreThosePlacesThatThereAre) {
  for (const char* text : texts)
    for (const std::int64_t places : {1, 2, 6}) {
      const Matrix points = at_places(36, places);
      const Fit fit = run_text(text, points);
      const std::vector<std::int64_t>& labels = fit.result.labels;
      const std::set<std::int64_t> different(labels.begin(), labels.end());
      EXPECT_EQ(static_cast<std::int64_t>(different.size()), places) << text;
      EXPECT_EQ(*different.begin(), 0) << text;
      EXPECT_EQ(*different.rbegin(), places - 1) << text;
      for (std::size_t i = 0; i < labels.size(); ++i) EXPECT_EQ(labels[i], labels[i % static_cast<std::size_t>(places)]) << text;
      ASSERT_EQ(fit.result.notes.size(), 1u) << text;
      EXPECT_EQ(fit.result.notes[0].text, fmt::format("{} of the 10 clusters {} rows: the data have only {} different place{}", places,
                                                      places == 1 ? "has" : "have", places, places == 1 ? "" : "s"));
      // New points meet the same clusters, and no others.
      EXPECT_EQ(place(fit, fit.data->features, Context()).labels, labels) << text;
      const State far = place(fit, std::make_shared<const Matrix>(Matrix::Constant(1, 2, -50.0)), Context());
      EXPECT_LT(far.labels[0], places) << text;
    }
}

TEST(Clusters, OfPlacesEnoughAreAllThere) {
  for (const char* text : texts) {
    const Fit fit = run_text(text, random_points(200, 2, 4));
    EXPECT_EQ(*std::max_element(fit.result.labels.begin(), fit.result.labels.end()), 9) << text;
    EXPECT_TRUE(fit.result.notes.empty()) << text;
  }
}

}  // namespace
}  // namespace calor::pipeline

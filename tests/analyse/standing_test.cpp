// The standing of methods against one: means and differences by hand, Holm's adjustment by its definition.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "calor/analyse/standing.h"
#include "calor/analyse/statistics.h"

namespace calor::analyse {
namespace {

TEST(Standing, IsSortedAndPairedWithTheReference) {
  const auto rows = standing("ours", {{"low", "baseline", {0.5, 0.6, 0.7, 0.5, 0.6, 0.7}},
                                      {"ours", "propagator", {0.9, 0.8, 0.9, 0.8, 0.9, 0.8}},
                                      {"same", "attention", {0.9, 0.8, 0.9, 0.8, 0.9, 0.8}}});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["name"], "ours");
  EXPECT_TRUE(rows[0]["difference"].is_null());
  EXPECT_EQ(rows[1]["name"], "same");
  EXPECT_EQ(rows[1]["difference"], 0);
  EXPECT_EQ(rows[1]["p"], 1);
  EXPECT_EQ(rows[2]["kind"], "baseline");
  EXPECT_NEAR(rows[2]["difference"].get<double>(), 0.25, 1e-12);
  EXPECT_NEAR(rows[2]["p"].get<double>(), 2.0 / 64, 1e-12);       // six differences of one sign
  EXPECT_NEAR(rows[2]["p_holm"].get<double>(), 4.0 / 64, 1e-12);  // the smaller of two
  EXPECT_LT(rows[2]["low"].get<double>(), 0.25);
  EXPECT_TRUE(standing("nobody", {{"low", "baseline", {0.5}}}).empty());
  EXPECT_TRUE(standing("ours", {{"ours", "propagator", {0.5}}, {"low", "baseline", {0.25}}})[1]["low"].is_null()) << "one seed has no interval";
}

}  // namespace
}  // namespace calor::analyse

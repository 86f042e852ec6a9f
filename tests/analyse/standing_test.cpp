// The standing of methods against one: means and differences by hand, Holm's adjustment by its definition.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "calor/analyse/standing.h"
#include "calor/analyse/statistics.h"

namespace calor::analyse {
namespace {

TEST(Standing, IsSortedAndPairedWithTheReference) {
  const auto rows = standing("ours", {{"low", Method::baseline, {0.5, 0.6, 0.7, 0.5, 0.6, 0.7}, {}},
                                      {"ours", Method::propagator, {0.9, 0.8, 0.9, 0.8, 0.9, 0.8}, {}},
                                      {"same", Method::attention, {0.9, 0.8, 0.9, 0.8, 0.9, 0.8}, {}}});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["name"], "ours");
  EXPECT_TRUE(rows[0]["difference"].is_null());
  EXPECT_EQ(rows[1]["name"], "same");
  EXPECT_EQ(rows[1]["difference"], 0);
  EXPECT_EQ(rows[1]["p"], 1);
  EXPECT_EQ(rows[0]["kind"], "propagator");
  EXPECT_EQ(rows[1]["kind"], "attention");
  EXPECT_EQ(rows[2]["kind"], "baseline");
  EXPECT_NEAR(rows[2]["difference"].get<double>(), 0.25, 1e-12);
  EXPECT_NEAR(rows[2]["p"].get<double>(), 2.0 / 64, 1e-12);       // six differences of one sign
  EXPECT_NEAR(rows[2]["p_holm"].get<double>(), 4.0 / 64, 1e-12);  // the smaller of two
  EXPECT_LT(rows[2]["low"].get<double>(), 0.25);
  EXPECT_TRUE(standing("ours", {}).empty());
  EXPECT_TRUE(standing("ours", {{"ours", Method::propagator, {0.5}, {}}, {"low", Method::baseline, {0.25}, {}}})[1]["low"].is_null()) << "one seed has no interval";
}

TEST(Standing, WithoutTheReferenceIsAgainstTheBest) {
  const auto rows = standing("gone", {{"low", Method::baseline, {0.5, 0.5}, {}}, {"best", Method::baseline, {0.9, 0.8}, {}}});
  EXPECT_EQ(rows[0]["name"], "best");
  EXPECT_TRUE(rows[0]["p"].is_null());
  EXPECT_NEAR(rows[1]["difference"].get<double>(), 0.35, 1e-12);
}

// Eight seeds and two comparisons: the smallest p is 2 x 2 / 256.
TEST(Standing, SaysWhoBeatsWhomAndWhatCannotBeTold) {
  const std::vector<double> own{0.90, 0.91, 0.92, 0.90, 0.91, 0.92, 0.90, 0.91};
  std::vector<double> low, high, alike;
  for (std::size_t i = 0; i < own.size(); ++i) {
    low.push_back(own[i] - 0.05 - 0.001 * static_cast<double>(i));
    high.push_back(own[i] + 0.05 + 0.001 * static_cast<double>(i));
    alike.push_back(own[i] + (i % 2 ? 0.001 : -0.001) * static_cast<double>(i + 1));
  }
  const auto text = [&](std::size_t seeds, const std::vector<double>& other) {
    const auto first = [&](const std::vector<double>& values) { return std::vector<double>(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(seeds)); };
    return standing_text(standing("ours", {{"ours", Method::propagator, first(own), {}}, {"SVM", Method::baseline, first(other), {}}, {"like", Method::baseline, first(alike), {}}}),
                         static_cast<std::int64_t>(seeds));
  };
  EXPECT_NE(text(8, low).find("ours beats SVM (p < 0.05 after Holm)"), std::string::npos) << text(8, low);
  EXPECT_NE(text(8, low).find("no difference seen between ours and like ("), std::string::npos) << text(8, low);
  EXPECT_NE(text(8, high).find("SVM is better than ours (p < 0.05 after Holm)"), std::string::npos) << text(8, high);
  EXPECT_EQ(text(8, high).find("ours beats"), std::string::npos);
  EXPECT_NE(text(5, low).find("no test is possible with 5 seeds: over 2 comparisons the smallest p would be 0.12"), std::string::npos) << text(5, low);
  EXPECT_EQ(text(5, low).find("beats"), std::string::npos);
}

TEST(Chosen, CountsSeedsMostFrequentFirst) {
  const Chosen raw{"as it is", {{"C", 10.0}, {"noise", std::nullopt}}}, scaled{"standardised", {{"C", 10.0}, {"noise", 0.3}}};
  EXPECT_EQ(chosen_text({raw, scaled, scaled}), "standardised 2x, as it is 1x; C 10; noise 0.3 2x, none 1x");
  EXPECT_EQ(chosen_text({raw}), "as it is; C 10; noise none");
  EXPECT_EQ(chosen_text({}), "");
  EXPECT_EQ(chosen_json({raw})[0], nlohmann::json({{"preprocessing", "as it is"}, {"C", 10.0}, {"noise", nullptr}}));
  EXPECT_EQ(text_of({"SVM", true, "60000 training rows"}), "SVM: left out, 60000 training rows");
}

}  // namespace
}  // namespace calor::analyse

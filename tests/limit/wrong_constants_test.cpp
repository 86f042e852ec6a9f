// The rows can fail: each closed form is replaced by a plausible wrong one, and the rows that depend on it must say so, while those
// that do not stay as they are.  The right constants pass, so that a failure is the constant's.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "calor/limit/laboratory.h"

namespace calor::limit {
namespace {

std::vector<std::string> failed(const std::string& group, const ClosedForms& theory) {
  Settings settings;
  settings.theory = theory;
  settings.seeds = 3;
  settings.queries = 200;
  std::vector<std::string> names;
  for (const Row& row : run({group}, settings, Context()))
    if (!row.pass) names.push_back(row.name + ": " + verdict(row));
  return names;
}

bool disagrees(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name + ": disagrees") != names.end();
}

using Names = std::vector<std::string>;

class RightConstants : public testing::TestWithParam<const char*> {};

TEST_P(RightConstants, pass) { EXPECT_EQ(failed(GetParam(), {}), Names()); }

INSTANTIATE_TEST_SUITE_P(groups, RightConstants,
                         testing::Values("gaussian1", "step", "conformal", "minimiser", "attention", "minimiser-set", "heads"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(WrongConstants, drift_without_its_factor_2) {
  ClosedForms theory;
  theory.drift = [](double alpha) { return 1 - alpha; };
  const Names names = failed("gaussian1", theory);
  EXPECT_EQ(names, (Names{"gaussian1 bias order: disagrees", "gaussian1 drift coefficient, alpha 0: disagrees",
                          "gaussian1 drift coefficient, alpha 0.5: disagrees"}));  // at alpha = 1 both say 0
  EXPECT_TRUE(disagrees(failed("step", theory), "step remainder order"));
  EXPECT_TRUE(disagrees(failed("attention", theory), "dot-product attention remainder order, r = 1"));
}

TEST(WrongConstants, alpha_off_by_one) {
  for (const double shift : {1.0, -1.0}) {
    ClosedForms theory;
    theory.drift = [=](double alpha) { return 2 * (1 - (alpha + shift)); };
    const Names names = failed("gaussian1", theory);
    for (const char* alpha : {"0", "0.5", "1"}) EXPECT_TRUE(disagrees(names, std::string("gaussian1 drift coefficient, alpha ") + alpha));
  }
}

TEST(WrongConstants, capacity_inverted) {
  ClosedForms theory;
  theory.capacity = [](double density, int dimension) { return std::pow(density, 4.0 / (dimension - 2)); };
  EXPECT_EQ(failed("conformal", theory), (Names{"heat equation order, n = 3: disagrees", "heat capacity's power of p, n = 3: disagrees"}));
}

TEST(WrongConstants, conductivity_p_instead_of_its_square) {
  ClosedForms theory;
  theory.conserved_power = 1;
  EXPECT_EQ(failed("conformal", theory), (Names{"conserved power of p, n = 2: disagrees", "conserved power of p, n = 3: disagrees"}));
}

TEST(WrongConstants, step_of_eps_instead_of_its_half) {
  ClosedForms theory;
  theory.step = 1;
  const Names names = failed("step", theory);
  EXPECT_TRUE(disagrees(names, "step remainder order"));
  EXPECT_TRUE(disagrees(names, "step length"));
  EXPECT_TRUE(disagrees(failed("heads", theory), "two heads remainder order"));
}

TEST(WrongConstants, metric_scaled_the_other_way) {
  ClosedForms theory;
  theory.metric_power = 2;
  EXPECT_EQ(failed("step", theory), Names{"step under a scaled metric: disagrees"});
}

TEST(WrongConstants, third_derivatives_dropped) {
  ClosedForms theory;
  theory.third_derivatives = 0;
  const Names names = failed("minimiser", theory);
  for (const std::string score : {"bent distance", "no distance"})
    for (const std::string n : {"2", "3"}) {
      EXPECT_TRUE(disagrees(names, score + " remainder order, n = " + n));
      EXPECT_TRUE(disagrees(names, score + " third derivatives, n = " + n));
    }
}

TEST(WrongConstants, jump_time_without_the_query) {
  ClosedForms theory;
  theory.jump_time = [](double, double) { return 1.0; };
  EXPECT_EQ(failed("attention", theory).size(), 6u);
}

TEST(WrongConstants, weight_of_the_minimiser_set_dropped) {
  ClosedForms theory;
  theory.set_power = 0;
  EXPECT_EQ(failed("minimiser-set", theory), (Names{"ellipse of minimisers order: disagrees", "ellipse of minimisers weight's power: disagrees"}));
}

}  // namespace
}  // namespace calor::limit

// Methods of any kind side by side: each against one of them, over the same seeds.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace calor::analyse {

struct Contender {
  std::string name, kind;        // kind: "propagator", "attention", "baseline"
  std::vector<double> accuracy;  // one a seed, the same seeds in the same order for all
};

// An array, the best mean first: {"name", "kind", "accuracy_mean", "accuracy_sd", "difference", "low", "high", "p", "p_holm"}.  difference:
// mean of reference - it with Student's 95 % interval; p: Wilcoxon's signed-rank test, p_holm adjusted over all rows; null in the
// reference's own row and where a number does not exist.  Differences within 1e-9 count as equal.  The first contender of the
// reference's name is meant; an empty array without one.
nlohmann::json standing(const std::string& reference, const std::vector<Contender>& contenders);

}  // namespace calor::analyse

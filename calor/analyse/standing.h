// Methods of any kind side by side: each against one of them, over the same seeds.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "calor/analyse/chosen.h"

namespace calor::analyse {

struct Contender {
  std::string name;
  Method kind = Method::baseline;
  std::vector<double> accuracy;  // one per seed, the same seeds in the same order for all
  std::vector<Chosen> chosen;    // one per seed, or none
};

// An array, the best mean first: {"name", "kind", "accuracy_mean", "accuracy_sd", "difference", "low", "high", "p", "p_holm", "chosen"}.
// difference: mean of reference - it with Student's 95 % interval; p: Wilcoxon's signed-rank test, p_holm adjusted over all rows; null in the
// reference's own row and where a number does not exist.  Differences within 1e-9 count as equal.  The reference is the first contender of
// that name; without one, the best.
nlohmann::json standing(const std::string& reference, const std::vector<Contender>& contenders);

// A standing in words: the means, whom the reference beats or is beaten by after Holm's correction, and whom it was not told apart from; or
// that no test could tell with so few seeds.
std::string standing_text(const nlohmann::json& standing, std::int64_t seeds);

}  // namespace calor::analyse

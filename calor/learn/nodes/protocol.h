// How networks are trained on the nodes of a graph; recorded with every result.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace calor::learn {

// What is done to features before a network sees them.  rows: each row over its sum, as citation data sets are used; standardised: each column
// to mean 0 and variance 1 over all nodes, whose features are known though their classes are not; automatic: rows where no feature is negative and
// most are 0, else standardised.
enum class FeatureScale { automatic, rows, standardised, untouched };
std::string_view name_of(FeatureScale scale);
FeatureScale parse_feature_scale(std::string_view name);  // throws Fault::usage

struct NodeProtocol {
  std::int64_t epochs = 200;
  std::int64_t patience = 0;  // epochs without a better validation after which training ends; 0: never
  std::vector<double> learning_rates{0.1, 0.01}, weight_decays{5e-4, 5e-5};  // each network takes what validates best
  std::int64_t per_class = 20;  // training nodes of a class, where the data have no split of their own
  FeatureScale features = FeatureScale::automatic;
};

// Throws Fault::usage: "[protocol] expected ..., found ...".
void validate(const NodeProtocol& protocol);

}  // namespace calor::learn

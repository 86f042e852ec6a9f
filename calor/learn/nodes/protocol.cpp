#include "calor/learn/nodes/protocol.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "calor/core/error.h"

namespace calor::learn {

static constexpr std::array<std::pair<std::string_view, FeatureScale>, 4> scales{
    {{"auto", FeatureScale::automatic}, {"rows", FeatureScale::rows}, {"standardised", FeatureScale::standardised}, {"untouched", FeatureScale::untouched}}};

std::string_view name_of(FeatureScale scale) {
  for (const auto& [name, known] : scales)
    if (known == scale) return name;
  return "";
}

FeatureScale parse_feature_scale(std::string_view name) {
  for (const auto& [known, scale] : scales)
    if (known == name) return scale;
  fail(Fault::usage, "[protocol] expected --feature-scale auto, rows, standardised or untouched, found {}", name);
}

void validate(const NodeProtocol& protocol) {
  const auto at_least_one = [](const char* what, std::int64_t found) { require(found >= 1, Fault::usage, "[protocol] expected {} of at least 1, found {}", what, found); };
  at_least_one("--epochs", protocol.epochs);
  at_least_one("--per-class", protocol.per_class);
  require(protocol.patience >= 0, Fault::usage, "[protocol] expected --patience of at least 0, found {}", protocol.patience);
  require(!protocol.learning_rates.empty() && !protocol.weight_decays.empty(), Fault::usage, "[protocol] expected a learning rate and a weight decay, found none");
  for (const double rate : protocol.learning_rates) require(rate > 0 && std::isfinite(rate), Fault::usage, "[protocol] expected a learning rate above 0, found {}", rate);
  for (const double decay : protocol.weight_decays) require(decay >= 0 && std::isfinite(decay), Fault::usage, "[protocol] expected a weight decay of at least 0, found {}", decay);
}

}  // namespace calor::learn

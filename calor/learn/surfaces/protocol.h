// How networks are trained on surfaces; recorded with every result.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

namespace calor::learn {

struct SurfaceProtocol {
  std::int64_t epochs = 50;      // each shows every training surface once, in a new order
  double learning_rate = 1e-3;   // Adam's; it falls to 0 along a half cosine
  double weight_decay = 0;       // coupled
  double label_smoothing = 0.2;  // DiffusionNet's
  double test_share = 0.2;       // of the surfaces, where none are given to test on
};

// Throws Fault::usage: "[protocol] expected ..., found ...".
void validate(const SurfaceProtocol& protocol);

void to_json(nlohmann::json& json, const SurfaceProtocol& protocol);

}  // namespace calor::learn

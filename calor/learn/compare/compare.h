// The comparison of networks over seeds on one data set: an EXPERIMENT of docs/formats/compare.md.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/dataset.h"
#include "calor/learn/rows/protocol.h"

namespace calor::learn {

struct CompareOptions {
  Protocol protocol;
  std::vector<std::string> attentions = {"self", "l2", "metric", "uniform"};
  std::vector<std::string> networks = {};  // beside them: names or texts of networks on rows (network_learner)
  int seeds = 10;
  std::uint64_t base_seed = 0;  // seeds are base_seed, base_seed + 1, ...
  bool baselines = true;
  bool choose_preprocessing = true;  // each network its own; false: standardised features.  Unused where the protocol does not standardise
};

// Trains every attention with every seed, side by side over context.threads workers of one torch thread each; same bits
// for any number of workers (seconds excepted).  A seed decides the split (unless `test` is given), the weights and the
// batches; for the drawn data set "moons" also the points.
// Throws Fault::usage for options (seeds < 1, unknown attention with the nearest name, a repeated one), Fault::input for
// data, Fault::memory, Fault::interrupted.
nlohmann::json compare(const io::Dataset& data, const std::optional<io::Dataset>& test, const CompareOptions& options,
                       const Context& context);

}  // namespace calor::learn

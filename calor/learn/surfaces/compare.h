// The comparison of networks on surfaces over seeds: an EXPERIMENT of docs/formats/compare.md.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/surface_set.h"
#include "calor/learn/network/mode_store.h"
#include "calor/learn/surfaces/protocol.h"

namespace calor::learn {

struct CompareSurfacesOptions {
  std::vector<std::string> pipelines;  // names of networks, or texts
  int seeds = 10;
  std::uint64_t base_seed = 0;
  bool baselines = true;               // surface-mlp, to which each triangle or point is alone
  SurfaceProtocol protocol;
  std::shared_ptr<const ModeStore> modes;  // where modes are kept from run to run; null: nowhere
};

// Trains every network with every seed, side by side over context.threads workers; same bits for any number of workers (seconds excepted).  A seed decides the weights, the
// dropout, the order of the surfaces, and without `test` which of them are tested on.  Throws Fault::usage, Fault::input, Fault::memory, Fault::interrupted.
nlohmann::json compare_surfaces(const io::SurfaceSet& set, const std::optional<io::SurfaceSet>& test, const CompareSurfacesOptions& options, const Context& context);

}  // namespace calor::learn

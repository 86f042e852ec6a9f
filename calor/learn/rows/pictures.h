// What a report draws of one trained network: its similarity matrices and, for two features, its decision regions.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "calor/learn/data/seed_data.h"
#include "calor/learn/rows/row_network.h"

namespace calor::learn {

// One entry of "similarity" in docs/formats/compare.md for each layer: the softmax among the kept training tokens on at
// most 120 of them, sorted by class, rows renormalised over those.
nlohmann::json similarity_pictures(const RowNetwork& network, const std::string& attention, std::uint64_t seed, const RunData& points);

// An entry of "regions": a grid of 60 x 60 points over the data, each attending to the training tokens and to itself.
// Rows of the matrices run along y.  Two features only.  `map`: what the network's points went through; `points`: those.
nlohmann::json region_picture(const RowNetwork& network, const std::string& attention, std::uint64_t seed, const SeedData& data, const PointMap& map,
                              const RunData& points);

}  // namespace calor::learn

// The document of a comparison of networks on nodes or on surfaces: an EXPERIMENT of docs/formats/compare.md.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "calor/analyse/comparison.h"
#include "calor/model/networks.h"

namespace calor::learn {

struct NetworkExperiment {
  std::string name;                     // of the data
  std::string control;                  // the network of uniform attention
  std::vector<model::Network> networks;
  std::vector<analyse::RunRecord> records;  // of each network with each seed
  std::vector<analyse::BaselineRecord> baselines;
  std::vector<double> class_sizes;      // labelled rows of each class
  std::uint64_t base_seed = 0;
  int seeds = 0;
  nlohmann::json data, protocol;        // what stands there beside the fields that all have
};

nlohmann::json document_of(const NetworkExperiment& experiment);

}  // namespace calor::learn

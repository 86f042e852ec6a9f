// Between a network in training and the plain numbers that a file holds.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "calor/learn/rows/model_file.h"
#include "calor/learn/rows/row_network.h"

namespace calor::learn {

// The stages of the whole network.
std::string network_text(const Model& model);

std::map<std::string, Weight> weights_of(const RowNetwork& network);

// The network that `model` describes, with its weights.  Throws Fault::input: "[model] ..." for a missing, superfluous or
// misshapen weight, or one that is not finite.
std::unique_ptr<RowNetwork> network_of(const Model& model);

}  // namespace calor::learn

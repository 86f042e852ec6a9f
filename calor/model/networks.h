// The named networks, and how a network's text becomes stages.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calor/model/stages.h"
#include "calor/recipes/recipes.h"

namespace calor::model {

// Every named network, in the order in which they are shown.
std::span<const recipes::Recipe> all_networks();

const recipes::Recipe* find_network(std::string_view name);

// A network: its short name, its text in full, and its stages.
struct Network {
  std::string name, text;
  std::vector<pipeline::BoundStage> stages;
  pipeline::Wants wants = pipeline::Wants::nothing;  // of its stages: a graph, or a mesh
  bool edge_features = false;                        // whether a score takes features of the edges
};

// A name ("gat"), a text, or a name with settings ("gat dropout.p=0.3 heads=4"): with parameters and settings put in, bound.  Before a colon, what it is to be called ("wide: gat heads=16").
// Throws Fault::usage: an unknown name with the nearest; a text with a caret under the stage that does not fit; one whose last map has another
// width than `classes`.
Network network_of(std::string_view text);

// Such a text with settings put in ("heads=4", "dropout.p=0.3"): a name has them behind it ("gat heads=4"), a text of stages has them in its stages.  Throws Fault::usage for what
// is no setting of its.
std::string with_settings(std::string_view text, const std::vector<std::string>& settings);

// Several to be compared.  Throws Fault::usage also for none, and for one that is there twice.
std::vector<Network> networks_of(const std::vector<std::string>& texts);

}  // namespace calor::model

// What is trained on the rows of a table: a network of the grammar (calor/model), and the name that it is shown by.
//
// With an attention, it is the information propagation network of Ruan and Zhang 2024 (arXiv 2412.18288; readings in docs/protocols.md):
//
//   linear(WIDTH) | bias | tanh | layers(LAYERS, residual(ATTENTION | linear(WIDTH)) | tanh) | linear(classes) | bias
//
// whose width, layers, residual and temperature are the protocol's.  Rows are its tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calor/learn/rows/protocol.h"
#include "calor/learn/rows/similarity.h"
#include "calor/model/networks.h"

namespace calor::learn {

struct Learner {
  std::string name;      // short, for tables and legends
  std::string pipeline;  // of the attention, or of the whole network
  std::optional<Similarity> attention;  // none: the pipeline is the network

  // protocol: resolved.
  model::Network network(const Protocol& protocol) const;
};

// A similarity's short name or pipeline (parse_similarity).
Learner attention_learner(std::string_view text);

// A network's name, with settings or without, or its stages (model::network_of).  Throws Fault::usage also for one that wants a graph or a mesh.
Learner network_learner(std::string_view text);

// What an attention learner would be with these words, where the network is an information propagation network: its files are then those of any other, and can be inspected.
struct Propagation {
  Similarity attention;
  std::int64_t width = 0, layers = 0;
  bool residual = true;
};
std::optional<Propagation> propagation_of(const model::Network& network);

// The protocol for all of these: resolved, with the width and no layers where none is an attention (they are the networks' own).
Protocol resolve(const Protocol& protocol, const std::vector<Learner>& learners, std::int64_t training_rows, std::int64_t columns, std::int64_t classes);

// For a protocol without layers (without_propagation), where no attention is left: the plain network that stands beside others.
Learner plain_learner();

}  // namespace calor::learn

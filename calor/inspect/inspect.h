// Everything that the inspector measures of a model's heads on given tokens (docs/inspect.md; theory: section 5 of the design).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/inspect/defects.h"
#include "calor/inspect/flow.h"
#include "calor/inspect/jump.h"
#include "calor/inspect/lipschitz.h"
#include "calor/inspect/model.h"
#include "calor/inspect/modes.h"

namespace calor::inspect {

struct HeadReport {
  std::int64_t layer = 0, head = 0;  // counted from 1
  Defects defects;
  std::optional<NullDefects> null;
  Flow flow;
  std::optional<SphereJump> sphere;
  std::optional<double> metric_epsilon;
  Modes modes;                       // of the head without its causal mask
  // What one step leaves of the part of the tokens that lies in the slow modes, relative to all: the contraction that the spectrum
  // predicts, a lower bound up to non-normality.  Nothing for causal heads, whose S has its own weights for eigenvalues.
  std::optional<double> predicted_contraction;
  Lipschitz lipschitz;
};

// The model's state before each layer, and after the last one.
struct LayerReport {
  double rank = 0;       // exp of the entropy of the centred state's squared singular values
  double spread = 0;     // ||H - mean|| / ||H||: 0 when all tokens are equal
  double bare = 0;       // the spread if nothing but the mean head's bare step had acted since the first layer
};

struct Inspection {
  std::string model, tokens;          // kind; where the tokens come from
  std::int64_t count = 0, width = 0, layers = 0, heads = 0;
  bool causal = false;
  std::vector<std::string> names;     // one per token, or empty
  std::vector<HeadReport> reports;    // by layer, then head
  std::vector<LayerReport> states;    // layers + 1 of them, or one for a mapping, which has no forward pass
};

struct InspectOptions {
  std::int64_t layer = 0, head = 0;   // counted from 1; 0: all
  std::int64_t modes = 12, triples = 20000;
  std::uint64_t seed = 0;
};

// Throws Fault::usage for a layer or head that the model does not have, Fault::input for fewer than two tokens or values that are not
// finite, Fault::memory.  Same bits for any number of threads.
Inspection inspect(const Model& model, const Tokens& tokens, const InspectOptions& options, const Context& context);

// Bytes that a head of these sizes takes at most, beside the model and its activations.
std::uint64_t memory_for_head(std::int64_t tokens, std::int64_t width, std::int64_t features, std::int64_t values, const InspectOptions& options, int threads);

// The document of docs/inspect.md, kind "inspect"; numbers that do not exist are null.
nlohmann::json to_json(const Inspection& inspection);

}  // namespace calor::inspect

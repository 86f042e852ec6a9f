// The similarity of a layer: a pipeline in the grammar of calor/pipeline that begins with a learned score.
//
//   score(qk|additive|l2|metric|uniform) | exp | one or more of row, column, two_side(alpha), sinkhorn | apply
//
// exp(b) divides the score by b, exp(auto) and exp(learned) are the temperatures "data" and "learn", and a plain exp is what
// the protocol says.  Which scores there are, with their parameters and features, stands in one table (score_kind.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "calor/engine/normaliser.h"
#include "calor/learn/rows/protocol.h"

namespace calor::learn {

using engine::Normaliser;

struct Similarity {
  std::string name;   // short, for tables and legends: "metric", "metric two_side(1)", "self sinkhorn"
  std::string text;   // the pipeline in full, as the grammar prints it
  std::string score;  // "metric": a name in the table of scores
  std::optional<Temperature> temperature;  // none: the protocol's
  double bandwidth = 1;                    // of exp(b)
  std::vector<Normaliser> normalise;       // without those that change nothing: two_side(0)
};

// "row", "two_side(1)", "sinkhorn": its usual parameter left out.
std::string text_of(const Normaliser& step);

// A short name ("self" for score(qk) | exp | row | apply, "l2", "metric", "uniform") or a pipeline's text.
// Throws Fault::usage: an unknown name with the nearest; a pipeline with a caret under the stage that does not fit, the
// reason, and what can be learned.
Similarity parse_similarity(std::string_view text);

// "self", "l2", "metric", "uniform", in the order of tables and colours; the last is the control.
const std::vector<std::string>& similarity_names();

}  // namespace calor::learn

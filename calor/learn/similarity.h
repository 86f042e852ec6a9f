// The similarity of a layer as a pipeline: "score(metric) | exp | row | apply".
//
// Which scores there are, with their parameters and features, stands in one table (score.h); the layer knows none of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace calor::learn {

// A parsed pipeline of a layer.
struct Similarity {
  std::string name;   // "metric": its short name, or the pipeline's text
  std::string score;  // "metric": a name in the table of scores
  std::string text() const;  // "score(metric) | exp | row | apply"
};

// The short name of a similarity ("self", "l2", "metric", "uniform") or a pipeline text, white space free.
// Throws Fault::usage: an unknown name with the nearest; a pipeline with a caret under the stage that does not fit.
Similarity parse_similarity(std::string_view text);

// "self", "l2", "metric", "uniform", in the order of tables and colours; the last is the control.
const std::vector<std::string>& similarity_names();

}  // namespace calor::learn

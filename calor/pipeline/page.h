// The documents of a run: what --json prints beside the result, and that of its report, with pictures in place of the result.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "calor/core/descent_observer.h"
#include "calor/core/progress.h"
#include "calor/pipeline/quality.h"
#include "calor/pipeline/run.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {

// How a fit came about.
struct Ran {
  std::string command, input_hash;
  std::uint64_t seed = 0;
  double seconds = 0;
  nlohmann::json read;  // what was read: {"line", "notes", ...}
};

// Everything but the result, the stages and the quality (docs/formats/run.md).
nlohmann::json run_document(const std::string& text, const Ran& ran, const State& state, const std::vector<Note>& remarks);

// What is drawn beside the state.
struct Pictured {
  std::string recipe;  // its name, or "the pipeline"
  std::string data;    // the data's name
  std::string label;   // the label column's name; "" without
  std::vector<std::string> row_names, feature_names;
};

// One entry per stage: {"text", "takes", "gives", "meaning", "citation", "depth"}; those of a repeated pipeline follow it, one deeper.
// With times (one per stage), also "seconds" and "processor_seconds" of those at depth 0.
nlohmann::json stages_json(const std::vector<BoundStage>& stages, const std::vector<StageTime>& times = {});

// `document` (with "quality", without "result") and "title", "summary", "data", "picture": docs/formats/run.md, "The report".
nlohmann::json page_document(nlohmann::json document, const State& state, const Known& known, const Pictured& pictured,
                             const Context& context);

// Of a run that goes on (docs/formats/run.md, "While it runs"): without "descent" and "picture", which it has none of yet.
nlohmann::json watch_document(const Pictured& pictured);

// Puts in what there is to see after a step.
void show_descent(nlohmann::json& document, const DescentState& state, const Known& known, const Pictured& pictured);

}  // namespace calor::pipeline

// The document of a report on calor run or calor apply: the --json document with pictures in place of the result.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/pipeline/quality.h"
#include "calor/pipeline/run.h"
#include "calor/pipeline/state.h"

namespace calor::app {

// What is drawn beside the state.
struct Pictured {
  std::string recipe;  // its name, or "the pipeline"
  std::string data;    // the data's name
  std::string label;   // the label column's name; "" without
  std::vector<std::string> row_names, feature_names;
};

// --report: an .html file that can be written and is none of the inputs.
void check_report(const std::string& report, const std::vector<std::string>& inputs);

// The name of a data file without folder and suffix; "standard input" for "-".
std::string data_name(const std::string& source);

// One entry per stage: {"text", "takes", "gives", "meaning", "citation", "depth"}; those of a repeated pipeline follow it, one deeper.
// With times (one per stage), also "seconds" and "processor_seconds" of those at depth 0.
nlohmann::json stages_json(const std::vector<pipeline::BoundStage>& stages, const std::vector<pipeline::StageTime>& times = {});

// `document` (with "quality", without "result") and "title", "summary", "data", "picture": docs/formats/run.md, "The report".
nlohmann::json page_document(nlohmann::json document, const pipeline::State& state, const pipeline::Known& known, const Pictured& pictured,
                             const Context& context);

}  // namespace calor::app

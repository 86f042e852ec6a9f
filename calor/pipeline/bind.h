// From text to something that can run: parameters put in, names looked up, values checked, types matched from stage to
// stage.  Nothing runs here; every refusal is Fault::usage with a caret, the reason and a remedy.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "calor/pipeline/stage.h"
#include "calor/pipeline/syntax.h"

namespace calor::pipeline {

// Replaces $name by its value, a text in the grammar ("15", "auto", "2 * 3").
Pipeline substitute(const Pipeline& pipeline, const std::map<std::string, std::string>& parameters);

// The number that a text in the grammar stands for ("2 * 3"); nothing for a word or a pipeline.  Throws Fault::usage for no value.
std::optional<double> constant_of(const std::string& text);

// Sets a parameter of every stage of one name, nested ones too: "knn.k=30".
Pipeline set_argument(const Pipeline& pipeline, const StageList& stages, std::string_view setting);

// The pipeline on a given similarity: what finds neighbours, scores and strengthens (support, initialise, strengthen) gives way to
// adjacency, without loops where a neighbour graph goes, which has none.  One that begins with adjacency stays.  Throws Fault::usage for
// a pipeline that does not strengthen there: it is about distances or points.
Pipeline begin_with_similarity(const Pipeline& pipeline, const StageList& stages);

// The stages with their arguments, for a pipeline that is given data; short forms are expanded.
std::vector<BoundStage> bind_stages(const Pipeline& pipeline, const StageList& stages);

// For one that is given a value of type `first`: what that value must be beyond its type, the stages check when they run.
std::vector<BoundStage> bind_stages(const Pipeline& pipeline, const StageList& stages, Types first);

}  // namespace calor::pipeline

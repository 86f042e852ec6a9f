// Words that are short for a stage around the stages that have them (Stage::short_word).
#pragma once

#include <string>
#include <vector>

#include "calor/pipeline/stage.h"
#include "calor/pipeline/syntax.h"

namespace calor::pipeline {

// The pipeline with its short forms written out: exp(loo), two_side(loo, of=keys) and standardise(loo) are tune(loo, parameters, pipeline),
// from the first of them to the last, with their parameters at the defaults.  Places stay those of the text.
std::vector<Call> expand(const std::vector<Call>& calls, const StageList& stages);

// Where what a stage keeps stands in the expanded pipeline: "<number of the stage>.<name>", of stages in other pipelines
// "<number>.<number>.<name>".  For files that were written with short forms.
std::string expanded_name(const std::vector<Call>& calls, const StageList& stages, const std::string& name);

}  // namespace calor::pipeline

// What a pipeline asks of its data beyond points: a graph, a surface, classes, or measured values.
#pragma once

#include <string_view>
#include <vector>

#include "calor/pipeline/stage.h"

namespace calor::pipeline {

struct Data;

// Of one stage, by its arguments.
Wants wants_of(const BoundStage& bound);

// Of all stages, those of nested pipelines too: the last in the order of the enumeration.
Wants wants_of(const std::vector<BoundStage>& stages);

// Throws Fault::input where the data do not have it: "[op] expected classes, found measured values: ...".
void require_wanted(Wants wants, const Data& data, std::string_view op);

// For every stage, with a caret under the one that asks.
void require_wanted(const std::vector<BoundStage>& stages, const Data& data);

}  // namespace calor::pipeline

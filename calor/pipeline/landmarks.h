// A fit of fewer rows, for placing new points: smaller on disk, and faster.
#pragma once

#include <cstdint>

#include "calor/pipeline/run.h"

namespace calor::pipeline {

// The fit with `count` of its rows, drawn at random by its seed (all where it has no more), one of each class at least, and only labelled ones where rows are
// labelled: new points are placed among these alone.  For pipelines whose stages keep nothing of the rows together: neighbours, match(student),
// (gaussian) and (rational), votes; not for spectra, geodesics, weights, or what was spread over a graph.  Throws Fault::usage for the others, naming the stage, and for
// too few landmarks to place a new point among.
Fit with_landmarks(const Fit& fit, std::int64_t count);

// What with_landmarks throws that is known before anything runs: by the stages, and by the data and the count.  Throws Fault::usage.
void require_landmarks(const std::vector<BoundStage>& stages);
void require_landmarks(const Data& data, std::int64_t count);

}  // namespace calor::pipeline

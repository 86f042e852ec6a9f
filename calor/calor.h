// Calor for C++: typed values and the stages as functions of them, pipelines by name or by text, and their fits.
//
//   const calor::Points points = calor::read_points("digits");
//   const calor::Embedding map = eigen(row(two_side(exp(distance(points, 2), "auto"), 1.0)), 2);
//   const calor::Fit fit = calor::Pipeline("isomap").fit(points);
//
// Link Calor::calor.  examples/ has a program for each way.
#pragma once

#include "calor/api/pipeline.h"
#include "calor/api/stages.h"
#include "calor/api/values.h"

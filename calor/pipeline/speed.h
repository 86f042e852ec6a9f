// How fast this machine is at the two things that stages are made of, measured, so that --explain can give a time.
#pragma once

#include "calor/core/progress.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {

struct Speed {
  double operations = 0;  // multiply-adds of products of points, a second
  double visits = 0;      // numbers fetched from memory by number, a second
};

// With the threads that kernels use.  Takes about 50 ms.
Speed measure_speed(const Context& context);

// Expected seconds of the work: right within a factor of about three where the stages' usual numbers of steps hold.
double expected_seconds(const Estimate& work, const Speed& speed);

}  // namespace calor::pipeline

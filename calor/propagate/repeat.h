// repeat(..) apart from what a repetition is.
#pragma once

#include <functional>

#include "calor/pipeline/state.h"

namespace calor::propagate {

// Calls step(), which changes the state, until the change is within the stage's tolerance; false where its repetitions do not suffice.  Leaves the
// figures and the series of a repeated stage.
bool settle(pipeline::State& state, const pipeline::Arguments& arguments, const Context& context, const std::function<void()>& step);

// Throws Fault::convergence: what it came to, and the remedy.
[[noreturn]] void fail_unsettled(const pipeline::Arguments& arguments, double changed);

}  // namespace calor::propagate

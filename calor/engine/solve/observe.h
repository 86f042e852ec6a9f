// How a descent shows its points to the context's observer (core/descent_observer.h).
#pragma once

#include "calor/core/descent_observer.h"
#include "calor/core/progress.h"
#include "calor/engine/matrix.h"

namespace calor::engine {

// Of the result, N x dims.
inline void show_result(const Context& context, DescentState state, const Matrix& points) {
  if (!context.observer) return;
  state.points = {points.data(), static_cast<std::size_t>(points.size())};
  state.dims = points.cols();
  context.observer->show(state);
}

// After a step: `points()` gives a copy, N x dims, and is called only where the observer is due.
template <class Points>
void show_step(const Context& context, const DescentState& state, const Points& points) {
  if (context.observer && context.observer->due()) show_result(context, state, points());
}

}  // namespace calor::engine

// Watching a descent: an observer is shown the points now and then, while they move.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace calor {

// A descent after some of its steps.
struct DescentState {
  std::int64_t step = 0, most_steps = 0;  // done, and the most that will be
  std::string_view loss_name = {};        // "kl", "stress"; "" where the descent does not compute its loss
  double loss = 0;                        // the latest that was computed: of the points after `loss_step` steps
  std::int64_t loss_step = 0;
  std::span<const double> points = {};    // N x dims, row by row; valid during the call
  std::int64_t dims = 0;
};

// Called by the thread that runs the descent, which waits: show() should be quick or seldom, and must not throw.  It sees only copies, so the
// result's bits are the same as without an observer.
class DescentObserver {
 public:
  virtual ~DescentObserver() = default;
  // Asked after every step: whether to show these points.
  virtual bool due() = 0;
  // Of a step that was due, and, asked or not, of the result.
  virtual void show(const DescentState& state) = 0;
};

}  // namespace calor

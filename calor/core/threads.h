// Threads: OpenMP underneath, one pool shared with torch.  Work is cut into pieces fixed by the problem, never by the
// number of threads, so results have the same bits for any number of them.
#pragma once

#include <cstdint>
#include <functional>

namespace calor {

// Processors this process may use (its affinity mask, then a container's quota where one is set).
int available_threads();

// Runs piece(i) for i = 0..pieces-1 on at most `threads` threads (0: all available).  Pieces are handed out in order,
// one at a time.  The first exception thrown is rethrown here after the running pieces end; pieces that have not begun
// by then are skipped.
void parallel_for(std::int64_t pieces, int threads, const std::function<void(std::int64_t)>& piece);

}  // namespace calor

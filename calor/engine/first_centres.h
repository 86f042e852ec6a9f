// Where k-means begins.
#pragma once

#include "calor/core/random.h"
#include "calor/engine/cloud.h"

namespace calor::engine {

// k of the points of all blocks, in the cloud's frame: each is drawn with probability proportional to the squared distance to those drawn before, the
// best of 2 + log k trials a draw (Arthur & Vassilvitskii 2007).  O(N k d log k).
Matrix first_centres(const Cloud& cloud, std::int64_t k, Random& random, const OtherBlocks& others, const Context& context);

}  // namespace calor::engine

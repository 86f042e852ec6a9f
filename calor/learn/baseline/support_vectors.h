// A support vector machine with a Gaussian kernel, as a contender: Cortes & Vapnik 1995, one against one, by libsvm's rules (engine/solve/support_vectors.h).
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/learn/baseline/contender.h"

namespace calor::learn {

// More training rows than this take longer than a baseline should.
inline constexpr std::int64_t most_support_rows = 20'000;

// Up to this many training rows every kernel value is computed once for all C of a gamma and stored, 8 bytes each; beyond, rows of the kernel are
// computed as they are needed.
inline constexpr std::int64_t most_stored_rows = 3000;

// C of 0.01 to 10,000 in tens and gamma of 0.01 to 30, about threefold, in parts of one over the sum of the columns' variances.
Contender support_vectors(const Context& context, std::int64_t stored_rows = most_stored_rows);

}  // namespace calor::learn

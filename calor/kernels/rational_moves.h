// The moves of UMAP's stochastic descent: sixteen points at once, each pulled by neighbours and pushed by points drawn at random.
#pragma once

#include <cstdint>

namespace calor::kernels {

inline constexpr std::int64_t move_lanes = 16;

// Similarity 1 / (1 + a d^(2 b)).
struct RationalMoves {
  const float* points = nullptr;    // [count][dims], as they stand: what the moving points see of the others
  std::int64_t count = 0, dims = 0;
  float a = 1, b = 1, push = 1;     // push: the weight of a point drawn
  float rate = 1;                   // of this epoch
  std::int64_t draws = 5;           // for each pull
  std::uint64_t seed = 0;
  std::uint32_t purpose = 0, epoch = 0;
};

// Moves the points `own` (their places in `places`, [dims][move_lanes]) through `steps` pulls, to tails[step][move_lanes] (-1: none), each
// followed by the draws; `pulled`, [step][dims][move_lanes], gets how far each pull moved its point, 0 where there is none.  Draw k of a step
// is word step * draws + k of the stream Random(seed, purpose, point + 2^32 epoch), times count, over 2^32; the point itself does not push.  No coordinate of a pull or a push is longer than 4, before the rate (umap-learn's).
struct MovingPoints {
  const std::int32_t* own = nullptr;
  const std::int32_t* tails = nullptr;
  std::int64_t steps = 0;
  float* places = nullptr;
  float* pulled = nullptr;
};

inline constexpr float longest_move = 4, near_square = 0.001F;  // a push is 2 b / ((near_square + d^2) (1 + a d^(2 b)))

}  // namespace calor::kernels

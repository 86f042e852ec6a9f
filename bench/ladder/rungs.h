// Attention of one head in seven steps, from three loops a product to the kernel: what each of its ideas is worth.  docs/engine.md explains them and
// has the table.  The rungs are written to be read: one head of `dim` numbers, whole tiles, no masks.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/kernels/workspace.h"

namespace calor::bench::ladder {

inline constexpr std::int64_t dim = 64, query_block = 96, key_block = 256;

// out = softmax(scale q k') v, and the gradients of a loss whose gradient for out is d_out.  All are rows x dim, one after the other, aligned to 64
// bytes; rows is a multiple of key_block.
struct Head {
  std::int64_t rows;
  float scale;
  const float *q, *k, *v, *d_out;
  float *out, *d_q, *d_k, *d_v;
  float* lse;  // rows numbers, for a rung to hand from forward to backward
};

// Memory beside inputs and results.  It is kept between runs, so that no rung is timed touching fresh pages.
class Scratch {
 public:
  float* take(std::int64_t count) {
    bytes_ += static_cast<std::uint64_t>(count) * sizeof(float);
    return workspace_.take<float>(count);
  }
  void clear() {
    workspace_.clear();
    bytes_ = 0;
  }
  std::uint64_t bytes() const { return bytes_; }  // taken since the last clear()

 private:
  kernels::Workspace workspace_;
  std::uint64_t bytes_ = 0;
};

struct Rung {
  const char* name;
  void (*run)(const Head& head, bool backward, Scratch& scratch);  // forward, and backward after it where asked
};

// Rungs 1 to 6, and one that is none: the sixth with the fourth taken back.  For one of Highway's targets.
std::vector<Rung> rungs(std::int64_t target);

}  // namespace calor::bench::ladder

// What an instruction set provides for dense layers (dense.h).
#pragma once

#include <cstdint>

#include "calor/kernels/dense.h"

namespace calor::kernels {

// C = A B with B and C by padded rows of `width` numbers, a whole number of the longest vectors, aligned to a cache line.
struct DenseProduct {
  const float* a = nullptr;
  std::int64_t a_stride = 0;  // between rows of A, or of its transpose where a function says so
  const float* b = nullptr;
  std::int64_t rows = 0, depth = 0, width = 0;
  float* c = nullptr;
};

struct DenseSteps {
  void (*multiply)(const DenseProduct& p);        // C = A B
  void (*add_transposed)(const DenseProduct& p);  // C += A' B
  // to[c] = f(from[c] + bias[c]) + added[c] for `count` numbers; bias and added may be null.
  void (*finish)(const float* from, const float* bias, const float* added, std::int64_t count, Activation activation, float* to);
  void (*through_tanh)(const float* y, const float* d_y, std::int64_t count, float* d);  // dense.h
  void (*add)(const float* from, std::int64_t count, float* to);                         // to += from
};

}  // namespace calor::kernels

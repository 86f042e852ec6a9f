// Register tiles of every shape, as the kernels' product has them, one instruction set's at a time.
#pragma once

#include <cstdint>
#include <vector>

namespace calor::bench::tiles {

struct Shape {
  int rows, vectors;
  std::int64_t lanes;  // floats of a vector
  // c[rows][vectors * lanes] = a b, a [rows][depth] and b [depth][vectors * lanes].
  void (*product)(const float* a, const float* b, std::int64_t depth, float* c);
};

// Of the instruction set that Highway numbers so; empty for one that was not compiled.
std::vector<Shape> shapes(std::int64_t target);

// Rows and vectors of the kernels' own tile there.
Shape chosen(std::int64_t target);

}  // namespace calor::bench::tiles

// Points in blocks of rows, each with an owner of its own, a process perhaps: what a function that has one block needs of the others.
#pragma once

#include <cstdint>

#include "calor/engine/matrix.h"

namespace calor::engine {

// The owners call these together, in the same order and with as many numbers each; what comes is the same for all.
class OtherBlocks {
 public:
  virtual ~OtherBlocks() = default;
  virtual std::int64_t own() const = 0;                  // which block is the caller's, from 0 in the order of the rows
  virtual Vector sums(const Vector& own) const = 0;      // each number added up over the blocks, in their order
  virtual Matrix each(const Vector& own) const = 0;      // the numbers of every block, a row each
};

// One block that has all rows.
const OtherBlocks& no_others();

}  // namespace calor::engine

// Helpers of a network's steps.
#pragma once

#include "calor/learn/network/flow.h"

namespace calor::learn {

// 0 or 1 / (1 - share), by the draws and the place: the same for any number of threads.
at::Tensor dropout_factors(at::IntArrayRef sizes, double share, const Draws& draws, std::size_t place);
std::uint64_t dropout_seed(const Draws& draws, std::size_t place);

// The features with all their zeros.
at::Tensor dense(const Flow& flow);

// The flow's similarity is this one, unless a stage has begun it already.  null: it is a learned one.
void begin_fixed(Flow& flow, const std::shared_ptr<const Support>& fixed);

// W x, for a weight [out, in].
at::Tensor mapped(const Flow& flow, const at::Tensor& weight);

}  // namespace calor::learn

// Cross-entropy over a large vocabulary, a slice of rows at a time: neither logits nor their gradient are ever held for all of a batch.
#pragma once

#include <ATen/core/Tensor.h>

#include "calor/learn/translation/linear.h"

namespace calor::learn {

// The sum over rows of the cross-entropy in nats of softmax(features embedding') against the wanted columns, of each of which the share `smoothing` is spread
// over all columns (Szegedy et al. 2016).  features: [n, width], embedding: [vocabulary, width], wanted: [n] int64.  Differentiable once with respect to
// features and embedding, whose gradients are made in the same pass.  O(n width vocabulary) operations, O(vocabulary (slice + width)) memory.
at::Tensor cross_entropy_sum(const at::Tensor& features, const at::Tensor& embedding, const at::Tensor& wanted, double smoothing, Products products = Products::whole);

}  // namespace calor::learn

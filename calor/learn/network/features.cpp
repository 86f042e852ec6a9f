#include "calor/learn/network/features.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include "bindings/torch/dense.h"
#include "calor/kernels/edges.h"

namespace calor::learn {

at::Tensor dropout_factors(at::IntArrayRef sizes, double share, const Draws& draws, std::size_t place) {
  constexpr std::int64_t together = 16;  // numbers drawn at a time
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) count *= size;
  const std::int64_t blocks = (count + together - 1) / together;
  const at::Tensor factors = at::empty({blocks * together}, at::kFloat);
  kernels::edge_dropout(blocks, together, share, dropout_seed(draws, place), factors.mutable_data_ptr<float>());
  return factors.narrow(0, 0, count).view(sizes);
}

std::uint64_t dropout_seed(const Draws& draws, std::size_t place) { return (draws.seed * 1000003 + draws.step) * 1009 + place; }

at::Tensor dense(const Flow& flow) {
  if (flow.x.defined()) return flow.x;
  const Support& s = *flow.sparse;
  const at::Tensor rows = at::zeros({s.rows, s.columns}, at::kFloat);
  const auto* begin = s.edges.begin.const_data_ptr<std::int64_t>();
  const auto* column = s.edges.column.const_data_ptr<std::int32_t>();
  const float* entries = flow.entries.const_data_ptr<float>();
  float* out = rows.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < s.rows; ++i)
    for (std::int64_t e = begin[i]; e < begin[i + 1]; ++e) out[i * s.columns + column[e]] = entries[e];
  return rows;
}

// W x; of sparse features their entries carry rows of W'.
at::Tensor mapped(const Flow& flow, const at::Tensor& weight) {
  if (flow.x.defined()) return torch_ops::dense_layer(flow.x, weight, {}, torch_ops::Activation::none);
  return torch_ops::edge_sums(flow.sparse->edges, flow.entries, weight.t().contiguous().unsqueeze(1)).squeeze(1);
}

void begin_fixed(Flow& flow, const std::shared_ptr<const Support>& fixed) {
  if (!fixed || flow.similarity.support) return;
  flow.similarity.support = fixed;
  flow.similarity.weights = fixed->values;
}

}  // namespace calor::learn

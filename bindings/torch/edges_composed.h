// The operators on edges by their definition, from differentiable torch operators, with the checks that both forms share.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string_view>
#include <tuple>

#include "bindings/torch/edges.h"

namespace calor::torch_ops {

using OptionalTensor = std::optional<at::Tensor>;
using TensorPair = std::tuple<at::Tensor, at::Tensor>;

// "dot", "squared_distance", "additive" or "joined".  Throws c10::ValueError for any other name.
kernels::EdgeScore edge_score_of(std::string_view name);
std::string_view name_of(kernels::EdgeScore score);

// Features of edges and their maps, as EdgeAttentionOptions has them.
struct EdgeFeatures {
  OptionalTensor features, key_map, value_map;
};

// Throw c10::ValueError (device and dtype: c10::TypeError) reading "[calor::edge_attention] expected ..., found ...".
void check_edge_attention(at::TensorList edges, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const OptionalTensor& scale, const OptionalTensor& bias,
                          const OptionalTensor& vector, std::string_view score, double dropout, const EdgeFeatures& by_edge);
void check_edge_sums(at::TensorList edges, const at::Tensor& weights, const at::Tensor& v);

// Memory O(edges heads dim).
TensorPair edge_attention_composed(at::TensorList edges, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const OptionalTensor& scale, const OptionalTensor& bias,
                                   const OptionalTensor& vector, std::string_view score, double slope, double dropout, std::int64_t seed, const OptionalTensor& features,
                                   const OptionalTensor& key_map, const OptionalTensor& value_map);
at::Tensor edge_sums_composed(at::TensorList edges, const at::Tensor& weights, const at::Tensor& v);

}  // namespace calor::torch_ops

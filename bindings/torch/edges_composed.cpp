#include "bindings/torch/edges_composed.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <array>
#include <limits>
#include <utility>

namespace calor::torch_ops {
namespace {

using kernels::EdgeScore;

constexpr std::array<std::pair<std::string_view, EdgeScore>, 4> names{
    {{"dot", EdgeScore::dot}, {"squared_distance", EdgeScore::squared_distance}, {"additive", EdgeScore::additive}, {"joined", EdgeScore::joined}}};

void check_edges(at::TensorList edges, const char* op) {
  TORCH_CHECK_VALUE(edges.size() == 5, "[calor::", op, "] expected the five tensors of a graph's edges, found ", edges.size(), ": make them with edges_by_column");
  for (const std::size_t i : {0, 1, 2, 3, 4}) {
    const bool narrow = i == 1 || i == 3;
    TORCH_CHECK_TYPE(edges[i].scalar_type() == (narrow ? at::kInt : at::kLong), "[calor::", op, "] expected edges of ", narrow ? "int32" : "int64", " in place ", i, ", found ",
                     edges[i].scalar_type());
    TORCH_CHECK_VALUE(edges[i].dim() == 1 && edges[i].is_contiguous(), "[calor::", op, "] expected contiguous edges of one dimension in place ", i, ", found ", edges[i].sym_sizes());
  }
}

void check_like(const at::Tensor& tensor, const at::Tensor& first, std::initializer_list<c10::SymInt> sizes, const char* op, const char* name) {
  TORCH_CHECK_TYPE(tensor.scalar_type() == first.scalar_type() && tensor.device() == first.device(), "[calor::", op, "] expected ", name, " of ", first.scalar_type(), " on ",
                   first.device(), ", found ", tensor.scalar_type(), " on ", tensor.device());
  TORCH_CHECK_VALUE(tensor.sym_sizes() == c10::SymIntArrayRef(sizes), "[calor::", op, "] expected ", name, " of ", c10::SymIntArrayRef(sizes), ", found ", tensor.sym_sizes());
}

void check_first(const at::Tensor& tensor, const char* op, const char* name) {
  TORCH_CHECK_TYPE(tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble, "[calor::", op, "] expected ", name, " of float32 or float64, found ",
                   tensor.scalar_type(), ": convert with .float()");
  TORCH_CHECK_VALUE(tensor.dim() == 3, "[calor::", op, "] expected ", name, " of three dimensions (nodes, heads, features), found ", tensor.sym_sizes());
}

// The row of each edge, and its column, as indices.
at::Tensor rows_of(at::TensorList edges) {
  const at::Tensor& begin = edges[0];
  const auto rows = begin.size(0) - 1;
  return at::repeat_interleave(at::arange(rows, begin.options()), begin.slice(0, 1) - begin.slice(0, 0, rows));
}
at::Tensor columns_of(at::TensorList edges) { return edges[1].to(at::kLong); }

}  // namespace

kernels::EdgeScore edge_score_of(std::string_view name) {
  for (const auto& [known, score] : names)
    if (known == name) return score;
  TORCH_CHECK_VALUE(false, "[calor::edge_attention] expected score \"dot\", \"squared_distance\", \"additive\" or \"joined\", found \"", name, "\"");
}

std::string_view name_of(EdgeScore score) { return names[static_cast<std::size_t>(score)].first; }

void check_edge_attention(at::TensorList edges, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const OptionalTensor& scale, const OptionalTensor& bias,
                          const OptionalTensor& vector, std::string_view score, double dropout, const EdgeFeatures& by_edge) {
  constexpr const char* op = "edge_attention";
  check_edges(edges, op);
  check_first(q, op, "q");
  const auto rows = edges[0].sym_size(0) - 1, columns = edges[2].sym_size(0) - 1, heads = q.sym_size(1), dim = q.sym_size(2);
  check_like(q, q, {rows, heads, dim}, op, "q");
  check_like(k, q, {columns, heads, dim}, op, "k");
  check_first(v, op, "v");
  check_like(v, q, {columns, heads, v.sym_size(2)}, op, "v");
  TORCH_CHECK_VALUE(heads > 0 && dim > 0 && v.sym_size(2) > 0, "[calor::edge_attention] expected at least one head and one feature, found ", q.sym_sizes(), " and ", v.sym_sizes());
  if (scale) check_like(*scale, q, {heads}, op, "scale");
  if (bias) check_like(*bias, q, {edges[1].sym_size(0), heads}, op, "bias");
  const EdgeScore kind = edge_score_of(score);
  TORCH_CHECK_VALUE((kind == EdgeScore::joined) == vector.has_value(), "[calor::edge_attention] expected a vector with score \"joined\" and with no other, found ",
                    vector ? "one" : "none", " with \"", score, "\"");
  if (vector) check_like(*vector, q, {heads, dim}, op, "vector");
  TORCH_CHECK_VALUE(kind != EdgeScore::additive || dim == 1, "[calor::edge_attention] expected q and k of one number a head with score \"additive\", found ", dim);
  const auto& [features, key_map, value_map] = by_edge;
  TORCH_CHECK_VALUE(features.has_value() == (key_map || value_map), "[calor::edge_attention] expected features of edges and a key_map or a value_map of them together, found one without the other");
  if (features) {
    TORCH_CHECK_VALUE(features->dim() == 2 && features->sym_size(1) > 0, "[calor::edge_attention] expected features of two dimensions (edges, edge_dim), found ", features->sym_sizes());
    const auto edge_dim = features->sym_size(1);
    check_like(*features, q, {edges[1].sym_size(0), edge_dim}, op, "features");
    if (key_map) check_like(*key_map, q, {heads, dim, edge_dim}, op, "key_map");
    if (value_map) check_like(*value_map, q, {heads, v.sym_size(2), edge_dim}, op, "value_map");
    TORCH_CHECK_VALUE(kind != EdgeScore::additive || !key_map, "[calor::edge_attention] expected no key_map with score \"additive\", found one: its bias is inside, give the map's numbers as bias");
  }
  TORCH_CHECK_VALUE(dropout >= 0 && dropout < 1, "[calor::edge_attention] expected dropout from 0 to below 1, found ", dropout);
}

void check_edge_sums(at::TensorList edges, const at::Tensor& weights, const at::Tensor& v) {
  constexpr const char* op = "edge_sums";
  check_edges(edges, op);
  check_first(v, op, "v");
  check_like(v, v, {edges[2].sym_size(0) - 1, v.sym_size(1), v.sym_size(2)}, op, "v");
  check_like(weights, v, {edges[1].sym_size(0), v.sym_size(1)}, op, "weights");
}

EdgeTensors edge_tensors(const at::Tensor& begin_, const at::Tensor& column_, std::int64_t columns) {
  const at::Tensor begin = begin_.to(at::kLong).contiguous(), column = column_.to(at::kInt).contiguous();
  TORCH_CHECK_VALUE(begin.dim() == 1 && begin.size(0) >= 1 && column.dim() == 1, "[calor::edges] expected starts and columns of one dimension, found ", begin.sizes(), " and ",
                    column.sizes());
  const std::int64_t rows = begin.size(0) - 1, edges = column.size(0);
  const auto* starts = begin.const_data_ptr<std::int64_t>();
  const auto* to = column.const_data_ptr<std::int32_t>();
  TORCH_CHECK_VALUE(starts[0] == 0 && starts[rows] == edges, "[calor::edges] expected starts from 0 to the number of edges, ", edges, ", found ", starts[0], " to ", starts[rows]);
  for (std::int64_t i = 0; i < rows; ++i)
    TORCH_CHECK_VALUE(starts[i] <= starts[i + 1], "[calor::edges] expected ascending starts, found ", starts[i], " before ", starts[i + 1], " in row ", i);
  for (std::int64_t e = 0; e < edges; ++e)
    TORCH_CHECK_VALUE(to[e] >= 0 && to[e] < columns, "[calor::edges] expected columns from 0 to ", columns - 1, ", found ", to[e], " for edge ", e);
  EdgeTensors result{begin, column, at::empty({columns + 1}, begin.options()), at::empty({edges}, column.options()), at::empty({edges}, begin.options())};
  kernels::edges_by_column(rows, columns, starts, to, result.reverse_begin.mutable_data_ptr<std::int64_t>(), result.reverse_row.mutable_data_ptr<std::int32_t>(),
                           result.reverse_edge.mutable_data_ptr<std::int64_t>());
  return result;
}

TensorPair edge_attention_composed(at::TensorList edges, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const OptionalTensor& scale, const OptionalTensor& bias,
                                   const OptionalTensor& vector, std::string_view score, double slope, double dropout, std::int64_t seed, const OptionalTensor& features,
                                   const OptionalTensor& key_map, const OptionalTensor& value_map) {
  check_edge_attention(edges, q, k, v, scale, bias, vector, score, dropout, {features, key_map, value_map});
  const at::Tensor row = rows_of(edges), column = columns_of(edges);
  const auto mapped = [&](const at::Tensor& map) { return features->matmul(map.flatten(0, 1).t()).unflatten(1, {map.size(0), map.size(1)}); };
  const at::Tensor query = q.index_select(0, row), neighbour = k.index_select(0, column), key = key_map ? neighbour + mapped(*key_map) : neighbour;
  at::Tensor scores;
  switch (edge_score_of(score)) {
    case EdgeScore::dot: scores = (query * key).sum(2); break;
    case EdgeScore::squared_distance: scores = (query - key).square().sum(2).neg(); break;
    case EdgeScore::joined: scores = (at::leaky_relu(query + key, slope) * *vector).sum(2); break;
    case EdgeScore::additive: {
      const at::Tensor sum = (query + key).squeeze(2);
      scores = at::leaky_relu(bias ? sum + *bias : sum, slope);
      break;
    }
  }
  if (scale) scores = scores * *scale;
  if (bias && edge_score_of(score) != EdgeScore::additive) scores = scores + *bias;
  const auto rows = q.size(0), heads = q.size(1);
  constexpr double nothing = -std::numeric_limits<double>::infinity();
  const at::Tensor index = row.unsqueeze(1).expand({-1, heads});
  at::Tensor greatest = at::full({rows, heads}, nothing, q.options()).scatter_reduce(0, index, scores.detach(), "amax");
  greatest = at::where(greatest == nothing, at::zeros({}, q.options()), greatest);
  const at::Tensor raised = (scores - greatest.index_select(0, row)).exp();
  const at::Tensor sums = at::zeros({rows, heads}, q.options()).index_add(0, row, raised);
  const at::Tensor positive = at::where(sums == 0, at::full({}, 1.0, q.options()), sums);
  at::Tensor weights = raised / positive.index_select(0, row);
  if (dropout > 0) {
    const at::Tensor kept = at::empty({row.size(0), heads}, q.options().dtype(at::kDouble));
    kernels::edge_dropout(row.size(0), heads, dropout, static_cast<std::uint64_t>(seed), kept.mutable_data_ptr<double>());
    weights = weights * kept.to(q.scalar_type());
  }
  const at::Tensor sent = v.index_select(0, column);
  const at::Tensor out = at::zeros({rows, heads, v.size(2)}, q.options()).index_add(0, row, weights.unsqueeze(2) * (value_map ? sent + mapped(*value_map) : sent));
  return {out, at::where(sums == 0, at::full({}, nothing, q.options()), greatest + positive.log())};
}

at::Tensor edge_sums_composed(at::TensorList edges, const at::Tensor& weights, const at::Tensor& v) {
  check_edge_sums(edges, weights, v);
  const at::Tensor row = rows_of(edges);
  return at::zeros({edges[0].size(0) - 1, v.size(1), v.size(2)}, v.options()).index_add(0, row, weights.unsqueeze(2) * v.index_select(0, columns_of(edges)));
}

}  // namespace calor::torch_ops

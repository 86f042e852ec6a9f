// Backward: the weights are formed again from the saved log-sum-exp, tile by tile.
#if defined(CALOR_KERNELS_HIGHWAY_BACKWARD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_BACKWARD_INL_H_
#undef CALOR_KERNELS_HIGHWAY_BACKWARD_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_BACKWARD_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numbers>

#include "calor/kernels/highway/pack-inl.h"
#include "calor/kernels/highway/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

HWY_NOINLINE bool pack_queries(const Head<float>& head, const KeySide& side, const AttentionBackward<float>& result,
                               std::int64_t begin, std::int64_t end, const QuerySide& to) {
  const AttentionParams<float>& p = head.params();
  const std::int64_t width = round_up(p.dim, lanes()), value_width = round_up(p.value_dim, lanes());
  Tameness tameness;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t row = head.index() * p.queries + i;
    float* q = to.queries + i * width;
    float* d_out = to.d_out + i * value_width;
    if (result.lse[row] == -std::numeric_limits<float>::infinity()) {  // sees nothing, whatever it holds
      std::fill_n(q, width, 0.0f);
      std::fill_n(d_out, value_width, 0.0f);
      to.lse[i] = std::numeric_limits<float>::infinity();
      to.through_row[i] = 0;
      continue;
    }
    pack_row(head.q(i), side.centre, side.fold, p.dim, width, q);
    copy_row(head.row(result.d_out, result.d_out_strides, i), p.value_dim, value_width, d_out);
    const double through_lse = result.d_lse ? result.d_lse[row] : 0;
    const float* out = head.row(result.out, result.out_strides, i);
    to.through_row[i] = static_cast<float>(through_lse - dot_in_double(d_out, out, p.value_dim));
    to.lse[i] = static_cast<float>((result.lse[row] - row_constant(side, head.q(i), p.dim)) * std::numbers::log2e);
    tameness.see(q, width);
    tameness.see(d_out, value_width);
    tameness.see(to.through_row + i, 1);
    tameness.see(to.lse + i, 1);
    fetch_row_to_write(head.row(result.d_q, result.d_q_strides, i), p.dim);
  }
  return tameness.tame();
}

// One block of keys in all the layouts that backward reads, and its gradients as they grow.
struct KeyBlock {
  // d_keys, d_values: a row a key, or, where their rows are narrow, a column, key_block numbers a row.
  float *columns, *rows, *value_columns, *d_keys, *d_values, *column_sums, *no_bias, *no_centre;
};

// gradients += tile' rows: of keys, from a tile of queries by keys and rows of the queries.
HWY_INLINE void add_to_keys(const float* tile, const TilePlace& at, const float* rows, std::int64_t width, std::int64_t dim, float* gradients) {
  if (is_narrow(dim)) product<Order::columns>({rows, width, tile, tile_stride, dim, at.rows, at.width}, Adding{gradients, key_block});
  else add_product<Order::columns>(tile, tile_stride, rows, width, at.keys, at.rows, gradients);
}

// The gradient of key n, as a row.
HWY_INLINE const float* row_of(const float* gradients, std::int64_t n, std::int64_t width, std::int64_t dim, float* HWY_RESTRICT row) {
  if (!is_narrow(dim)) return gradients + n * width;
  for (std::int64_t c = 0; c < dim; ++c) row[c] = gradients[c * key_block + n];
  return row;
}

HWY_INLINE void pack_key_block(const Head<float>& head, const KeySide& side, const AttentionBackward<float>& result, std::int64_t begin, std::int64_t end,
                               std::int64_t width, std::int64_t value_width, const KeyBlock& block) {
  const AttentionParams<float>& p = head.params();
  const std::int64_t panel = 2 * lanes();
  pack_key_columns(head, side, begin, end, block.columns);
  for (std::int64_t j = begin; j < end; ++j) {
    const std::int64_t n = j - begin;
    pack_row(head.k(j), side.centre, 1.0f, key_hidden(side, j) ? 0 : p.dim, width, block.rows + n * width);
    fetch_row_to_write(head.row(result.d_k, result.d_k_strides, j), p.dim);
    fetch_row_to_write(head.row(result.d_v, result.d_v_strides, j), p.value_dim);
    if (n % panel == 0)
      pack_panel(side, j, [&](std::int64_t key) HWY_ATTR { return head.v(key); }, block.no_centre, p.value_dim,
                 block.value_columns + n * p.value_dim);
  }
  std::fill_n(block.d_keys, is_narrow(p.dim) ? p.dim * key_block : (end - begin) * width, 0.0f);
  std::fill_n(block.d_values, is_narrow(p.value_dim) ? p.value_dim * key_block : (end - begin) * value_width, 0.0f);
  std::fill_n(block.column_sums, key_block, 0.0f);
}

// Writes the gradients of keys [begin, end); returns their part of d_scale.
HWY_INLINE double write_key_block(const Head<float>& head, const KeySide& side, const AttentionBackward<float>& result,
                                  std::int64_t begin, std::int64_t end, std::int64_t width, std::int64_t value_width,
                                  const KeyBlock& block, const Head<float>* ahead) {
  const AttentionParams<float>& p = head.params();
  double d_scale = 0;
  for (std::int64_t j = begin; j < end; ++j) {
    const std::int64_t n = j - begin;
    const float column_sum = block.column_sums[n];
    // Packed queries carry the fold, of which log2(e) is taken back; rows holds the centred key.
    const auto unfold = static_cast<float>(std::numbers::ln2);
    const auto own = static_cast<float>(2 * side.scale * side.norm * column_sum);
    const float* HWY_RESTRICT k = block.rows + n * width;
    float turned[max_dim], turned_value[max_dim];
    const float* HWY_RESTRICT sum = row_of(block.d_keys, n, width, p.dim, turned);
    float* HWY_RESTRICT d_k = head.row(result.d_k, result.d_k_strides, j);
    for (std::int64_t c = 0; c < p.dim; ++c) d_k[c] = unfold * sum[c] + own * k[c];
    std::copy_n(row_of(block.d_values, n, value_width, p.value_dim, turned_value), p.value_dim, head.row(result.d_v, result.d_v_strides, j));
    if (result.d_bias) result.d_bias[head.index() * p.keys + j] = column_sum;
    if (ahead && j < p.queries) {
      fetch_row(ahead->q(j), p.dim);
      fetch_row(ahead->row(result.d_out, result.d_out_strides, j), p.value_dim);
      fetch_row(ahead->row(result.out, result.out_strides, j), p.value_dim);
    }
    if (side.norm != 0 && result.d_scale) d_scale += side.norm * column_sum * dot_in_double(k, k, p.dim);
  }
  return d_scale;
}

// Keys that no query sees because of the causal mask.
HWY_INLINE void write_unseen_keys(const Head<float>& head, const AttentionBackward<float>& result, std::int64_t begin,
                                  std::int64_t end) {
  const AttentionParams<float>& p = head.params();
  for (std::int64_t j = begin; j < end; ++j) {
    std::fill_n(head.row(result.d_k, result.d_k_strides, j), p.dim, 0.0f);
    std::fill_n(head.row(result.d_v, result.d_v_strides, j), p.value_dim, 0.0f);
    if (result.d_bias) result.d_bias[head.index() * p.keys + j] = 0;
  }
}

HWY_NOINLINE double backward_keys(const Head<float>& head, const KeySide& side, const QuerySide& queries,
                                  const AttentionBackward<float>& result, std::int64_t first, std::int64_t step,
                                  const Head<float>* ahead, float* d_queries, Workspace& workspace) {
  const AttentionParams<float>& p = head.params();
  const std::int64_t width = round_up(p.dim, lanes()), value_width = round_up(p.value_dim, lanes());
  auto* weights = workspace.take<float>(query_block * tile_stride);
  auto* gradients = workspace.take<float>(query_block * tile_stride);
  const KeyBlock block{workspace.take<float>(key_block * p.dim),   workspace.take<float>(key_block * width),
                       workspace.take<float>(key_block * p.value_dim), workspace.take<float>(key_block * width),
                       workspace.take<float>(key_block * value_width), workspace.take<float>(key_block),
                       workspace.take<float>(key_block),           workspace.take<float>(max_dim)};
  std::fill_n(block.no_bias, key_block, 0.0f);
  std::fill_n(block.no_centre, max_dim, 0.0f);
  double d_scale = 0;
  for (std::int64_t begin = first * key_block; begin < p.keys; begin += step * key_block) {
    const std::int64_t block_end = std::min(begin + key_block, p.keys);
    const std::int64_t end = std::max(begin, std::min(block_end, side.keys));
    write_unseen_keys(head, result, end, block_end);
    if (begin == end) continue;
    pack_key_block(head, side, result, begin, end, width, value_width, block);
    for (std::int64_t i = p.causal ? begin / query_block * query_block : 0; i < p.queries; i += query_block) {
      const std::int64_t rows_end = std::min(i + query_block, p.queries);
      const TilePlace at = tile_place(i, rows_end, begin, p.causal ? std::min(end, rows_end) : end);
      const std::int64_t panels = at.width / (2 * lanes());
      const float* q = queries.queries + i * width;
      const float* d_out = queries.d_out + i * value_width;
      tile_product(q, width, block.columns, panels, at.rows, p.dim, side.bias + begin, weights);
      hide(head, at, weights, tile_stride, 1);
      tile_product(d_out, value_width, block.value_columns, panels, at.rows, p.value_dim, block.no_bias, gradients);
      differentiate(at, queries.lse + i, queries.through_row + i, weights, gradients, block.column_sums, ahead);
      add_to_keys(weights, at, d_out, value_width, p.value_dim, block.d_values);
      add_to_keys(gradients, at, q, width, p.dim, block.d_keys);
      add_product<Order::rows>(gradients, tile_stride, block.rows, width, at.rows, at.keys, d_queries + i * width);
    }
    d_scale += write_key_block(head, side, result, begin, end, width, value_width, block, ahead);
  }
  return d_scale;
}

HWY_NOINLINE double finish_queries(const Head<float>& head, const KeySide& side, const AttentionBackward<float>& result,
                                   const float* d_queries, std::int64_t parts, std::int64_t part_stride,
                                   std::int64_t begin, std::int64_t end) {
  const AttentionParams<float>& p = head.params();
  const std::int64_t width = round_up(p.dim, lanes());
  const auto factor = static_cast<float>(side.scale * side.product);
  double d_scale = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t row = head.index() * p.queries + i;
    float* HWY_RESTRICT d_q = head.row(result.d_q, result.d_q_strides, i);
    if (result.lse[row] == -std::numeric_limits<float>::infinity()) {
      std::fill_n(d_q, p.dim, 0.0f);
      continue;
    }
    const float* HWY_RESTRICT q = head.q(i);
    const double row_sum = result.d_lse ? result.d_lse[row] : 0;  // of dS, exactly
    const auto own = static_cast<float>(2 * side.scale * side.norm * row_sum);
    float sum[max_dim], centred[max_dim];
    std::copy_n(d_queries + i * width, p.dim, sum);
    for (std::int64_t part = 1; part < parts; ++part)
      for (std::int64_t c = 0; c < p.dim; ++c) sum[c] += d_queries[part * part_stride + i * width + c];
    for (std::int64_t c = 0; c < p.dim; ++c) centred[c] = q[c] - side.centre[c];
    for (std::int64_t c = 0; c < p.dim; ++c) d_q[c] = factor * sum[c] + own * centred[c];
    if (!result.d_scale) continue;
    d_scale += side.product * dot_in_double(centred, sum, p.dim);
    if (side.norm != 0 && row_sum != 0) d_scale += side.norm * row_sum * dot_in_double(centred, centred, p.dim);
  }
  return d_scale;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

// Forward over one block of queries: for each block of keys, scores, online softmax, weighted sum.
#if defined(CALOR_KERNELS_HIGHWAY_FORWARD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_FORWARD_INL_H_
#undef CALOR_KERNELS_HIGHWAY_FORWARD_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_FORWARD_INL_H_
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

// The log-sum-exp of query `row`, whose packed scores have this maximum and, relative to it, this sum.
HWY_INLINE float lse_of(const Head<float>& head, const KeySide& side, std::int64_t row, float most, float sum) {
  const SoftmaxState<float> state{most, sum};
  return sum > 0 ? static_cast<float>(state.log2_sum_exp2() * std::numbers::ln2 + row_constant(side, head.q(row), head.params().dim))
                 : -std::numeric_limits<float>::infinity();
}

// Forward with the tile turned: vectors lie along the queries, so that values of few numbers fill them, and no sum goes across one.
HWY_NOINLINE bool forward_turned(const Head<float>& head, const KeySide& side, const AttentionForward<float>& result,
                                 std::int64_t begin, std::int64_t end, Workspace& workspace) {
  const AttentionParams<float>& p = head.params();
  const std::int64_t rows = end - begin, panel = 2 * lanes(), width = round_up(rows, panel), value_width = round_up(p.value_dim, lanes());
  auto* queries = workspace.take<float>(query_block * p.dim);
  auto* columns = workspace.take<float>(round_up(query_block, panel) * p.dim);
  auto* sums = workspace.take<float>(p.value_dim * width);
  auto* tile = workspace.take<float>(key_block * turned_stride);
  auto* nothing = workspace.take<float>(std::max<std::int64_t>(max_dim, round_up(query_block, panel)));
  HWY_ALIGN float most[turned_stride], totals[turned_stride];
  std::fill_n(nothing, std::max<std::int64_t>(max_dim, round_up(query_block, panel)), 0.0f);
  std::fill_n(sums, p.value_dim * width, 0.0f);
  std::fill_n(most, width, -std::numeric_limits<float>::infinity());
  std::fill_n(totals, width, 0.0f);
  for (std::int64_t i = 0; i < rows; ++i) pack_row(head.q(begin + i), side.centre, side.fold, p.dim, p.dim, queries + i * p.dim);
  if (!is_tame(queries, rows * p.dim)) return false;
  for (std::int64_t q = 0; q < width; q += panel) {
    const float* from[HWY_MAX_BYTES / 2];
    for (std::int64_t r = 0; r < panel; ++r) from[r] = q + r < rows ? queries + (q + r) * p.dim : nothing;
    turn_panel(from, nothing, p.dim, columns + q * p.dim);
  }

  const std::int64_t keys = p.causal ? std::min(side.keys, end) : side.keys;
  for (std::int64_t key = 0; key < keys; key += key_block) {
    const TilePlace at = tile_place(begin, end, key, std::min(key + key_block, keys));
    tile_product(side.columns + key * p.dim, p.dim, columns, width / panel, at.keys, p.dim, nothing, tile, turned_stride);
    hide(head, at, tile, 1, turned_stride);
    absorb_turned(side.bias + key, at.keys, width, turned_stride, tile, most, totals, sums, p.value_dim);
    product<Order::columns>({side.values + key * value_width, value_width, tile, turned_stride, p.value_dim, at.keys, width}, Adding{sums, width});
  }

  for (std::int64_t i = 0; i < rows; ++i) {
    const float factor = totals[i] > 0 ? 1 / totals[i] : 0;
    float* HWY_RESTRICT out = head.row(result.out, result.out_strides, begin + i);
    for (std::int64_t c = 0; c < p.value_dim; ++c) out[c] = sums[c * width + i] * factor;
    result.lse[head.index() * p.queries + begin + i] = lse_of(head, side, begin + i, most[i], totals[i]);
  }
  return true;
}

// Values as they lie, where they fill whole vectors and none is hidden; else the packed rows.
struct ValueRows {
  const float* rows;
  std::int64_t stride;
};
HWY_INLINE ValueRows value_rows(const Head<float>& head, const KeySide& side) {
  if (side.values) return {side.values, round_up(head.params().value_dim, lanes())};
  return {head.v(0), head.params().v_strides.row};
}

// Forward where one tile holds all: nothing is rescaled, and results need no place of their own on the way.
HWY_NOINLINE bool forward_alone(const Head<float>& head, const KeySide& side, const AttentionForward<float>& result, std::int64_t begin, std::int64_t end,
                                const Head<float>* ahead, Workspace& workspace) {
  const AttentionParams<float>& p = head.params();
  const std::int64_t rows = end - begin;
  auto* queries = workspace.take<float>(query_block * p.dim);
  auto* tile = workspace.take<float>(query_block * tile_stride);
  SoftmaxState<float> states[query_block];
  float factors[query_block];
  Tameness tameness;
  for (std::int64_t i = 0; i < rows; ++i) {
    pack_row_seen(head.q(begin + i), side.centre, side.fold, p.dim, queries + i * p.dim, tameness);
    fetch_row_to_write(head.row(result.out, result.out_strides, begin + i), p.value_dim);
    if (ahead && begin + i < p.keys) fetch_row(ahead->v(begin + i), p.value_dim);
  }
  if (!tameness.tame()) return false;
  const TilePlace at = tile_place(begin, end, 0, p.causal ? std::min(side.keys, end) : side.keys);
  tile_product(queries, p.dim, side.columns, at.width / (2 * lanes()), rows, p.dim, side.bias, tile);
  hide(head, at, tile, tile_stride, 1);
  absorb_alone(at, tile, states, factors, ahead);
  const ValueRows values = value_rows(head, side);
  product<Order::rows>({tile, tile_stride, values.rows, values.stride, rows, at.keys, p.value_dim}, Scaling{head.row(result.out, result.out_strides, begin), result.out_strides.row, factors});
  for (std::int64_t i = 0; i < rows; ++i) {
    if (ahead) fetch_row(ahead->q(begin + i), p.dim);
    result.lse[head.index() * p.queries + begin + i] = lse_of(head, side, begin + i, states[i].max, states[i].sum);
  }
  return true;
}

HWY_NOINLINE bool forward(const Head<float>& head, const KeySide& side, const AttentionForward<float>& result,
                          std::int64_t begin, std::int64_t end, const Head<float>* ahead, Workspace& workspace) {
  const AttentionParams<float>& p = head.params();
  if (is_narrow(p.value_dim)) return forward_turned(head, side, result, begin, end, workspace);
  if (is_alone(p)) return forward_alone(head, side, result, begin, end, ahead, workspace);
  const std::int64_t rows = end - begin, width = round_up(p.dim, lanes()), value_width = round_up(p.value_dim, lanes());
  auto* queries = workspace.take<float>(query_block * width);
  auto* sums = workspace.take<float>(query_block * value_width);
  auto* tile = workspace.take<float>(query_block * tile_stride);
  SoftmaxState<float> states[query_block];
  for (std::int64_t i = 0; i < rows; ++i) {
    pack_row(head.q(begin + i), side.centre, side.fold, p.dim, width, queries + i * width);
    fetch_row_to_write(head.row(result.out, result.out_strides, begin + i), p.value_dim);
    if (ahead && begin + i < p.keys) fetch_row(ahead->v(begin + i), p.value_dim);
  }
  if (!is_tame(queries, rows * width)) return false;
  std::fill_n(sums, rows * value_width, 0.0f);

  const std::int64_t keys = p.causal ? std::min(side.keys, end) : side.keys;
  for (std::int64_t key = 0; key < keys; key += key_block) {
    const TilePlace at = tile_place(begin, end, key, std::min(key + key_block, keys));
    const std::int64_t panels = at.width / (2 * lanes());
    tile_product(queries, width, side.columns + key * p.dim, panels, rows, p.dim, side.bias + key, tile);
    hide(head, at, tile, tile_stride, 1);
    absorb(at, tile, states, sums, value_width, ahead);
    add_product<Order::rows>(tile, tile_stride, side.values + key * value_width, value_width, rows, at.keys, sums);
  }

  for (std::int64_t i = 0; i < rows; ++i) {
    const float factor = states[i].sum > 0 ? 1 / states[i].sum : 0;
    const float* HWY_RESTRICT sum = sums + i * value_width;
    float* HWY_RESTRICT out = head.row(result.out, result.out_strides, begin + i);
    for (std::int64_t c = 0; c < p.value_dim; ++c) out[c] = sum[c] * factor;
    if (ahead) fetch_row(ahead->q(begin + i), p.dim);
    result.lse[head.index() * p.queries + begin + i] = lse_of(head, side, begin + i, states[i].max, states[i].sum);
  }
  return true;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

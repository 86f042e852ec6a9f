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

HWY_NOINLINE bool forward(const Head<float>& head, const KeySide& side, const AttentionForward<float>& result,
                          std::int64_t begin, std::int64_t end, const Head<float>* ahead, Workspace& workspace) {
  const AttentionParams<float>& p = head.params();
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
    hide(head, at, tile);
    absorb(at, tile, states, sums, value_width, ahead);
    add_product<Order::rows>(tile, tile_stride, side.values + key * value_width, value_width, rows, at.keys, sums);
  }

  for (std::int64_t i = 0; i < rows; ++i) {
    const bool sees = states[i].sum > 0;
    const float factor = sees ? 1 / states[i].sum : 0;
    const float* HWY_RESTRICT sum = sums + i * value_width;
    float* HWY_RESTRICT out = head.row(result.out, result.out_strides, begin + i);
    for (std::int64_t c = 0; c < p.value_dim; ++c) out[c] = sum[c] * factor;
    if (ahead) fetch_row(ahead->q(begin + i), p.dim);
    result.lse[head.index() * p.queries + begin + i] =
        sees ? static_cast<float>(states[i].log2_sum_exp2() * std::numbers::ln2 +
                                  row_constant(side, head.q(begin + i), p.dim))
             : -std::numeric_limits<float>::infinity();
  }
  return true;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

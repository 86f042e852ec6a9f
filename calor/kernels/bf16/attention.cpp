#if defined(__x86_64__)

#if defined(__GNUC__) && !defined(__clang__)  // gcc 12 warns of its own _mm512_undefined_ps
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "calor/kernels/bf16/softmax.h"
#include "calor/kernels/bf16/tiles.h"
#include "calor/kernels/workspace.h"

CALOR_BF16_BEGIN
namespace calor::kernels::bf16 {

using Params = AttentionParams<Bf16>;
using Forward = AttentionForward<Bf16>;
using Backward = AttentionBackward<Bf16>;

static constexpr float nothing_seen = -std::numeric_limits<float>::infinity();

// Forward over one block of queries: for each block of keys, scores, online softmax, weighted sum.
CALOR_BF16_NOINLINE static bool forward(const HeadB& head, const Keys& side, const Forward& result, std::int64_t begin, std::int64_t end, const HeadB* ahead,
                                        Workspace& workspace) {
  const Params& p = head.params();
  const std::int64_t rows = end - begin, depth = words(p.dim), value_width = round_up(p.value_dim, lanes);
  auto* queries = workspace.take<Word>(query_block * depth);
  auto* sums = workspace.take<float>(query_block * value_width);
  auto* tile = workspace.take<float>(query_block * tile_stride);
  auto* weights = workspace.take<Word>(query_block * weight_stride);
  RowStates states;
  states.clear(rows);
  Magnitude magnitude;
  for (std::int64_t i = 0; i < rows; ++i) {
    magnitude.see(head.q(begin + i), p.dim);
    pack_row(head.q(begin + i), centre_of(side), p.dim, queries + i * depth);
    if (ahead && begin + i < p.keys) fetch_row(ahead->v(begin + i), p.value_dim);
  }
  if (!is_tame(magnitude.most() * std::max(1.0f, std::abs(side.fold)))) return false;
  std::fill_n(sums, rows * value_width, 0.0f);

  const std::int64_t keys = p.causal ? std::min(side.keys, end) : side.keys;
  for (std::int64_t key = 0; key < keys; key += key_block) {
    const TilePlace at = tile_place(begin, end, key, std::min(key + key_block, keys), panel);
    score_tile(queries, side.columns + key * depth, at.width / panel, rows, depth, side.fold, side.bias + key, tile, states.tile_most);
    const bool changed = hide(head, at, tile, tile_stride, 1);
    absorb(at, changed, tile, states, weights, sums, value_width, ahead);
    add_matrix_product<Order::rows>({weights, weight_stride, side.values + key / 2 * value_width, value_width, rows, words(at.keys), sums});
  }

  for (std::int64_t i = 0; i < rows; ++i) {
    const float total = _mm512_reduce_add_ps(_mm512_load_ps(states.sums + i * lanes));
    const __m512 factor = _mm512_set1_ps(total > 0 ? 1 / total : 0.0f);
    Bf16* out = head.row(result.out, result.out_strides, begin + i);
    for (std::int64_t c = 0; c < p.value_dim; c += lanes)
      store_16(_mm512_mul_ps(factor, _mm512_load_ps(sums + i * value_width + c)), out + c, p.value_dim - c);
    if (ahead) fetch_row(ahead->q(begin + i), p.dim);
    result.lse[head.index() * p.queries + begin + i] =
        total > 0 ? static_cast<float>((states.most[i] + std::log2(static_cast<double>(total))) * std::numbers::ln2 + row_constant(side, head.q(begin + i), p.dim)) : nothing_seen;
  }
  return true;
}

// sum a_c b_c.
CALOR_BF16_INLINE float dot_of(const Bf16* a, const Bf16* b, std::int64_t count) {
  __m512 sum = _mm512_setzero_ps();
  for (std::int64_t c = 0; c < count; c += lanes) sum = _mm512_fmadd_ps(as_floats(load_16(a + c, count - c)), as_floats(load_16(b + c, count - c)), sum);
  return _mm512_reduce_add_ps(sum);
}

CALOR_BF16_NOINLINE static bool pack_queries(const HeadB& head, const Keys& side, const Backward& result, std::int64_t begin, std::int64_t end, const Queries& to) {
  const Params& p = head.params();
  const std::int64_t depth = words(p.dim), value_depth = words(p.value_dim);
  const std::int64_t width = round_up(p.dim, lanes), value_width = round_up(p.value_dim, lanes);
  Magnitude magnitude, of_gradient;
  float terms = 0;
  const auto see = [&](float x) { terms = std::abs(x) <= terms ? terms : std::abs(x); };  // NaN stays
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t row = head.index() * p.queries + i;
    Word *q = to.queries + i * depth, *d_out = to.d_out + i * value_depth;
    if (result.lse[row] == nothing_seen) {  // whatever it holds
      std::fill_n(q, depth, 0u);
      std::fill_n(d_out, value_depth, 0u);
      to.lse[i] = std::numeric_limits<float>::infinity();
      to.through_row[i] = 0;
      continue;
    }
    const Bf16 *from = head.q(i), *d_from = head.row(result.d_out, result.d_out_strides, i);
    magnitude.see(from, p.dim);
    of_gradient.see(d_from, p.value_dim);
    pack_row(from, centre_of(side), p.dim, q);
    pack_row(d_from, nullptr, p.value_dim, d_out);
    to.through_row[i] = (result.d_lse ? result.d_lse[row] : 0.0f) - dot_of(d_from, head.row(result.out, result.out_strides, i), p.value_dim);
    to.lse[i] = static_cast<float>((result.lse[row] - row_constant(side, from, p.dim)) * std::numbers::log2e);
    see(to.through_row[i]);
    see(to.lse[i]);
  }
  const auto pairs_of = [&](const Word* packed, std::int64_t stride, std::int64_t dim, std::int64_t padded, Word* pairs) {
    for (std::int64_t i = begin; i < end; i += 2) {
      const auto* first = reinterpret_cast<const Bf16*>(packed + i * stride);
      pair_rows(first, i + 1 < end ? first + 2 * stride : nullptr, dim, padded, pairs + i / 2 * padded);
    }
  };
  pairs_of(to.queries, depth, p.dim, width, to.query_pairs);
  pairs_of(to.d_out, value_depth, p.value_dim, value_width, to.d_out_pairs);
  return is_tame(magnitude.most() * std::max(1.0f, std::abs(side.fold))) && is_tame(of_gradient.most()) && is_tame(terms);
}

// One block of keys in all the layouts that backward reads, and its gradients as they grow.
struct KeyBlock {
  Word *columns, *pairs, *value_columns, *rows;  // rows: as turn_panel reads them
  float *d_keys, *d_values, *column_sums;
};

CALOR_BF16_INLINE void pack_key_block(const HeadB& head, const Keys& side, std::int64_t begin, std::int64_t end, std::int64_t width, std::int64_t value_width,
                                      const KeyBlock& block) {
  const Params& p = head.params();
  const std::int64_t depth = words(p.dim), stride = turning_stride(p.dim), value_depth = words(p.value_dim);
  const auto norm = static_cast<float>(side.scale * side.norm * std::numbers::log2e);
  alignas(64) Word value_rows[panel * max_dim / 2];
  for (std::int64_t j = begin; j < end; j += panel) {
    const std::int64_t n = j - begin;
    Word* rows = block.rows + n * stride;
    pack_panel_rows(side, j, [&](std::int64_t key) { return head.k(key); }, centre_of(side), p.dim, rows);
    turn_panel(rows, stride, depth, block.columns + n * depth);
    if (norm != 0) add_norms(block.columns + n * depth, depth, norm, side.bias + j);
    pack_panel_rows(side, j, [&](std::int64_t key) { return head.v(key); }, nullptr, p.value_dim, value_rows);
    turn_panel(value_rows, turning_stride(p.value_dim), value_depth, block.value_columns + n * value_depth);
    for (std::int64_t r = 0; r < panel; r += 2) {
      const auto* first = reinterpret_cast<const Bf16*>(rows + r * stride);
      pair_rows(first, first + 2 * stride, p.dim, width, block.pairs + (n + r) / 2 * width);
    }
  }
  std::fill_n(block.d_keys, (end - begin) * width, 0.0f);
  std::fill_n(block.d_values, (end - begin) * value_width, 0.0f);
  std::fill_n(block.column_sums, key_block, 0.0f);
}

// The scaled gradient of a row plus `own` times the packed row itself.
CALOR_BF16_INLINE void write_gradient(const float* sum, float factor, float own, const Bf16* packed, std::int64_t dim, Bf16* to) {
  const __m512 factors = _mm512_set1_ps(factor), owns = _mm512_set1_ps(own);
  for (std::int64_t c = 0; c < dim; c += lanes) {
    const __m512 x = _mm512_mul_ps(factors, _mm512_loadu_ps(sum + c));
    store_16(own == 0 ? x : _mm512_fmadd_ps(owns, as_floats(load_16(packed + c, dim - c)), x), to + c, dim - c);
  }
}

// sum a_c b_c of a row of floats and a packed one, in double.
CALOR_BF16_INLINE double dot_in_double(const float* a, const Bf16* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t c = 0; c < count; ++c) sum += static_cast<double>(a[c]) * static_cast<double>(static_cast<float>(b[c]));
  return sum;
}

// Writes the gradients of keys [begin, end); returns their part of d_scale.
CALOR_BF16_INLINE double write_key_block(const HeadB& head, const Keys& side, const Backward& result, std::int64_t begin, std::int64_t end, std::int64_t width,
                                         std::int64_t value_width, const KeyBlock& block, const HeadB* ahead) {
  const Params& p = head.params();
  const std::int64_t stride = turning_stride(p.dim);
  double d_scale = 0;
  for (std::int64_t j = begin; j < end; ++j) {
    const std::int64_t n = j - begin;
    const float column_sum = block.column_sums[n];
    const auto* k = reinterpret_cast<const Bf16*>(block.rows + n * stride);
    write_gradient(block.d_keys + n * width, static_cast<float>(side.scale * side.product), static_cast<float>(2 * side.scale * side.norm * column_sum), k, p.dim,
                   head.row(result.d_k, result.d_k_strides, j));
    write_gradient(block.d_values + n * value_width, 1, 0, nullptr, p.value_dim, head.row(result.d_v, result.d_v_strides, j));
    if (result.d_bias) result.d_bias[head.index() * p.keys + j] = column_sum;
    if (ahead && j < p.queries) {
      fetch_row(ahead->q(j), p.dim);
      fetch_row(ahead->row(result.d_out, result.d_out_strides, j), p.value_dim);
      fetch_row(ahead->row(result.out, result.out_strides, j), p.value_dim);
    }
    if (side.norm != 0 && result.d_scale) d_scale += side.norm * column_sum * norm_of(block.rows + n * stride, words(p.dim));
  }
  return d_scale;
}

// Keys that no query sees because of the causal mask.
static void write_unseen_keys(const HeadB& head, const Backward& result, std::int64_t begin, std::int64_t end) {
  const Params& p = head.params();
  for (std::int64_t j = begin; j < end; ++j) {
    std::fill_n(head.row(result.d_k, result.d_k_strides, j), p.dim, Bf16());
    std::fill_n(head.row(result.d_v, result.d_v_strides, j), p.value_dim, Bf16());
    if (result.d_bias) result.d_bias[head.index() * p.keys + j] = 0;
  }
}

CALOR_BF16_NOINLINE static double backward_keys(const HeadB& head, const Keys& side, const Queries& queries, const Backward& result, std::int64_t first, std::int64_t step,
                                                const HeadB* ahead, float* d_queries, Workspace& workspace) {
  const Params& p = head.params();
  const std::int64_t width = round_up(p.dim, lanes), value_width = round_up(p.value_dim, lanes), depth = words(p.dim), value_depth = words(p.value_dim);
  auto* scores = workspace.take<float>(query_block * tile_stride);
  auto* products = workspace.take<float>(query_block * tile_stride);
  const TileGradients tile{workspace.take<Word>(query_block / 2 * pair_stride), workspace.take<Word>(query_block / 2 * pair_stride),
                           workspace.take<Word>(query_block * weight_stride)};
  const KeyBlock block{workspace.take<Word>(key_block * depth),  workspace.take<Word>(key_block / 2 * width), workspace.take<Word>(key_block * value_depth),
                       workspace.take<Word>(key_block * turning_stride(p.dim)), workspace.take<float>(key_block * width),
                       workspace.take<float>(key_block * value_width), workspace.take<float>(key_block)};
  auto* most = workspace.take<float>(query_block * lanes);  // found beside the scores, and not asked for
  double d_scale = 0;
  for (std::int64_t begin = first * key_block; begin < p.keys; begin += step * key_block) {
    const std::int64_t block_end = std::min(begin + key_block, p.keys), end = std::max(begin, std::min(block_end, side.keys));
    write_unseen_keys(head, result, end, block_end);
    if (begin == end) continue;
    pack_key_block(head, side, begin, end, width, value_width, block);
    for (std::int64_t i = p.causal ? begin / query_block * query_block : 0; i < p.queries; i += query_block) {
      const std::int64_t rows_end = std::min(i + query_block, p.queries);
      const TilePlace at = tile_place(i, rows_end, begin, p.causal ? std::min(end, rows_end) : end, panel);
      score_tile(queries.queries + i * depth, block.columns, at.width / panel, at.rows, depth, side.fold, side.bias + begin, scores, most);
      hide(head, at, scores, tile_stride, 1);
      product_tile(queries.d_out + i * value_depth, block.value_columns, at.width / panel, at.rows, value_depth, products);
      differentiate(at, queries.lse + i, queries.through_row + i, scores, products, tile, block.column_sums, ahead);
      add_matrix_product<Order::columns>({tile.weight_pairs, pair_stride, queries.d_out_pairs + i / 2 * value_width, value_width, at.keys, words(at.rows), block.d_values});
      add_matrix_product<Order::columns>({tile.gradient_pairs, pair_stride, queries.query_pairs + i / 2 * width, width, at.keys, words(at.rows), block.d_keys});
      add_matrix_product<Order::rows>({tile.gradient_rows, weight_stride, block.pairs, width, at.rows, words(at.keys), d_queries + i * width});
    }
    d_scale += write_key_block(head, side, result, begin, end, width, value_width, block, ahead);
  }
  return d_scale;
}

CALOR_BF16_NOINLINE static double finish_queries(const HeadB& head, const Keys& side, const Backward& result, const float* d_queries, std::int64_t parts,
                                                 std::int64_t part_stride, std::int64_t begin, std::int64_t end) {
  const Params& p = head.params();
  const std::int64_t width = round_up(p.dim, lanes);
  double d_scale = 0;
  alignas(64) Word packed[max_dim / 2];
  alignas(64) float sum[max_dim];
  const auto* q = reinterpret_cast<const Bf16*>(packed);
  for (std::int64_t i = begin; i < end; ++i) {
    const std::int64_t row = head.index() * p.queries + i;
    Bf16* d_q = head.row(result.d_q, result.d_q_strides, i);
    if (result.lse[row] == nothing_seen) {
      std::fill_n(d_q, p.dim, Bf16());
      continue;
    }
    const double row_sum = result.d_lse ? result.d_lse[row] : 0;  // of dS, exactly
    std::copy_n(d_queries + i * width, width, sum);
    for (std::int64_t part = 1; part < parts; ++part)
      for (std::int64_t c = 0; c < width; c += lanes)
        _mm512_store_ps(sum + c, _mm512_add_ps(_mm512_load_ps(sum + c), _mm512_load_ps(d_queries + part * part_stride + i * width + c)));
    pack_row(head.q(i), centre_of(side), p.dim, packed);
    write_gradient(sum, static_cast<float>(side.scale * side.product), static_cast<float>(2 * side.scale * side.norm * row_sum), q, p.dim, d_q);
    if (!result.d_scale) continue;
    d_scale += side.product * dot_in_double(sum, q, p.dim);
    if (side.norm != 0 && row_sum != 0) d_scale += side.norm * row_sum * norm_of(packed, words(p.dim));
  }
  return d_scale;
}

}  // namespace calor::kernels::bf16
CALOR_BF16_END

namespace calor::kernels::bf16 {

static bool has_products() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

const TilesOf<Bf16>* tiles() {
  static const TilesOf<Bf16> table{lanes, prepare, pack_keys, forward, pack_queries, backward_keys, finish_queries};
  static const bool present = has_products();
  return present ? &table : nullptr;
}

}  // namespace calor::kernels::bf16

#else

#include "calor/kernels/bf16/tiles.h"

namespace calor::kernels::bf16 {
const TilesOf<Bf16>* tiles() { return nullptr; }
}  // namespace calor::kernels::bf16

#endif

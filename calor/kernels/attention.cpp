#include "calor/kernels/attention.h"

#include <cmath>
#include <type_traits>

#include "calor/core/error.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/scalar/attention.h"
#include "calor/kernels/streamed.h"
#include "calor/kernels/widened.h"

namespace calor::kernels {

static void check_size(const char* name, std::int64_t size, std::int64_t least, std::int64_t most) {
  require(size >= least && size <= most, Fault::usage, "[attention] expected {} in {}..{}, found {}", name, least, most,
          size);
}

static void check_pointer(const char* name, const void* pointer, std::int64_t elements) {
  require(pointer || elements == 0, Fault::usage, "[attention] expected {}, found a null pointer", name);
}

// Two rows of an output may not be one.
static void check_output(const char* name, const void* pointer, const Strides& strides, std::int64_t batch,
                         std::int64_t heads, std::int64_t rows, std::int64_t dim) {
  if (batch * heads * rows == 0) return;
  check_pointer(name, pointer, 1);
  const bool apart = (batch < 2 || strides.batch != 0) && (heads < 2 || strides.head != 0) &&
                     (rows < 2 || std::abs(strides.row) >= dim);
  require(apart, Fault::usage, "[attention] expected strides of {} that keep its rows of {} apart, found ({}, {}, {})", name,
          dim, strides.batch, strides.head, strides.row);
}

template <class T>
static void check(const AttentionParams<T>& p) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  check_size("batch", p.batch, 0, most);
  check_size("heads", p.heads, 0, most);
  check_size("queries", p.queries, 0, most);
  check_size("keys", p.keys, 0, most);
  check_size("dim", p.dim, 1, max_dim);
  check_size("value_dim", p.value_dim, 1, max_dim);
  check_size("threads", p.threads, 0, 1 << 20);
  check_size("own_key", p.own_key, -1, most);
  const std::int64_t count = p.batch * p.heads;
  check_pointer("q", p.q, count * p.queries);
  check_pointer("k", p.k, count * p.keys);
  check_pointer("v", p.v, count * p.keys);
  check_pointer("scale", p.scale, count);
  for (std::int64_t b = 0; b < p.batch; ++b)
    for (std::int64_t h = 0; h < p.heads; ++h) {
      const Plain<T> scale = p.scale[b * p.scale_batch_stride + h * p.scale_head_stride];
      require(std::isfinite(scale), Fault::usage, "[attention] expected a finite scale, found {} (batch {}, head {})",
              scale, b, h);
    }
}

// vectors(tiles) where an instruction set with tiles is in use, defined() otherwise.
template <class T, class Vectors, class Defined>
static auto dispatch(const AttentionParams<T>& p, Vectors vectors, Defined defined) {
  const Tiles* tiles = current_isa().tiles;
  return tiles && p.batch * p.heads * p.queries * p.keys > 0 ? vectors(*tiles) : defined();
}

// The tiles of bfloat16 where they are to be used.
static const TilesOf<Bf16>* tiles_for(const AttentionParams<Bf16>& p) {
  return p.batch * p.heads * p.queries * p.keys > 0 ? current_isa().bf16 : nullptr;
}

template <class T>
void attention_forward(const AttentionParams<T>& p, const AttentionForward<T>& result) {
  check(p);
  check_output("out", result.out, result.out_strides, p.batch, p.heads, p.queries, p.value_dim);
  check_pointer("lse", result.lse, p.batch * p.heads * p.queries);
  if constexpr (std::is_same_v<T, Bf16>) {
    const TilesOf<Bf16>* tiles = tiles_for(p);
    if (!tiles || !streamed::forward(*tiles, p, result)) widened::forward(p, result);
  } else {
    const auto vectors = [&](const Tiles& tiles) {
      if constexpr (std::is_same_v<T, float>) streamed::forward(tiles, p, result);
      else doubles::forward(tiles.doubles, p, result);
    };
    dispatch(p, vectors, [&] { scalar::forward(p, result); });
  }
}

template <class T>
void attention_backward(const AttentionParams<T>& p, const AttentionBackward<T>& result) {
  check(p);
  const std::int64_t count = p.batch * p.heads;
  check_pointer("out", result.out, count * p.queries);
  check_pointer("lse", result.lse, count * p.queries);
  check_pointer("d_out", result.d_out, count * p.queries);
  check_output("d_q", result.d_q, result.d_q_strides, p.batch, p.heads, p.queries, p.dim);
  check_output("d_k", result.d_k, result.d_k_strides, p.batch, p.heads, p.keys, p.dim);
  check_output("d_v", result.d_v, result.d_v_strides, p.batch, p.heads, p.keys, p.value_dim);
  if constexpr (std::is_same_v<T, Bf16>) {
    const TilesOf<Bf16>* tiles = tiles_for(p);
    if (!tiles || !streamed::backward(*tiles, p, result)) widened::backward(p, result);
  } else {
    const auto vectors = [&](const Tiles& tiles) {
      if constexpr (std::is_same_v<T, float>) streamed::backward(tiles, p, result);
      else scalar::backward(p, result);
    };
    dispatch(p, vectors, [&] { scalar::backward(p, result); });
  }
}

template <class T>
std::uint64_t attention_workspace(const AttentionParams<T>& p, bool backward) {
  check(p);
  if constexpr (std::is_same_v<T, Bf16>) {
    const TilesOf<Bf16>* tiles = tiles_for(p);
    return tiles ? streamed::workspace_bytes(*tiles, p, backward) : widened::workspace_bytes(p, backward);
  } else {
    const auto vectors = [&](const Tiles& tiles) {
      if constexpr (std::is_same_v<T, float>) return streamed::workspace_bytes(tiles, p, backward);
      else return backward ? scalar::workspace_bytes(p, backward) : doubles::workspace_bytes(tiles.doubles, p);
    };
    return dispatch(p, vectors, [&] { return scalar::workspace_bytes(p, backward); });
  }
}

template void attention_forward(const AttentionParams<float>&, const AttentionForward<float>&);
template void attention_forward(const AttentionParams<double>&, const AttentionForward<double>&);
template void attention_forward(const AttentionParams<Bf16>&, const AttentionForward<Bf16>&);
template void attention_backward(const AttentionParams<float>&, const AttentionBackward<float>&);
template void attention_backward(const AttentionParams<double>&, const AttentionBackward<double>&);
template void attention_backward(const AttentionParams<Bf16>&, const AttentionBackward<Bf16>&);
template std::uint64_t attention_workspace(const AttentionParams<float>&, bool);
template std::uint64_t attention_workspace(const AttentionParams<double>&, bool);
template std::uint64_t attention_workspace(const AttentionParams<Bf16>&, bool);

}  // namespace calor::kernels

// What an instruction set provides to the streamed engine (streamed.h): plain functions over one head, on packed data.
//
// Packed: queries are taken relative to the centre and multiplied by `fold`, keys are taken relative to the centre, so
// that one matrix product plus a bias per key is the score in log2 units, less a constant per row:
//
//   s_ij log2(e) = packed_q_i . packed_k_j + bias_j + row_i
//
// Keys appear as columns, [panel][dim][panel width] with the panel width 2 vectors, for products with queries; and as
// rows, [key][padded dim], for products with tiles of weights.  Padded means rounded up to whole vectors with zeros.
//
// bfloat16 is multiplied in pairs: a word of 32 bits holds two numbers that follow each other in the sum.  Of a product over
// dimensions these are a row's (2w, 2w + 1), of one over rows those of rows 2r and 2r + 1.  Packed numbers are the rows' own, less a
// centre that is 0 unless they are far from it, so that nothing is lost; the fold is applied to the finished product.
#pragma once

#include <cstdint>

#include "calor/kernels/attention.h"
#include "calor/kernels/double_tiles.h"
#include "calor/kernels/head.h"
#include "calor/kernels/workspace.h"

namespace calor::kernels {

// A tile is query_block x key_block scores: what fits the second-level cache together with its keys and values.  Its
// rows are tile_stride apart, off the power of two that would map them all to the same cache sets (measured: 90 against
// 102 GFLOP/s).
inline constexpr std::int64_t query_block = 96, key_block = 256, tile_stride = key_block + 16;

// Where values are narrow, forward's tile is turned: keys are its rows.
inline constexpr std::int64_t turned_stride = query_block + 16;

// Contents of larger magnitude, or not finite, go to the scalar path: below it no product of a tile overflows, so zero
// weights remove what is masked.
inline constexpr float tame_limit = 0x1p40f;

// How numbers of T lie in packed arrays: in words, and n of them that follow each other in a sum in words(n).
template <class T>
struct Packing {
  using Word = T;
  static constexpr bool pairs = false;
  static constexpr std::int64_t words(std::int64_t n) { return n; }
};
template <>
struct Packing<Bf16> {
  using Word = std::uint32_t;
  static constexpr bool pairs = true;
  static constexpr std::int64_t words(std::int64_t n) { return (n + 1) / 2; }
};

// The keys of one head.
template <class T>
struct KeySideOf {
  using Word = typename Packing<T>::Word;
  std::int64_t keys = 0;     // those that some query may see come first: min(keys, queries) when causal
  bool tame = true;          // keys, values and bias of visible keys are finite and below tame_limit
  float fold = 0;            // scale * product * log2(e)
  double scale = 0, product = 0, norm = 0;  // the score's (pairwise.h)
  float* centre = nullptr;   // [dim]
  float* bias = nullptr;     // [whole panels], log2 units; -infinity for keys that no query sees
  Word* columns = nullptr;   // forward
  Word* values = nullptr;    // forward, as rows; null: as they lie
};
using KeySide = KeySideOf<float>;

// The queries of one head, for backward.
template <class T>
struct QuerySideOf {
  using Word = typename Packing<T>::Word;
  Word* queries = nullptr;       // [queries][padded dim], packed; of pairs [queries][words(dim)]
  Word* d_out = nullptr;         // [queries][padded value_dim]; of pairs [queries][words(value_dim)]
  float* lse = nullptr;          // [queries]: of the packed scores, log2 units; +infinity for rows that see nothing
  float* through_row = nullptr;  // [queries]: d_lse - d_out.out
  Word* query_pairs = nullptr;   // of pairs only: [words(queries)][padded dim]
  Word* d_out_pairs = nullptr;   // of pairs only: [words(queries)][padded value_dim]
};
using QuerySide = QuerySideOf<float>;

template <class T>
struct TilesOf {
  using KeySide = KeySideOf<T>;
  using QuerySide = QuerySideOf<T>;
  std::int64_t lanes;  // floats in a vector

  // Centre, bias (without the keys' norms) and tameness; side.centre and side.bias are given.
  void (*prepare)(const Head<T>& head, Workspace& workspace, KeySide& side);

  // Forward: packs keys and values [begin, end), begin a multiple of key_block, and completes their bias.
  void (*pack_keys)(const Head<T>& head, const KeySide& side, std::int64_t begin, std::int64_t end);

  // Forward: rows [begin, end), at most query_block.  False, with nothing written, when a query is not tame.  ahead: whose
  // numbers are asked for meanwhile, so that they have come when its turn does; null: none's.
  bool (*forward)(const Head<T>& head, const KeySide& side, const AttentionForward<T>& result,
                  std::int64_t begin, std::int64_t end, const Head<T>* ahead, Workspace& workspace);

  // Backward: packs rows [begin, end) of queries and d_out.  False when a row that sees something is not tame.
  bool (*pack_queries)(const Head<T>& head, const KeySide& side, const AttentionBackward<T>& result,
                       std::int64_t begin, std::int64_t end, const QuerySide& queries);

  // Backward: key blocks first, first + step, ...: writes their d_k, d_v, d_bias and adds dS K to
  // d_queries [queries][padded dim].  Returns their part of d_scale.
  double (*backward_keys)(const Head<T>& head, const KeySide& side, const QuerySide& queries,
                          const AttentionBackward<T>& result, std::int64_t first, std::int64_t step,
                          const Head<T>* ahead, float* d_queries, Workspace& workspace);

  // Backward: d_q of rows [begin, end) from `parts` arrays d_queries, part_stride apart.  Returns their part of d_scale.
  double (*finish_queries)(const Head<T>& head, const KeySide& side, const AttentionBackward<T>& result,
                           const float* d_queries, std::int64_t parts, std::int64_t part_stride, std::int64_t begin,
                           std::int64_t end);
};

struct Tiles : TilesOf<float> {
  DoubleTiles doubles;
};

inline std::int64_t round_up(std::int64_t n, std::int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// Whether rows of so many numbers, filled up to whole vectors, are more than a sixth of nothing.  Forward is then computed with vectors along the queries,
// and gradients of keys and values with vectors along the keys: nothing is filled up.
inline bool is_narrow(std::int64_t dim, std::int64_t lanes) { return 5 * round_up(dim, lanes) > 6 * dim; }

}  // namespace calor::kernels

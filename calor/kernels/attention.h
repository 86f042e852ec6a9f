// Attention: score x online-softmax-weighted sum of values, streamed.  Memory O(N d) beside inputs and outputs; no
// queries x keys matrix is ever formed.
//
//   P_ij = exp(s_ij - lse_i),   lse_i = log sum_j exp(s_ij),   out_i = sum_j P_ij v_j
//   s_ij = scale_h q_i.k_j + bias_j              Score::dot
//   s_ij = -scale_h |q_i - k_j|^2 + bias_j       Score::squared_distance
//
// over the keys j that are valid for row i: key_mask, mask, causal and own_key must all allow the pair.  A row without a valid
// key gives out = 0, lse = -infinity and zero gradients.  The contents of what is masked, NaN included, change nothing.
// Visible contents that are not finite show in the result as NaN; they, and magnitudes above 2^40, are computed by the
// scalar definition, many times slower.  Squared distances are formed on points centred on the mean of the valid keys,
// so that a common offset costs no digits (in double by differences).  In double the forward pass has vectors;
// gradients are the scalar definition.  Rows of bfloat16 are multiplied as they are and summed in float where the machine has such
// products (bf16_products()), and computed as floats elsewhere; out and the gradients of rows are rounded to bfloat16 once, at the
// end, weights before they are multiplied.  Same bits for any number of threads.
//
// Layout: every tensor is [batch, heads, rows, dim] with the innermost dimension contiguous; strides are in elements and
// may be 0 (broadcast) for inputs.  Outputs must not overlap each other or an input.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/kernels/bf16.h"

namespace calor::kernels {

enum class Score { dot, squared_distance };

struct Strides {
  std::int64_t batch = 0, head = 0, row = 0;
};

inline constexpr std::int64_t max_dim = 512;  // of queries/keys and of values

template <class T>
struct AttentionParams {
  Score score = Score::dot;
  std::int64_t batch = 0, heads = 0, queries = 0, keys = 0;
  std::int64_t dim = 0, value_dim = 0;  // 1..max_dim
  const T *q = nullptr, *k = nullptr, *v = nullptr;
  Strides q_strides, k_strides, v_strides;
  const Plain<T>* scale = nullptr;  // [batch, heads] by scale_strides: s above; finite, and >= 0 for distances to mean anything
  std::int64_t scale_batch_stride = 0, scale_head_stride = 0;
  const Plain<T>* bias = nullptr;  // optional, [batch, heads, keys], innermost contiguous; -infinity masks the key
  std::int64_t bias_batch_stride = 0, bias_head_stride = 0;
  const std::uint8_t* key_mask = nullptr;  // optional, [batch, keys], innermost contiguous: non-zero = valid
  std::int64_t key_mask_batch_stride = 0;
  const std::uint8_t* mask = nullptr;  // optional, [batch, heads, queries, keys], innermost contiguous: non-zero = valid
  Strides mask_strides;
  bool causal = false;  // row i sees keys 0..i
  std::int64_t own_key = -1;  // from 0: row i does not see key own_key + i, as where rows are keys and none may see itself; -1: none
  int threads = 0;      // 0: all available; changes no bit of the result
};

template <class T>
struct AttentionForward {
  T* out = nullptr;  // [batch, heads, queries, value_dim]
  Strides out_strides;
  Plain<T>* lse = nullptr;  // [batch, heads, queries], contiguous
};

// d_out and d_lse are the gradients of a loss with respect to out and lse; the rest receives the loss's gradients with
// respect to the inputs (overwritten, not added to).
template <class T>
struct AttentionBackward {
  const T* out = nullptr;
  Strides out_strides;
  const Plain<T>* lse = nullptr;  // contiguous, as forward wrote it
  const T* d_out = nullptr;
  Strides d_out_strides;
  const Plain<T>* d_lse = nullptr;  // optional, [batch, heads, queries], contiguous
  T *d_q = nullptr, *d_k = nullptr, *d_v = nullptr;
  Strides d_q_strides, d_k_strides, d_v_strides;
  Plain<T>* d_bias = nullptr;   // optional, [batch, heads, keys], contiguous
  Plain<T>* d_scale = nullptr;  // optional, [batch, heads], contiguous
};

// Throw Fault::usage for sizes, strides or pointers that do not fit; [attention] names the argument.
// O(batch heads queries keys (dim + value_dim)) operations.
template <class T>
void attention_forward(const AttentionParams<T>& params, const AttentionForward<T>& result);
template <class T>
void attention_backward(const AttentionParams<T>& params, const AttentionBackward<T>& result);

extern template void attention_forward(const AttentionParams<float>&, const AttentionForward<float>&);
extern template void attention_forward(const AttentionParams<double>&, const AttentionForward<double>&);
extern template void attention_forward(const AttentionParams<Bf16>&, const AttentionForward<Bf16>&);
extern template void attention_backward(const AttentionParams<float>&, const AttentionBackward<float>&);
extern template void attention_backward(const AttentionParams<double>&, const AttentionBackward<double>&);
extern template void attention_backward(const AttentionParams<Bf16>&, const AttentionBackward<Bf16>&);

// Bytes of workspace beside inputs and outputs with `threads` threads.
template <class T>
std::uint64_t attention_workspace(const AttentionParams<T>& params, bool backward);

// Instruction sets that this build has and this machine can run, slowest first: "scalar", "avx2", "avx512", ...
std::vector<std::string> isa_names();

// The one in use: the fastest, or the one named by CALOR_ISA, or by force_isa.  Throws Fault::usage when the named one
// does not exist or cannot run here (the message lists those that can).
std::string isa_name();

// Whether the instruction set in use multiplies bfloat16 numbers on this machine (AVX-512's vdpbf16ps).
bool bf16_products();

// Forces an instruction set by name for the whole process (tests); "" returns to the default.
void force_isa(const std::string& name);

}  // namespace calor::kernels

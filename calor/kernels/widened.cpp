#include "calor/kernels/widened.h"

#include <vector>

namespace calor::kernels::widened {

// A tensor [batch, heads, rows, dim] as floats, contiguous.
class Rows {
 public:
  Rows(const AttentionParams<Bf16>& p, std::int64_t rows, std::int64_t dim)
      : batch_(p.batch), heads_(p.heads), rows_(rows), dim_(dim), numbers_(static_cast<std::size_t>(p.batch * p.heads * rows * dim)) {}
  Rows(const AttentionParams<Bf16>& p, std::int64_t rows, std::int64_t dim, const Bf16* from, const Strides& strides) : Rows(p, rows, dim) {
    each([&](const Strides& at, std::int64_t own) {
      const Bf16* row = from + at.batch * strides.batch + at.head * strides.head + at.row * strides.row;
      for (std::int64_t c = 0; c < dim_; ++c) numbers_[static_cast<std::size_t>(own + c)] = static_cast<float>(row[c]);
    });
  }
  void round_to(Bf16* to, const Strides& strides) const {
    each([&](const Strides& at, std::int64_t own) {
      Bf16* row = to + at.batch * strides.batch + at.head * strides.head + at.row * strides.row;
      for (std::int64_t c = 0; c < dim_; ++c) row[c] = Bf16(numbers_[static_cast<std::size_t>(own + c)]);
    });
  }
  float* data() { return numbers_.data(); }
  Strides strides() const { return {heads_ * rows_ * dim_, rows_ * dim_, dim_}; }

 private:
  // do(indices, where the row begins) of every row.
  template <class Do>
  void each(const Do& work) const {
    for (std::int64_t b = 0; b < batch_; ++b)
      for (std::int64_t h = 0; h < heads_; ++h)
        for (std::int64_t r = 0; r < rows_; ++r) work({b, h, r}, ((b * heads_ + h) * rows_ + r) * dim_);
  }
  std::int64_t batch_, heads_, rows_, dim_;
  std::vector<float> numbers_;
};

// The inputs, and the problem over them.
struct Inputs {
  Rows q, k, v;
  AttentionParams<float> params;

  explicit Inputs(const AttentionParams<Bf16>& p)
      : q(p, p.queries, p.dim, p.q, p.q_strides), k(p, p.keys, p.dim, p.k, p.k_strides), v(p, p.keys, p.value_dim, p.v, p.v_strides) {
    params.score = p.score, params.batch = p.batch, params.heads = p.heads, params.queries = p.queries, params.keys = p.keys;
    params.dim = p.dim, params.value_dim = p.value_dim;
    params.q = q.data(), params.k = k.data(), params.v = v.data();
    params.q_strides = q.strides(), params.k_strides = k.strides(), params.v_strides = v.strides();
    params.scale = p.scale, params.scale_batch_stride = p.scale_batch_stride, params.scale_head_stride = p.scale_head_stride;
    params.bias = p.bias, params.bias_batch_stride = p.bias_batch_stride, params.bias_head_stride = p.bias_head_stride;
    params.key_mask = p.key_mask, params.key_mask_batch_stride = p.key_mask_batch_stride;
    params.mask = p.mask, params.mask_strides = p.mask_strides;
    params.causal = p.causal, params.own_key = p.own_key, params.threads = p.threads;
  }
};

void forward(const AttentionParams<Bf16>& p, const AttentionForward<Bf16>& result) {
  Inputs inputs(p);
  Rows out(p, p.queries, p.value_dim);
  attention_forward(inputs.params, {out.data(), out.strides(), result.lse});
  out.round_to(result.out, result.out_strides);
}

void backward(const AttentionParams<Bf16>& p, const AttentionBackward<Bf16>& result) {
  Inputs inputs(p);
  Rows out(p, p.queries, p.value_dim, result.out, result.out_strides), d_out(p, p.queries, p.value_dim, result.d_out, result.d_out_strides);
  Rows d_q(p, p.queries, p.dim), d_k(p, p.keys, p.dim), d_v(p, p.keys, p.value_dim);
  AttentionBackward<float> floats;
  floats.out = out.data(), floats.out_strides = out.strides(), floats.lse = result.lse;
  floats.d_out = d_out.data(), floats.d_out_strides = d_out.strides(), floats.d_lse = result.d_lse;
  floats.d_q = d_q.data(), floats.d_q_strides = d_q.strides();
  floats.d_k = d_k.data(), floats.d_k_strides = d_k.strides();
  floats.d_v = d_v.data(), floats.d_v_strides = d_v.strides();
  floats.d_bias = result.d_bias, floats.d_scale = result.d_scale;
  attention_backward(inputs.params, floats);
  d_q.round_to(result.d_q, result.d_q_strides);
  d_k.round_to(result.d_k, result.d_k_strides);
  d_v.round_to(result.d_v, result.d_v_strides);
}

std::uint64_t workspace_bytes(const AttentionParams<Bf16>& p, bool backward) {
  const auto numbers = static_cast<std::uint64_t>(p.batch * p.heads) *
                       static_cast<std::uint64_t>(p.queries * (p.dim + p.value_dim) + p.keys * (p.dim + p.value_dim));
  AttentionParams<float> floats;
  floats.batch = p.batch, floats.heads = p.heads, floats.queries = p.queries, floats.keys = p.keys, floats.dim = p.dim, floats.value_dim = p.value_dim;
  floats.causal = p.causal, floats.mask = p.mask, floats.threads = p.threads;
  floats.scale = p.scale, floats.scale_batch_stride = p.scale_batch_stride, floats.scale_head_stride = p.scale_head_stride;
  static constexpr float any = 0;  // that the sizes' check finds inputs
  floats.q = floats.k = floats.v = &any;
  return (backward ? 2 : 1) * sizeof(float) * numbers + attention_workspace(floats, backward);
}

}  // namespace calor::kernels::widened

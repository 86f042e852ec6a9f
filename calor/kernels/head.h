// One (batch, head) of an attention problem: rows by index instead of strides, and which pairs are visible.
#pragma once

#include <cstdint>
#include <limits>

#include "calor/kernels/attention.h"

namespace calor::kernels {

struct HeadIndex {
  std::int64_t batch, head;
  template <class Pointer>
  Pointer at(Pointer base, const Strides& strides) const {
    return base + batch * strides.batch + head * strides.head;
  }
};

template <class T>
class Head {
 public:
  // index counts (batch, head) pairs, heads fastest.
  Head(const AttentionParams<T>& params, std::int64_t index)
      : params_(params), index_(index), at_{index / params.heads, index % params.heads} {
    q_ = at_.at(params.q, params.q_strides);
    k_ = at_.at(params.k, params.k_strides);
    v_ = at_.at(params.v, params.v_strides);
    scale_ = params.scale[at_.batch * params.scale_batch_stride + at_.head * params.scale_head_stride];
    if (params.bias) bias_ = params.bias + at_.batch * params.bias_batch_stride + at_.head * params.bias_head_stride;
    if (params.key_mask) key_mask_ = params.key_mask + at_.batch * params.key_mask_batch_stride;
    if (params.mask) mask_ = at_.at(params.mask, params.mask_strides);
  }

  const AttentionParams<T>& params() const { return params_; }
  std::int64_t index() const { return index_; }
  Plain<T> scale() const { return scale_; }
  const T* q(std::int64_t i) const { return q_ + i * params_.q_strides.row; }
  const T* k(std::int64_t j) const { return k_ + j * params_.k_strides.row; }
  const T* v(std::int64_t j) const { return v_ + j * params_.v_strides.row; }
  Plain<T> bias(std::int64_t j) const { return bias_ ? bias_[j] : Plain<T>(0); }
  const std::uint8_t* mask(std::int64_t i) const { return mask_ ? mask_ + i * params_.mask_strides.row : nullptr; }

  // A row of an output or gradient tensor of this head.
  template <class Pointer>
  Pointer row(Pointer base, const Strides& strides, std::int64_t i) const {
    return at_.at(base, strides) + i * strides.row;
  }

  bool key_valid(std::int64_t j) const {
    return !(key_mask_ && !key_mask_[j]) && !(bias_ && bias_[j] == -std::numeric_limits<Plain<T>>::infinity());
  }
  bool visible(std::int64_t i, std::int64_t j) const {
    return !(params_.causal && j > i) && !(params_.own_key >= 0 && j == params_.own_key + i) && key_valid(j) && !(mask_ && !mask(i)[j]);
  }

 private:
  const AttentionParams<T>& params_;
  std::int64_t index_;
  HeadIndex at_;
  const T *q_, *k_, *v_;
  const Plain<T>* bias_ = nullptr;
  const std::uint8_t *key_mask_ = nullptr, *mask_ = nullptr;
  Plain<T> scale_;
};

}  // namespace calor::kernels

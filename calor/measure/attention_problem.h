// A problem of attention with its numbers and the room for its results, as those that measure the kernels need it.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "calor/core/random.h"
#include "calor/kernels/attention.h"

namespace calor::measure {

inline std::vector<float> normals(std::int64_t count, std::uint64_t seed) {
  Random random(seed, Purpose::data);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

struct AttentionShape {
  std::int64_t batch, heads, rows, dim;
  bool causal = false;
};

// Attention of a shape and its gradients on numbers of one kind: random normal, the same for every kind, score and number of threads.
template <class T>
class AttentionProblem {
 public:
  AttentionProblem(const AttentionShape& shape, kernels::Score score, int threads) : shape_(shape) {
    const std::int64_t rows = shape.batch * shape.heads * shape.rows, size = rows * shape.dim;
    std::uint64_t seed = 1;
    for (std::vector<T>* values : {&q_, &k_, &v_, &d_out_}) {
      const auto drawn = normals(size, seed++);
      values->assign(drawn.begin(), drawn.end());
    }
    for (std::vector<T>* values : {&out_, &d_q_, &d_k_, &d_v_}) values->resize(static_cast<std::size_t>(size));
    lse_.resize(static_cast<std::size_t>(rows));
    const kernels::Strides strides{shape.heads * shape.rows * shape.dim, shape.rows * shape.dim, shape.dim};
    params_.score = score;
    params_.batch = shape.batch, params_.heads = shape.heads;
    params_.queries = params_.keys = shape.rows;
    params_.dim = params_.value_dim = shape.dim;
    params_.q = q_.data(), params_.k = k_.data(), params_.v = v_.data();
    params_.q_strides = params_.k_strides = params_.v_strides = strides;
    params_.scale = &scale_;
    params_.causal = shape.causal;
    params_.threads = threads;
    scale_ = static_cast<T>(1 / std::sqrt(static_cast<double>(shape.dim)));
    result_.out = out_.data(), result_.out_strides = strides, result_.lse = lse_.data();
    gradients_.out = out_.data(), gradients_.out_strides = strides, gradients_.lse = lse_.data();
    gradients_.d_out = d_out_.data(), gradients_.d_out_strides = strides;
    gradients_.d_q = d_q_.data(), gradients_.d_k = d_k_.data(), gradients_.d_v = d_v_.data();
    gradients_.d_q_strides = gradients_.d_k_strides = gradients_.d_v_strides = strides;
  }
  AttentionProblem(const AttentionProblem&) = delete;
  AttentionProblem& operator=(const AttentionProblem&) = delete;

  void run(bool backward) {
    kernels::attention_forward(params_, result_);
    if (backward) kernels::attention_backward(params_, gradients_);
  }
  std::vector<const std::vector<T>*> results(bool backward) const { return backward ? std::vector<const std::vector<T>*>{&out_, &d_q_, &d_k_, &d_v_} : std::vector<const std::vector<T>*>{&out_}; }

 private:
  AttentionShape shape_;
  std::vector<T> q_, k_, v_, d_out_, out_, lse_, d_q_, d_k_, d_v_;
  T scale_ = 1;
  kernels::AttentionParams<T> params_;
  kernels::AttentionForward<T> result_;
  kernels::AttentionBackward<T> gradients_;
};

}  // namespace calor::measure

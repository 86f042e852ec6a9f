// A dense layer on the rows of a batch, f(x W' + b), and its gradient.  Same bits for any number of threads.
#pragma once

#include <cstdint>

namespace calor::kernels {

enum class Activation { none, tanh };

// Every array but x is contiguous.
struct DenseLayer {
  std::int64_t rows = 0, in = 0, out = 0;
  const float* x = nullptr;  // [rows][in], rows x_stride apart
  std::int64_t x_stride = 0;
  const float* weight = nullptr;  // W [out][in]
  Activation activation = Activation::none;
  int threads = 0;  // 0: all available
};

// y [rows][out] receives f(x W' + bias) + added; bias [out] and added [rows][out] may be null, and added may be y.  O(rows in out) operations.
void dense_forward(const DenseLayer& layer, const float* bias, const float* added, float* y);

// From the gradient by y, d_y [rows][out], and the layer's y (read for tanh alone; nothing was added to it): d_weight [out][in], d_bias [out], and d_x [rows][in], which receives
// `added` [rows][in] too where that is given.  Each is overwritten, and not computed where it is null; added may be d_x.
struct DenseGradient {
  float *d_x = nullptr, *d_weight = nullptr, *d_bias = nullptr;
  const float* added = nullptr;
};
void dense_backward(const DenseLayer& layer, const float* y, const float* d_y, const DenseGradient& gradient);

// y = tanh(a + b), and the gradient of a sum's tanh from d_y and y, of so many numbers.
void tanh_of_sum(const float* a, const float* b, std::int64_t count, float* y);
void through_tanh(const float* y, const float* d_y, std::int64_t count, float* d);

}  // namespace calor::kernels

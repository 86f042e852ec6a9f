#include "calor/kernels/dense.h"

#include <algorithm>

#include "calor/core/threads.h"
#include "calor/kernels/dense_steps.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/workspace.h"

namespace calor::kernels {
namespace {

using Use = WorkspaceScope::Use;

// Numbers in the longest vector; rows of x at a time, which with their results stay in the second-level cache; and units at a time of the gradient by the weights.
constexpr std::int64_t lanes = 16, row_block = 96, depth_block = 256, unit_block = 24;
// Waking a team costs about as much as this many multiply-adds on one thread.
constexpr double team_worth = 2e6;

std::int64_t padded(std::int64_t n) { return (n + lanes - 1) / lanes * lanes; }
std::int64_t blocks(std::int64_t n, std::int64_t block) { return (n + block - 1) / block; }

int team(const DenseLayer& layer) {
  const double work = static_cast<double>(layer.rows) * static_cast<double>(layer.in) * static_cast<double>(layer.out);
  return work < team_worth ? 1 : layer.threads > 0 ? layer.threads : available_threads();
}

// W' [in][padded out], the units past the last 0.
float* turned(const DenseLayer& layer, Workspace& workspace) {
  const std::int64_t width = padded(layer.out);
  float* columns = workspace.take<float>(layer.in * width);
  for (std::int64_t o = 0; o < width; o += lanes) {
    const std::int64_t here = std::min(lanes, layer.out - o);
    for (std::int64_t c = 0; c < layer.in; ++c) {
      float* to = columns + c * width + o;
      for (std::int64_t u = 0; u < here; ++u) to[u] = layer.weight[(o + u) * layer.in + c];
      std::fill(to + here, to + lanes, 0.0F);
    }
  }
  return columns;
}

// Rows [count][padded width], zeros past the last number.
void pad_rows(const float* from, std::int64_t stride, std::int64_t count, std::int64_t width, float* to) {
  const std::int64_t whole = padded(width);
  for (std::int64_t r = 0; r < count; ++r) {
    std::copy_n(from + r * stride, width, to + r * whole);
    std::fill(to + r * whole + width, to + (r + 1) * whole, 0.0F);
  }
}

// A block of rows at a time: A B into a tile of padded rows, and each of these through `finish(row, numbers)`.
template <class Finish>
void by_rows(const DenseLayer& layer, DenseProduct product, const Finish& finish) {
  const DenseSteps& steps = current_isa().dense_steps();
  const float* a = product.a;
  parallel_for(blocks(layer.rows, row_block), team(layer), [&](std::int64_t block) {
    const WorkspaceScope scratch(Use::piece);
    DenseProduct own = product;
    const std::int64_t begin = block * row_block;
    own.rows = std::min(row_block, layer.rows - begin);
    own.a = a + begin * own.a_stride;
    own.c = scratch->take<float>(own.rows * own.width);
    steps.multiply(own);
    for (std::int64_t r = 0; r < own.rows; ++r) finish(begin + r, own.c + r * own.width);
  });
}

void add_gradient_by_weights(const DenseLayer& layer, const float* d, float* d_weight, Workspace& workspace) {
  const DenseSteps& steps = current_isa().dense_steps();
  const std::int64_t width = padded(layer.in);
  const float* x = layer.x;
  if (layer.x_stride != width) {
    float* whole = workspace.take<float>(layer.rows * width);
    pad_rows(layer.x, layer.x_stride, layer.rows, layer.in, whole);
    x = whole;
  }
  parallel_for(blocks(layer.out, unit_block), team(layer), [&](std::int64_t block) {
    const WorkspaceScope scratch(Use::piece);
    const std::int64_t first = block * unit_block, units = std::min(unit_block, layer.out - first);
    float* sums = scratch->take<float>(units * width);
    std::fill_n(sums, units * width, 0.0F);
    for (std::int64_t begin = 0; begin < layer.rows; begin += depth_block)
      steps.add_transposed({d + begin * layer.out + first, layer.out, x + begin * width, units, std::min(depth_block, layer.rows - begin), width, sums});
    for (std::int64_t u = 0; u < units; ++u) std::copy_n(sums + u * width, layer.in, d_weight + (first + u) * layer.in);
  });
}

}  // namespace

void dense_forward(const DenseLayer& layer, const float* bias, const float* added, float* y) {
  const DenseSteps& steps = current_isa().dense_steps();
  const WorkspaceScope workspace(Use::problem);
  by_rows(layer, {layer.x, layer.x_stride, turned(layer, *workspace), 0, layer.in, padded(layer.out), nullptr}, [&](std::int64_t r, const float* sums) {
    steps.finish(sums, bias, added ? added + r * layer.out : nullptr, layer.out, layer.activation, y + r * layer.out);
  });
}

void dense_backward(const DenseLayer& layer, const float* y, const float* d_y, const DenseGradient& gradient) {
  const DenseSteps& steps = current_isa().dense_steps();
  const WorkspaceScope workspace(Use::problem);
  const float* d = d_y;
  if (layer.activation == Activation::tanh) {
    float* through = workspace->take<float>(layer.rows * layer.out);
    steps.through_tanh(y, d_y, layer.rows * layer.out, through);
    d = through;
  }
  if (gradient.d_bias) {
    std::fill_n(gradient.d_bias, layer.out, 0.0F);
    for (std::int64_t r = 0; r < layer.rows; ++r) steps.add(d + r * layer.out, layer.out, gradient.d_bias);
  }
  if (gradient.d_weight) add_gradient_by_weights(layer, d, gradient.d_weight, *workspace);
  if (!gradient.d_x) return;
  const std::int64_t width = padded(layer.in);
  float* rows = workspace->take<float>(layer.out * width);
  pad_rows(layer.weight, layer.in, layer.out, layer.in, rows);
  by_rows(layer, {d, layer.out, rows, 0, layer.out, width, nullptr}, [&](std::int64_t r, const float* sums) {
    const std::int64_t at = r * layer.in;
    steps.finish(sums, nullptr, gradient.added ? gradient.added + at : nullptr, layer.in, Activation::none, gradient.d_x + at);
  });
}

void tanh_of_sum(const float* a, const float* b, std::int64_t count, float* y) { current_isa().dense_steps().finish(a, b, nullptr, count, Activation::tanh, y); }

void through_tanh(const float* y, const float* d_y, std::int64_t count, float* d) { current_isa().dense_steps().through_tanh(y, d_y, count, d); }

}  // namespace calor::kernels

#include "calor/kernels/scalar/tables.h"

#include <algorithm>
#include <cmath>

namespace calor::kernels::scalar {

static constexpr std::int64_t panel = 8;

template <class T>
static T product(T a, T b) {
  return a * b;
}
// Of two pairs of whole numbers (tables.h).
template <>
std::int32_t product(std::int32_t a, std::int32_t b) {
  const auto even = [](std::int32_t pair) { return static_cast<std::int16_t>(pair & 0xFFFF); };
  return even(a) * even(b) + (a >> 16) * (b >> 16);
}

template <class T>
static void tile_of_products(const T* rows, std::int64_t row_count, const T* columns, std::int64_t panels, std::int64_t dim, T* tile,
                     std::int64_t stride) {
  for (std::int64_t r = 0; r < row_count; ++r)
    for (std::int64_t p = 0; p < panels; ++p) {
      const T* a = rows + r / panel * panel * dim + r % panel;
      const T* b = columns + p * panel * dim;
      T* c = tile + r * stride + p * panel;
      std::fill_n(c, panel, T(0));
      for (std::int64_t k = 0; k < dim; ++k)
        for (std::int64_t n = 0; n < panel; ++n) c[n] += product(a[k * panel], b[k * panel + n]);
    }
}

static void listed_dots(const float* x, const float* at, std::int64_t dim, const std::int32_t* listed, std::int64_t count, float* out) {
  for (std::int64_t n = 0; n < count; ++n) {
    const float* y = at + listed[n] * dim;
    out[n] = 0;
    for (std::int64_t c = 0; c < dim; ++c) out[n] += x[c] * y[c];
  }
}

static std::int64_t survivors(const float* product, std::int64_t width, float row_bound, const float* halves, float row_half,
                              const float* column_bounds, std::int32_t* found) {
  std::int64_t count = 0;
  for (std::int64_t c = 0; c < width; ++c)
    if (product[c] >= row_bound + halves[c] || (column_bounds && product[c] >= column_bounds[c] + row_half))
      found[count++] = static_cast<std::int32_t>(c);
  return count;
}

static void gathered_products(const float* const* rows, std::int64_t row_count, const float* columns, std::int64_t panels,
                              std::int64_t width, std::int64_t dim, float* tile, std::int64_t stride) {
  for (std::int64_t r = 0; r < row_count; ++r)
    for (std::int64_t p = 0; p < panels; ++p) {
      float* c = tile + r * stride + p * width;
      std::fill_n(c, width, 0.0f);
      for (std::int64_t k = 0; k < dim; ++k)
        for (std::int64_t n = 0; n < width; ++n) c[n] += rows[r][k] * columns[(p * dim + k) * width + n];
    }
}

static bool distances_from_products(const double* product, std::int64_t count, double row_square, const double* column_squares,
                                    double share, double* out) {
  bool cancelled = false;
  for (std::int64_t c = 0; c < count; ++c) {
    const double squares = row_square + column_squares[c];
    out[c] = squares - 2 * product[c];
    cancelled |= !(out[c] > share * squares);
  }
  return cancelled;
}

static void add_weighted_rows(const double* values, std::int64_t row_count, std::int64_t stride, std::int64_t count, const double* weights,
                              std::int64_t width, double* sums) {
  for (std::int64_t r = 0; r < row_count; ++r)
    for (std::int64_t b = 0; b < count; ++b)
      for (std::int64_t m = 0; m < width; ++m) sums[r * width + m] += values[r * stride + b] * weights[b * width + m];
}

static void exponentials(double* x, std::int64_t count) {
  for (std::int64_t c = 0; c < count; ++c) x[c] = std::exp(x[c]);
}

static double squared_distance(const double* x, const double* y, std::int64_t dim) {
  double sum = 0;
  for (std::int64_t c = 0; c < dim; ++c) sum += (x[c] - y[c]) * (x[c] - y[c]);
  return sum;
}

const Products* products() {
  static const Products table{panel, panel, panel, tile_of_products<float>, tile_of_products<double>, tile_of_products<std::int32_t>, gathered_products, listed_dots, survivors, distances_from_products, add_weighted_rows, squared_distance};
  return &table;
}

const Softmax* softmax() {
  static const Softmax table{exponentials};
  return &table;
}

}  // namespace calor::kernels::scalar

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/kernels/scalar/tables.h"

namespace calor::kernels::scalar {
namespace {

template <class T>
T leaky(T x, T slope) {
  return x > 0 ? x : slope * x;
}

template <class T>
T product(T x, T y, T, T) { return x * y; }
template <class T>
T square(T x, T y, T, T) { return (x - y) * (x - y); }
template <class T>
T joined(T x, T y, T vector, T slope) { return vector * leaky(x + y, slope); }

template <class T, T (*term)(T, T, T, T)>
void pairs(const EdgeRow<T>& row, T* result) {
  for (std::int64_t h = 0; h < row.heads; ++h)
    for (std::int64_t e = 0; e < row.count; ++e) {
      const T* other = row.others + row.column[e] * row.stride;
      T sum = 0;
      for (std::int64_t d = h * row.dim; d < (h + 1) * row.dim; ++d) sum += term(row.own[d], other[d], row.vector ? row.vector[d] : T(0), row.slope);
      result[h * row.count + e] = sum;
    }
}

template <class T>
T its_own(T, T y, T) { return y; }
template <class T>
T difference(T x, T y, T) { return y - x; }
template <class T>
T slope_at(T x, T y, T slope) { return x + y > 0 ? T(1) : slope; }
template <class T>
T leak(T x, T y, T slope) { return leaky(x + y, slope); }

template <class T, T (*term)(T, T, T)>
void sums(const EdgeRow<T>& row, const T* weights, T* result) {
  std::fill_n(result, row.heads * row.dim, T(0));
  for (std::int64_t h = 0; h < row.heads; ++h)
    for (std::int64_t e = 0; e < row.count; ++e) {
      const T* other = row.others + row.column[e] * row.stride;
      for (std::int64_t d = h * row.dim; d < (h + 1) * row.dim; ++d) result[d] += weights[h * row.count + e] * term(row.own ? row.own[d] : T(0), other[d], row.slope);
    }
}

template <class T>
void exponentials(T* weights, std::int64_t count, std::int64_t heads, const T* lse) {
  for (std::int64_t h = 0; h < heads; ++h)
    for (T* w = weights + h * count; w != weights + (h + 1) * count; ++w) *w = lse[h] == -std::numeric_limits<T>::infinity() ? T(0) : std::exp(*w - lse[h]);
}

template <class T>
void softmax(T* weights, std::int64_t count, std::int64_t heads, T* lse) {
  for (std::int64_t h = 0; h < heads; ++h) {
    const T* w = weights + h * count;
    const T greatest = std::max(*std::max_element(w, w + count), std::numeric_limits<T>::lowest());
    T sum = 0;
    for (std::int64_t e = 0; e < count; ++e) sum += std::exp(w[e] - greatest);
    lse[h] = sum == 0 ? -std::numeric_limits<T>::infinity() : greatest + std::log(sum);
  }
  exponentials(weights, count, heads, lse);
}

template <class T>
EdgeRows<T> table() {
  return {pairs<T, product<T>>, pairs<T, square<T>>, pairs<T, joined<T>>, sums<T, its_own<T>>, sums<T, difference<T>>, sums<T, slope_at<T>>, sums<T, leak<T>>, softmax<T>, exponentials<T>};
}

}  // namespace

const Edges* edges() {
  static const Edges tables{table<float>(), table<double>()};
  return &tables;
}

}  // namespace calor::kernels::scalar

// bfloat16: the upper half of a float, eight bits of precision.  Numbers are kept in it and computed with as floats.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace calor::kernels {

struct Bf16 {
  std::uint16_t bits = 0;

  Bf16() = default;
  // The nearest one, ties to even; overflow gives infinity, and NaN stays NaN.
  explicit Bf16(float x) {
    const auto whole = std::bit_cast<std::uint32_t>(x);
    bits = static_cast<std::uint16_t>(std::isnan(x) ? 0x7fc0u : (whole + 0x7fffu + ((whole >> 16) & 1u)) >> 16);
  }
  explicit operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

static_assert(sizeof(Bf16) == 2);

// What accompanies rows of T as plain numbers: scales, biases, log-sum-exps and gradients of the first two.
template <class T>
struct PlainNumber {
  using type = T;
};
template <>
struct PlainNumber<Bf16> {
  using type = float;
};
template <class T>
using Plain = typename PlainNumber<T>::type;

}  // namespace calor::kernels

// What a choice of a kernel's scale by leaving one out asks of every tile of all pairs, in double or float.  A tile's row of scores
// is given as offsets, the scores less their greatest; minus infinity leaves a key out, as it does those that fill a row up to a
// multiple of left_out_step.
//
//   u_j = exp(rate offset_j)                                  powers_of
//   w_kj = u_j v_j^k,  v_j = (D_j (1 - s_j))^(-1/4),  s_j = share u_j D_j^-1,  k = 0 .. 4        weigh_left_out
//
// D_j is the density of key j relative to the least of its tile, and s_j what the row itself has of it, at most a half: w_kj is the
// weight of key j with exponent k / 4 of the density that the row is left out of.
//
// Coifman & Lafon 2006 (the exponent), Duin 1976 (leaving one out).
#pragma once

#include <cstdint>

namespace calor::kernels {

inline constexpr int density_exponents = 5;  // 0, 1/4, 1/2, 3/4, 1
inline constexpr std::int64_t left_out_step = 16;  // every count is a multiple of it

// powers[j] = exp(rate offsets[j]), or before[j]^2 where `before`, those of half the rate, is given; returns their sum.  Relative error:
// a few units in the last place, doubled by each square.  `before` may be `powers`.
template <class T>
double powers_of(const T* offsets, T rate, const T* before, std::int64_t count, T* powers);

// thin[j] = D_j^(-1/4), at most 1.  all[k] = sum of w_kj, own[k] = sum of w_kj counts_j.  The weights of the last exponent must not
// underflow beside each other: D_j within exp(largest_spread<T>) of each other.
template <class T>
void weigh_left_out(const T* powers, const T* thin, T share, const T* counts, std::int64_t count, double* all, double* own);

// Of the logarithms of the densities of a tile.
template <class T>
inline constexpr double largest_spread = sizeof(T) == 4 ? 60 : 600;

}  // namespace calor::kernels

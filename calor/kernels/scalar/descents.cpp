#include "calor/kernels/scalar/descents.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include "calor/core/random.h"
#include "calor/kernels/fft.h"

namespace calor::kernels::scalar {

static double student_row(std::int64_t row, std::int64_t dims, const double* points, std::int64_t stride, double freedom, double* pushes) {
  double sum = 0;
  for (std::int64_t j = 0; j < row; ++j) {
    double square = 0;
    for (std::int64_t c = 0; c < dims; ++c) square += std::pow(points[c * stride + row] - points[c * stride + j], 2);
    const double base = 1 / (1 + square / freedom), weight = freedom == 1 ? base : std::pow(base, freedom);
    sum += weight;
    for (std::int64_t c = 0; c < dims; ++c) {
      const double push = weight * base * (points[c * stride + row] - points[c * stride + j]);
      pushes[c * stride + row] += push;
      pushes[c * stride + j] -= push;
    }
  }
  return sum;
}

static void student_pull(const float* points, const float* y, const std::int32_t* columns, const float* p, std::int64_t count, float share, double* pull) {
  pull[0] = pull[1] = 0;
  for (std::int64_t e = 0; e < count; ++e) {
    const float x_way = y[0] - points[2 * columns[e]], y_way = y[1] - points[2 * columns[e] + 1];
    const float strength = p[e] / (1 + share * (x_way * x_way + y_way * y_way));
    pull[0] += strength * x_way;
    pull[1] += strength * y_way;
  }
}

static double square_of(std::int64_t i, std::int64_t j, std::int64_t dims, const double* points, std::int64_t stride) {
  double square = 0;
  for (std::int64_t c = 0; c < dims; ++c) square += std::pow(points[c * stride + i] - points[c * stride + j], 2);
  return square;
}

static double gaussian_log(std::int64_t row, std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride) {
  double nearest = std::numeric_limits<double>::infinity(), sum = 0;
  for (std::int64_t j = 0; j < n; ++j)
    if (j != row) nearest = std::min(nearest, square_of(row, j, dims, points, stride));
  if (n == 1) return -nearest;
  for (std::int64_t j = 0; j < n; ++j)
    if (j != row) sum += std::exp(nearest - square_of(row, j, dims, points, stride));
  return std::log(sum) - nearest;
}

static void gaussian_push(std::int64_t row, std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride, const double* logs,
                          const double* sums, double* pushes) {
  for (std::int64_t c = 0; c < dims; ++c) pushes[c * stride + row] = 0;
  for (std::int64_t j = 0; j < n; ++j) {
    if (j == row) continue;
    const double square = square_of(row, j, dims, points, stride);
    const double strength = sums[row] * std::exp(-square - logs[row]) + sums[j] * std::exp(-square - logs[j]);
    for (std::int64_t c = 0; c < dims; ++c) pushes[c * stride + row] += strength * (points[c * stride + row] - points[c * stride + j]);
  }
}

static void fft_pass(int radix, std::int64_t groups, std::int64_t span, const float* turns, const float* re, const float* im, float* re_out,
                     float* im_out) {
  std::complex<float> roots[5];
  for (int k = 0; k < radix; ++k) roots[k] = std::polar(1.0, -2 * std::numbers::pi * k / radix);
  const std::int64_t width = span * fft_lanes;
  for (std::int64_t group = 0; group < groups; ++group)
    for (std::int64_t e = 0; e < width; ++e)
      for (int k = 0; k < radix; ++k) {
        std::complex<float> sum = 0;
        for (int j = 0; j < radix; ++j) {
          const std::int64_t at = (group + j * groups) * width + e;
          sum += roots[j * k % radix] * std::complex<float>(re[at], im[at]);
        }
        const float* turn = turns + (group * (radix - 1) + k - 1) * 2;
        if (k > 0) sum *= std::complex<float>(turn[0], turn[1]);
        re_out[(group * radix + k) * width + e] = sum.real();
        im_out[(group * radix + k) * width + e] = sum.imag();
      }
}

static void rational_moves(const RationalMoves& moves, const MovingPoints& moving) {
  std::fill_n(moving.pulled, moving.steps * moves.dims * move_lanes, 0.0F);
  for (std::int64_t lane = 0; lane < move_lanes; ++lane) {
    const auto place = [&](std::int64_t c) -> float& { return moving.places[c * move_lanes + lane]; };
    const auto move = [&](std::int64_t other, float* pulled) {
      float square = 0;
      for (std::int64_t c = 0; c < moves.dims; ++c) square += std::pow(place(c) - moves.points[other * moves.dims + c], 2.0F);
      if (!(square > 0)) return;
      const float power = std::pow(square, moves.b), below = 1 + moves.a * power;
      const float factor = pulled ? -2 * moves.a * moves.b * power / (square * below) : 2 * moves.push * moves.b / ((near_square + square) * below);
      for (std::int64_t c = 0; c < moves.dims; ++c) {
        const float way = moves.rate * std::clamp(factor * (place(c) - moves.points[other * moves.dims + c]), -longest_move, longest_move);
        place(c) += way;
        if (pulled) pulled[c * move_lanes + lane] = way;
      }
    };
    std::array<std::uint32_t, 4> drawn{};
    for (std::int64_t step = 0; step < moving.steps && moving.tails[step * move_lanes + lane] >= 0; ++step) {
      move(moving.tails[step * move_lanes + lane], moving.pulled + step * moves.dims * move_lanes);
      for (std::int64_t word = step * moves.draws; word < (step + 1) * moves.draws; ++word) {
        if (word % 4 == 0)
          drawn = philox({static_cast<std::uint32_t>(word / 4), moves.purpose, static_cast<std::uint32_t>(moving.own[lane]), moves.epoch},
                         {static_cast<std::uint32_t>(moves.seed), static_cast<std::uint32_t>(moves.seed >> 32)});
        const auto other = static_cast<std::int64_t>((static_cast<std::uint64_t>(drawn[word % 4]) * static_cast<std::uint64_t>(moves.count)) >> 32);
        if (other != moving.own[lane]) move(other, nullptr);
      }
    }
  }
}

const Descents* descents() {
  static const Descents table{student_row, student_pull, gaussian_log, gaussian_push, fft_pass, rational_moves};
  return &table;
}

}  // namespace calor::kernels::scalar

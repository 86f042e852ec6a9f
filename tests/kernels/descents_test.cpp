// What descents are made of, on every instruction set: sums over all pairs against their definition in long double, Fourier transforms
// against the sum that they are, and random moves against the scalar ones.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/kernels/attention.h"
#include "calor/kernels/descents.h"
#include "calor/kernels/fft.h"
#include "calor/kernels/gaussian_pushes.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/rational_moves.h"
#include "calor/kernels/student_sums.h"

namespace calor::kernels::test {
namespace {

constexpr double eps = std::numeric_limits<double>::epsilon();

// [dims][padded(n)], what lies beyond n far from what is counted.
std::vector<double> cloud(std::int64_t n, std::int64_t dims, double spread) {
  Random random(5, Purpose::test);
  std::vector<double> points(static_cast<std::size_t>(dims * padded(n)), 0.0);
  for (std::int64_t c = 0; c < dims; ++c)
    for (std::int64_t i = 0; i < n; ++i) points[c * padded(n) + i] = spread * random.normal();
  return points;
}

long double square_of(const std::vector<double>& points, std::int64_t n, std::int64_t dims, std::int64_t i, std::int64_t j) {
  long double square = 0;
  for (std::int64_t c = 0; c < dims; ++c) {
    const long double difference = static_cast<long double>(points[c * padded(n) + i]) - points[c * padded(n) + j];
    square += difference * difference;
  }
  return square;
}

void on_every_isa(const std::function<void()>& check) {
  for (const std::string& isa : isa_names()) {
    SCOPED_TRACE(isa);
    force_isa(isa);
    check();
  }
  force_isa("");
}

// Terms are rounded like dims + 4 units each, more with a logarithm and a power; sums like their n terms.
TEST(StudentSums, AreTheirDefinition) {
  on_every_isa([] {
    for (const double freedom : {1.0, 0.4, 3.0})
      for (const std::int64_t dims : {1, 2, 3, 5})
        for (const std::int64_t n : {1, 2, 7, 8, 9, 65, 300, 700}) {
          const std::vector<double> points = cloud(n, dims, 3);
          const std::int64_t stride = padded(n);
          std::vector<double> pushes(points.size(), -1);
          const double found = student_sums(n, dims, points.data(), stride, freedom, pushes.data(), Context());
          long double total = 0;
          for (std::int64_t i = 0; i < n; ++i) {
            std::vector<long double> push(static_cast<std::size_t>(dims), 0), size(push);
            for (std::int64_t j = 0; j < n; ++j) {
              if (j == i) continue;
              const long double base = 1 / (1 + square_of(points, n, dims, i, j) / freedom), weight = std::pow(base, static_cast<long double>(freedom));
              total += weight;
              for (std::int64_t c = 0; c < dims; ++c) {
                const long double term = weight * base * (static_cast<long double>(points[c * stride + i]) - points[c * stride + j]);
                push[c] += term;
                size[c] += std::abs(term);
              }
            }
            for (std::int64_t c = 0; c < dims; ++c)
              ASSERT_NEAR(pushes[c * stride + i], static_cast<double>(push[c]), static_cast<double>(size[c]) * 100 * eps) << n << " points of " << dims;
          }
          ASSERT_NEAR(found, static_cast<double>(total), static_cast<double>(total) * 100 * eps);
          for (std::int64_t c = 0; c < dims; ++c)
            for (std::int64_t i = n; i < stride; ++i) ASSERT_EQ(pushes[c * stride + i], 0);
        }
  });
}

TEST(StudentPull, IsItsDefinition) {
  constexpr std::int64_t n = 60;
  Random random(3, Purpose::test);
  std::vector<float> points(static_cast<std::size_t>(2 * n));
  for (float& value : points) value = static_cast<float>(20 * random.normal());
  for (const std::int64_t count : {0, 1, 3, 7, 8, 9, 16, 59}) {
    std::vector<std::int32_t> columns;
    std::vector<float> p;
    for (std::int64_t e = 0; e < count; ++e) {
      columns.push_back(static_cast<std::int32_t>(e * 7 % n));
      p.push_back(static_cast<float>(1e-5 * random.uniform()));
    }
    for (const float share : {1.0F, 4.0F}) {
      long double expected[2] = {0, 0}, magnitude = 0;
      for (std::int64_t e = 0; e < count; ++e) {
        const long double x = static_cast<long double>(points[10]) - points[2 * columns[e]], y = static_cast<long double>(points[11]) - points[2 * columns[e] + 1];
        const long double strength = p[e] / (1 + share * (x * x + y * y));
        expected[0] += strength * x;
        expected[1] += strength * y;
        magnitude += strength * (std::abs(x) + std::abs(y));
      }
      on_every_isa([&] {
        double pull[2] = {7, 7};
        current_isa().descents().student_pull(points.data(), &points[10], columns.data(), p.data(), count, share, pull);
        for (int c = 0; c < 2; ++c) EXPECT_NEAR(pull[c], static_cast<double>(expected[c]), 1e-6 * static_cast<double>(magnitude)) << count << " edges, share " << share;
      });
    }
  }
}

TEST(GaussianPushes, AreTheirDefinitionWithoutUnderflow) {
  on_every_isa([] {
    for (const double spread : {0.5, 20.0})  // rows whose nearest is hundreds away: exp(-d^2) is 0
      for (const std::int64_t dims : {1, 2, 3, 5})
        for (const std::int64_t n : {2, 7, 8, 9, 200}) {
          const std::vector<double> points = cloud(n, dims, spread);
          const std::int64_t stride = padded(n);
          std::vector<double> logs(static_cast<std::size_t>(stride), 0.0), sums(logs), pushes(points.size(), -1);
          for (std::int64_t i = 0; i < n; ++i) sums[i] = i % 3 == 2 ? 0 : 1;
          gaussian_logs(n, dims, points.data(), stride, logs.data(), Context());
          gaussian_pushes(n, dims, points.data(), stride, logs.data(), sums.data(), pushes.data(), Context());
          std::vector<long double> expected(static_cast<std::size_t>(n), 0);
          for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j < n; ++j)
              if (j != i) expected[i] += std::exp(-square_of(points, n, dims, i, j));
            expected[i] = std::log(expected[i]);
            ASSERT_NEAR(logs[i], static_cast<double>(expected[i]), 100 * eps * (1 + std::abs(static_cast<double>(expected[i]))));
          }
          for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t c = 0; c < dims; ++c) {
              long double push = 0, size = 0;
              for (std::int64_t j = 0; j < n; ++j) {
                if (j == i) continue;
                const long double square = square_of(points, n, dims, i, j);
                const long double term = (sums[i] * std::exp(-square - expected[i]) + sums[j] * std::exp(-square - expected[j])) *
                                         (static_cast<long double>(points[c * stride + i]) - points[c * stride + j]);
                push += term;
                size += std::abs(term) * (1 + square);
              }
              ASSERT_NEAR(pushes[c * stride + i], static_cast<double>(push), static_cast<double>(size) * 100 * eps + 1e-300);
            }
        }
  });
}

// Gentleman & Sande's bound for float is about log2(size) eps of the root mean square; transforms of random numbers keep it.
TEST(Fft, IsTheSumThatItIs) {
  on_every_isa([] {
    for (const std::int64_t size : {1, 2, 3, 4, 5, 6, 8, 12, 15, 30, 60, 96, 125, 300, 324}) {
      const Fft fft(size);
      Random random(9, Purpose::test);
      std::vector<float> re(static_cast<std::size_t>(size * fft_lanes)), im(re.size()), scratch(static_cast<std::size_t>(fft.scratch_floats()));
      for (std::size_t e = 0; e < re.size(); ++e) {
        re[e] = static_cast<float>(random.normal());
        im[e] = static_cast<float>(random.normal());
      }
      const std::vector<float> given_re = re, given_im = im;
      fft.transform(re.data(), im.data(), scratch.data());
      for (const std::int64_t lane : {0, 3, 15})
        for (std::int64_t k = 0; k < size; ++k) {
          std::complex<double> sum = 0;
          for (std::int64_t j = 0; j < size; ++j)
            sum += std::complex<double>(given_re[j * fft_lanes + lane], given_im[j * fft_lanes + lane]) *
                   std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(j * k % size) / static_cast<double>(size));
          const double bound = 4e-7 * (1 + std::log2(static_cast<double>(size))) * std::sqrt(2.0 * static_cast<double>(size));
          ASSERT_LT(std::abs(sum - std::complex<double>(re[k * fft_lanes + lane], im[k * fft_lanes + lane])), bound) << k << " of " << size;
        }
      fft.transform(im.data(), re.data(), scratch.data());  // and back
      for (std::size_t e = 0; e < re.size(); ++e) ASSERT_NEAR(re[e] / static_cast<float>(size), given_re[e], 3e-6);
    }
  });
}

TEST(Fft, KnowsItsLengths) {
  EXPECT_EQ(smooth_length(7), 8);
  EXPECT_EQ(smooth_length(97), 100);
  EXPECT_EQ(smooth_length(120), 120);
  EXPECT_THROW(Fft(14), Error);
}

// The same draws on every instruction set, so that after a few small moves only rounding tells them apart.
TEST(RationalMoves, AreTheScalarOnes) {
  constexpr std::int64_t n = 50, steps = 6;
  for (const std::int64_t dims : {1, 2, 3, 5}) {
    Random random(3, Purpose::test);
    std::vector<float> points(static_cast<std::size_t>(dims * n)), places(static_cast<std::size_t>(dims * move_lanes));
    for (float& x : points) x = static_cast<float>(5 * random.normal());
    std::vector<std::int32_t> own(move_lanes), tails(static_cast<std::size_t>(steps * move_lanes));
    for (std::int64_t lane = 0; lane < move_lanes; ++lane) {
      own[lane] = static_cast<std::int32_t>(lane * 3);
      for (std::int64_t step = 0; step < steps; ++step) tails[step * move_lanes + lane] = step < lane % 7 ? static_cast<std::int32_t>((lane + step * 5) % n) : -1;
      for (std::int64_t c = 0; c < dims; ++c) places[c * move_lanes + lane] = points[own[lane] * dims + c];
    }
    RationalMoves moves;
    moves.points = points.data();
    moves.count = n;
    moves.dims = dims;
    moves.a = 1.577F;
    moves.b = 0.895F;
    moves.rate = 0.05F;
    moves.seed = 0x123456789ABCDEF0;
    moves.purpose = 3;
    moves.epoch = 7;
    for (const std::int64_t draws : {1, 5, 11}) {
      moves.draws = draws;
      force_isa("scalar");
      std::vector<float> expected = places, expected_ways(static_cast<std::size_t>(steps * dims * move_lanes), -1);
      current_isa().descents().rational_moves(moves, {own.data(), tails.data(), steps, expected.data(), expected_ways.data()});
      on_every_isa([&] {
        std::vector<float> found = places, ways(expected_ways.size(), -1);
        current_isa().descents().rational_moves(moves, {own.data(), tails.data(), steps, found.data(), ways.data()});
        for (std::size_t e = 0; e < ways.size(); ++e) ASSERT_NEAR(ways[e], expected_ways[e], 1e-4) << "pull " << e;
        for (std::size_t e = 0; e < found.size(); ++e) ASSERT_NEAR(found[e], expected[e], 1e-4) << dims << " dimensions, " << draws << " draws";
      });
      EXPECT_NE(expected, places);
      EXPECT_EQ(expected[0], places[0]) << "a point without pulls stays";
    }
  }
}

}  // namespace
}  // namespace calor::kernels::test

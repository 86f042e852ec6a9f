// What descents are made of, on every instruction set: sums over all pairs against their definition in long double, Fourier transforms
// against the sum that they are, and random moves against the scalar ones.
#include <gtest/gtest.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <map>
#include <numbers>
#include <string>
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

struct MovingGroups {
  std::vector<std::int32_t> own, tails;
  std::vector<std::int64_t> steps, begin;
  std::vector<float> places, ways;

  void move(const RationalMoves& moves) {
    std::fill(ways.begin(), ways.end(), -1.0F);
    for (std::size_t g = 0; g < steps.size(); ++g)
      current_isa().descents().rational_moves(moves, {own.data() + static_cast<std::int64_t>(g) * move_lanes, tails.data() + begin[g] * move_lanes, steps[g],
                                                      places.data() + static_cast<std::int64_t>(g) * moves.dims * move_lanes, ways.data() + begin[g] * moves.dims * move_lanes});
  }
};

// The same draws on every instruction set, so that after a few small moves only rounding tells them apart; and those with fused multiply-adds to the bit.
TEST(RationalMoves, AreTheScalarOnes) {
  constexpr std::int64_t n = 150;
  for (const std::int64_t dims : {1, 2, 3, 5}) {
    Random random(3, Purpose::test);
    std::vector<float> points(static_cast<std::size_t>(dims * n));
    for (float& x : points) x = static_cast<float>(5 * random.normal());
    MovingGroups groups;
    groups.steps = {6, 2, 6, 0, 4};
    std::int64_t all = 0;
    for (std::size_t g = 0; g < groups.steps.size(); ++g) {
      const auto first = static_cast<std::int64_t>(groups.own.size());
      groups.begin.push_back(all);
      all += groups.steps[g];
      for (std::int64_t lane = 0; lane < move_lanes; ++lane) groups.own.push_back(static_cast<std::int32_t>((first + lane) * 29 % n));
      for (std::int64_t step = 0; step < groups.steps[g]; ++step)
        for (std::int64_t lane = 0; lane < move_lanes; ++lane)
          groups.tails.push_back(step < std::min(groups.steps[g], lane % 7) ? static_cast<std::int32_t>((first + lane + step * 5) % n) : -1);
      for (std::int64_t c = 0; c < dims; ++c)
        for (std::int64_t lane = 0; lane < move_lanes; ++lane) groups.places.push_back(points[groups.own[first + lane] * dims + c]);
    }
    groups.ways.resize(static_cast<std::size_t>(all * dims * move_lanes));
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
      MovingGroups expected = groups;
      expected.move(moves);
      std::map<std::string, MovingGroups> by_isa;
      on_every_isa([&] {
        MovingGroups found = groups;
        found.move(moves);
        for (std::size_t e = 0; e < found.ways.size(); ++e) ASSERT_NEAR(found.ways[e], expected.ways[e], 1e-4) << "pull " << e;
        for (std::size_t e = 0; e < found.places.size(); ++e) ASSERT_NEAR(found.places[e], expected.places[e], 1e-4) << dims << " dimensions, " << draws << " draws";
        by_isa[std::string(current_isa().name)] = found;
      });
      if (by_isa.contains("avx2") && by_isa.contains("avx512")) {
        EXPECT_EQ(by_isa["avx2"].places, by_isa["avx512"].places);
        EXPECT_EQ(by_isa["avx2"].ways, by_isa["avx512"].ways);
      }
      EXPECT_NE(expected.places, groups.places);
      EXPECT_EQ(expected.places[0], groups.places[0]) << "a point without pulls stays";
    }
  }
}

// One pull over each distance, against the definition in double: the power d^(2 b) is within 1e-6 (1 + b |log2 d^2|) of itself, the rest a few roundings.
TEST(RationalMoves, PullByThePowerOfAnyDistance) {
  for (const double b : {0.3, 0.895, 1.0, 2.0}) {
    RationalMoves moves;
    moves.count = 2;
    moves.dims = 1;
    moves.a = 1.577F;
    moves.b = static_cast<float>(b);
    moves.draws = 0;
    for (double distance = 1e-7; distance < 1e4; distance *= 1.37) {
      const std::vector<float> points{0, static_cast<float>(distance)};
      moves.points = points.data();
      const double square = static_cast<double>(points[1]) * points[1], power = std::pow(square, static_cast<double>(moves.b));
      const double way = std::min(4.0, 2 * static_cast<double>(moves.a) * static_cast<double>(moves.b) * power / (square * (1 + static_cast<double>(moves.a) * power)) * points[1]);
      on_every_isa([&] {
        const std::vector<std::int32_t> own(move_lanes, 0), tails(move_lanes, 1);
        std::vector<float> places(move_lanes, 0), ways(move_lanes, 0);
        current_isa().descents().rational_moves(moves, {own.data(), tails.data(), 1, places.data(), ways.data()});
        const double bound = 1e-6 * (2 + b * std::abs(std::log2(square)));
        for (const float found : ways) ASSERT_NEAR(found, way, bound * way) << distance << " to the power " << 2 * b;
      });
    }
  }
}

}  // namespace
}  // namespace calor::kernels::test

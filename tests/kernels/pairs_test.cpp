// The reductions over pairs of every instruction set against loops in double, over sizes that straddle every vector, panel
// and register-tile tail.  Tolerance of a product: gamma_{d+1} sum |x_k y_k| (Higham 2002, section 3.1), the bound that
// packed_points.h builds on.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "calor/core/random.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/packed_centres.h"
#include "tests/kernels/problem.h"

namespace calor::kernels::test {
namespace {

template <class T>
std::vector<T> normal(std::int64_t count, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  std::vector<T> x(static_cast<std::size_t>(count));
  for (T& value : x) value = static_cast<T>(random.normal());
  return x;
}

// [panel][dim][width], the last panel filled up with zeros, 64-byte aligned.
template <class T>
T* pack(const std::vector<T>& points, std::int64_t count, std::int64_t dim, std::int64_t width, Workspace& memory) {
  const std::int64_t panels = (count + width - 1) / width;
  T* packed = memory.take<T>(panels * width * dim);
  std::fill_n(packed, panels * width * dim, T(0));
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t k = 0; k < dim; ++k) packed[(i / width * dim + k) * width + i % width] = points[i * dim + k];
  return packed;
}

template <class T, class Product>
void expect_products(std::int64_t rows, std::int64_t columns, std::int64_t dim, std::int64_t width, const Product& product) {
  const auto x = normal<T>(rows * dim, 1), y = normal<T>(columns * dim, 2);
  Workspace memory;
  const T* packed_columns = pack(y, columns, dim, width, memory);
  const std::int64_t panels = (columns + width - 1) / width, stride = panels * width + 3;
  std::vector<T> tile(static_cast<std::size_t>(rows * stride), T(77));
  product(x, packed_columns, panels, tile.data(), stride, memory);
  const double unit = std::numeric_limits<T>::epsilon() / 2 * static_cast<double>(dim + 1), gamma = unit / (1 - unit);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      double sum = 0, size = 0;
      for (std::int64_t k = 0; k < dim; ++k) {
        const double term = static_cast<double>(x[i * dim + k]) * y[j * dim + k];
        sum += term;
        size += std::abs(term);
      }
      ASSERT_NEAR(tile[i * stride + j], sum, gamma * size + 1e-15 * size) << i << ", " << j << " of " << rows << " x " << columns << " x " << dim;
    }
    for (std::int64_t j = panels * width; j < stride; ++j) ASSERT_EQ(tile[i * stride + j], T(77)) << "written beyond the panels";
  }
}

constexpr std::int64_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 63, 64, 65, 70};
constexpr std::int64_t dims[] = {1, 2, 3, 5, 8, 17, 159, 160, 161, 333};

TEST(Pairs, ProductsEqualLoops) {
  for (const Isa& isa : runnable_isas()) {
    SCOPED_TRACE(isa.name);
    const Products& pairs = isa.products();
    for (std::size_t n = 0; n < std::size(sizes); ++n) {
      const std::int64_t rows = sizes[n], columns = sizes[(n + 7) % std::size(sizes)], dim = dims[n % std::size(dims)];
      expect_products<float>(rows, columns, dim, pairs.panel_width,
                             [&](const std::vector<float>& x, const float* y, std::int64_t panels, float* tile, std::int64_t stride, Workspace& memory) {
                               pairs.products(pack(x, rows, dim, pairs.panel_width, memory), rows, y, panels, dim, tile, stride);
                             });
      expect_products<double>(rows, columns, dim, pairs.double_panel_width,
                              [&](const std::vector<double>& x, const double* y, std::int64_t panels, double* tile, std::int64_t stride, Workspace& memory) {
                                pairs.double_products(pack(x, rows, dim, pairs.double_panel_width, memory), rows, y, panels, dim, tile, stride);
                              });
      for (const std::int64_t width : {pairs.panel_width / 2, pairs.panel_width})
        expect_products<float>(rows, columns, dim, width,
                               [&](const std::vector<float>& x, const float* y, std::int64_t panels, float* tile, std::int64_t stride, Workspace&) {
                                 std::vector<const float*> at;
                                 for (std::int64_t i = 0; i < rows; ++i) at.push_back(x.data() + i * dim);
                                 pairs.gathered_products(at.data(), rows, y, panels, width, dim, tile, stride);
                               });
    }
  }
}

// Of whole numbers up to the sizes that fit: the sums of a row of the largest are just below 2^31 in size.
TEST(Pairs, WholeProductsAreExact) {
  Random random(9, Purpose::test);
  for (const Isa& isa : runnable_isas()) {
    SCOPED_TRACE(isa.name);
    const Products& pairs = isa.products();
    for (std::size_t n = 0; n < std::size(sizes); ++n) {
      const std::int64_t rows = sizes[n], columns = sizes[(n + 7) % std::size(sizes)], dim = dims[n % std::size(dims)], steps = (dim + 1) / 2;
      const auto largest = static_cast<std::int32_t>(std::min(32767.0, std::floor(std::sqrt(0x1p31 - 1) / std::sqrt(static_cast<double>(dim)))));
      const auto drawn = [&](std::int64_t count) {
        std::vector<std::int32_t> numbers(static_cast<std::size_t>(count * 2 * steps), 0);
        for (std::int64_t i = 0; i < count; ++i)
          for (std::int64_t c = 0; c < dim; ++c)
            numbers[i * 2 * steps + c] = i == 0 ? -largest : i == 1 ? largest : static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(2 * largest + 1))) - largest;
        return numbers;
      };
      const auto paired = [&](const std::vector<std::int32_t>& numbers, std::int64_t count) {
        std::vector<std::int32_t> steps_of;
        for (std::int64_t s = 0; s < count * steps; ++s)
          steps_of.push_back(static_cast<std::int32_t>(static_cast<std::uint32_t>(numbers[2 * s + 1]) << 16 | (static_cast<std::uint32_t>(numbers[2 * s]) & 0xFFFF)));
        return steps_of;
      };
      const auto x = drawn(rows), y = drawn(columns);
      Workspace memory;
      const std::int64_t width = pairs.whole_panel_width, panels = (columns + width - 1) / width, stride = panels * width + 3;
      std::vector<std::int32_t> tile(static_cast<std::size_t>(rows * stride), 77);
      pairs.whole_products(pack(paired(x, rows), rows, steps, width, memory), rows, pack(paired(y, columns), columns, steps, width, memory), panels, steps, tile.data(), stride);
      for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < columns; ++j) {
          std::int64_t sum = 0;
          for (std::int64_t c = 0; c < dim; ++c) sum += static_cast<std::int64_t>(x[i * 2 * steps + c]) * y[j * 2 * steps + c];
          ASSERT_EQ(tile[i * stride + j], sum) << i << ", " << j << " of " << rows << " x " << columns << " x " << dim;
        }
        for (std::int64_t j = panels * width; j < stride; ++j) ASSERT_EQ(tile[i * stride + j], 77) << "written beyond the panels";
      }
    }
  }
}

TEST(Pairs, SurvivorsEqualTheirDefinition) {
  for (const Isa& isa : runnable_isas()) {
    SCOPED_TRACE(isa.name);
    const std::int64_t width = 4 * isa.products().panel_width;
    const auto products = normal<float>(width, 1);
    auto halves = normal<float>(width, 2), bounds = normal<float>(width, 3);
    halves[5] = bounds[5] = std::numeric_limits<float>::infinity();  // what fills up a panel
    const float open = std::numeric_limits<float>::lowest();         // a row that takes everything
    for (const float row_bound : {-2.0f, 0.0f, 1.5f, open})
      for (const bool both : {false, true}) {
        std::vector<std::int32_t> expected, found(static_cast<std::size_t>(width));
        for (std::int64_t c = 0; c < width; ++c)
          if (products[c] >= row_bound + halves[c] || (both && products[c] >= bounds[c] + 0.3f)) expected.push_back(static_cast<std::int32_t>(c));
        found.resize(static_cast<std::size_t>(isa.products().survivors(products.data(), width, row_bound, halves.data(), 0.3f,
                                                                   both ? bounds.data() : nullptr, found.data())));
        EXPECT_EQ(found, expected);
      }
  }
}

// Whole numbers: every order of summation gives the same.
TEST(Pairs, SquaredDistances) {
  for (const Isa& isa : runnable_isas())
    for (std::int64_t dim = 0; dim < 70; ++dim) {
      std::vector<double> x(static_cast<std::size_t>(dim)), y(x);
      double expected = 0;
      for (std::int64_t c = 0; c < dim; ++c) {
        x[c] = static_cast<double>(c * c % 11) + 1e6;
        y[c] = static_cast<double>(c % 7) + 1e6;
        expected += (x[c] - y[c]) * (x[c] - y[c]);
      }
      EXPECT_EQ(isa.products().squared_distance(x.data(), y.data(), dim), expected) << isa.name << ", " << dim;
    }
}

// The promise that the searches rest on: the estimate is never further from the truth than its bound says.  Data chosen to
// use it up: same signs, far from the centre, so that roundings add up.
TEST(PackedPoints, EstimatesAreWithinTheirBound) {
  for (const Isa& isa : runnable_isas())
    for (const std::int64_t dim : {1, 3, 40, 700})
      for (const double outlier : {1.0, 1e4}) {
        SCOPED_TRACE(fmt::format("{} {} {}", isa.name, dim, outlier));
        constexpr std::int64_t n = 67;
        Random random(4, Purpose::test);
        std::vector<double> x(static_cast<std::size_t>(n * dim));
        for (double& value : x) value = 1e3 + random.uniform();
        for (std::int64_t c = 0; c < dim; ++c) x[c] += outlier;
        const PointsView view{x.data(), n, dim, nullptr};
        const Frame frame(view, view, false, Context());
        const PackedPoints packed(isa.products(), view, frame, Context());
        const std::int64_t panels = (n + packed.panel_width() - 1) / packed.panel_width(), stride = panels * packed.panel_width();
        std::vector<float> tile(static_cast<std::size_t>(n * stride));
        isa.products().products(packed.panel(0), n, packed.panel(0), panels, dim, tile.data(), stride);
        for (std::int64_t i = 0; i < n; ++i)
          for (std::int64_t j = 0; j < n; ++j) {
            long double truth = 0;
            for (std::int64_t c = 0; c < dim; ++c) {
              const long double difference = static_cast<long double>(x[i * dim + c]) - x[j * dim + c];
              truth += difference * difference;
            }
            truth *= static_cast<long double>(frame.scale) * frame.scale;
            const double squares = packed.square(i) + packed.square(j), estimate = squares - 2.0 * tile[i * stride + j];
            ASSERT_LE(std::abs(static_cast<double>(estimate - truth)), frame.relative * squares + frame.absolute) << i << ", " << j;
          }
      }
}

}  // namespace
}  // namespace calor::kernels::test

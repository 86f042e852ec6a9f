// Tiles of double products, distances and exponentials on every instruction set, against loops in long double.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "calor/core/random.h"
#include "calor/kernels/packed_doubles.h"
#include "tests/kernels/problem.h"

namespace calor::kernels::test {
namespace {

// Tiles that begin and end anywhere in panels and in blocks of 128.
TEST(PackedDoubles, TilesAnywhere) {
  constexpr std::int64_t n = 300, dim = 7;
  constexpr double unit = std::numeric_limits<double>::epsilon() / 2;
  Random random(1, Purpose::test);
  std::vector<double> x(n * dim), centre(dim);
  for (double& value : x) value = random.normal() + 3;
  for (double& value : centre) value = 3;
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    const PackedDoubles packed({x.data(), n, dim, nullptr}, centre.data(), Context());
    for (const auto& [row, rows, column, columns] :
         {std::array<std::int64_t, 4>{0, 1, 0, 1}, {0, 128, 0, 300}, {5, 17, 131, 33}, {127, 2, 255, 45}, {16, 284, 32, 268}, {299, 1, 299, 1}}) {
      SCOPED_TRACE(fmt::format("{} {}+{} {}+{}", isa, row, rows, column, columns));
      const std::int64_t stride = columns + 1;
      std::vector<double> tile(static_cast<std::size_t>(rows * stride), -77.0);
      products(packed, row, rows, packed, column, columns, tile.data(), stride);
      for (std::int64_t a = 0; a < rows; ++a) {
        for (std::int64_t b = 0; b < columns; ++b) {
          long double sum = 0, size = 0;
          for (std::int64_t c = 0; c < dim; ++c) {
            const long double term = static_cast<long double>(x[(row + a) * dim + c] - 3) * (x[(column + b) * dim + c] - 3);
            sum += term;
            size += std::abs(term);
          }
          ASSERT_NEAR(tile[a * stride + b], static_cast<double>(sum), static_cast<double>((dim + 2) * unit * size)) << a << ", " << b;
        }
        ASSERT_EQ(tile[a * stride + columns], -77.0) << "written beyond the tile";
      }
    }
    std::vector<double> all(n * n);
    products(packed, 0, n, packed, 0, n, all.data(), n);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < i; ++j) ASSERT_EQ(all[i * n + j], all[j * n + i]) << isa;
  }
}

// Of an odd number of dimensions, in order and listed; what is no whole number of 15 bits counts as 0.
TEST(PackedWhole, TilesAnywhere) {
  constexpr std::int64_t n = 300, dim = 7;
  Random random(2, Purpose::test);
  std::vector<double> x(n * dim);
  for (double& value : x) value = static_cast<double>(random.below(511)) - 255;
  std::vector<double> kept = x;
  for (const auto& [at, other] : {std::pair<std::size_t, double>{3, 0.5}, {40, 32768.0}, {41, std::numeric_limits<double>::quiet_NaN()}}) {
    x[at] = other;
    kept[at] = 0;
  }
  const std::vector<std::int64_t> listed{299, 0, 17, 17, 5, 128, 127, 33};
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    const PackedWhole packed({x.data(), n, dim, nullptr}, nullptr, Context());
    const auto expect = [&](std::int64_t i, std::int64_t j, double found) {
      double sum = 0;
      for (std::int64_t c = 0; c < dim; ++c) sum += kept[i * dim + c] * kept[j * dim + c];
      ASSERT_EQ(found, sum) << isa << ": " << i << ", " << j;
      if (i == j) {
        ASSERT_EQ(packed.square(i), sum);
      }
    };
    std::vector<double> tile(n * n);
    for (const auto& [row, rows, column, columns] : {std::array<std::int64_t, 4>{0, n, 0, n}, {5, 17, 131, 33}, {299, 1, 299, 1}}) {
      products(packed, row, rows, packed, column, columns, tile.data(), columns);
      for (std::int64_t a = 0; a < rows; ++a)
        for (std::int64_t b = 0; b < columns; ++b) expect(row + a, column + b, tile[a * columns + b]);
    }
    for (const auto& [column, columns] : {std::array<std::int64_t, 2>{0, n}, {37, 201}}) {
      listed_products(packed, listed.data(), static_cast<std::int64_t>(listed.size()), packed, column, columns, tile.data(), columns);
      for (std::size_t a = 0; a < listed.size(); ++a)
        for (std::int64_t b = 0; b < columns; ++b) expect(listed[a], column + b, tile[static_cast<std::int64_t>(a) * columns + b]);
    }
  }
}

TEST(PackedWhole, SaysWhatItTakes) {
  const auto largest = [](std::vector<double> x) { return largest_whole({x.data(), 1, static_cast<std::int64_t>(x.size()), nullptr}); };
  EXPECT_EQ(largest({0, -0.0, 3, -32767}), 32767);
  EXPECT_EQ(largest({}), 0);
  for (const double other : {0.5, 32768.0, -32768.0, 1e300, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(), 1 + 1e-15})
    EXPECT_EQ(largest({1, other, 2}), -1) << other;
  EXPECT_TRUE(products_stay_whole(255, 255, 33025));  // 255^2 * 33025 is 2147450625
  EXPECT_FALSE(products_stay_whole(255, 255, 33026));
  EXPECT_FALSE(products_stay_whole(-1, 1, 1));
}

TEST(PackedDoubles, DistancesTellWhatCancelled) {
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    for (std::int64_t count = 1; count < 40; ++count) {
      std::vector<double> product(static_cast<std::size_t>(count), 1.0), squares(product), out(product);
      for (std::int64_t c = 0; c < count; ++c) squares[c] = 5 + static_cast<double>(c);
      EXPECT_FALSE(distances_from_products(product.data(), count, 2, squares.data(), 1e-3, out.data()));
      for (std::int64_t c = 0; c < count; ++c) EXPECT_EQ(out[c], 5 + static_cast<double>(c));
      for (std::int64_t c = 0; c < count; ++c) {
        auto one = product;
        one[c] = (2 + squares[c]) / 2 - 1e-4;
        EXPECT_TRUE(distances_from_products(one.data(), count, 2, squares.data(), 1e-3, out.data())) << isa << ", " << c << " of " << count;
      }
    }
  }
}

TEST(PackedDoubles, ExponentialsAreWithinAUnitInTheLastPlace) {
  constexpr double unit = std::numeric_limits<double>::epsilon(), nothing = -std::numeric_limits<double>::infinity();
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    std::vector<double> x;
    for (int n = 0; n < 4001; ++n) x.push_back(-700 + 0.19 * n);
    x.insert(x.end(), {0.0, -0.0, nothing, -1e4, -1e300});
    std::vector<double> y = x;
    exponentials(y.data(), static_cast<std::int64_t>(y.size()));
    for (std::size_t n = 0; n < x.size(); ++n) {
      const auto truth = static_cast<double>(std::exp(static_cast<long double>(x[n])));
      ASSERT_LE(std::abs(y[n] - truth), unit * truth) << isa << ": exp " << x[n];
    }
  }
}

// Every number of rows and columns; what lies beside the sums stays, and a row has the same bits alone.
TEST(PackedDoubles, WeightedRows) {
  Random random(4, Purpose::test);
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    for (const std::int64_t width : {8, 16, 24, 32, 48})
      for (const std::int64_t rows : {1, 2, 3, 4, 5, 9})
        for (const std::int64_t count : {1, 2, 7, 8, 9, 30}) {
          SCOPED_TRACE(fmt::format("{} {} rows {} weights of {}", isa, rows, count, width));
          const std::int64_t stride = count + 2;
          std::vector<double> values(rows * stride), weights(count * width), sums((rows + 1) * width, 0.5);
          for (double& value : values) value = random.normal();
          for (double& value : weights) value = random.normal();
          add_weighted_rows(values.data(), rows, stride, count, weights.data(), width, sums.data());
          for (std::int64_t r = 0; r < rows; ++r) {
            for (std::int64_t m = 0; m < width; ++m) {
              long double sum = 0.5, size = 0.5;
              for (std::int64_t b = 0; b < count; ++b) {
                const long double term = static_cast<long double>(values[r * stride + b]) * weights[b * width + m];
                sum += term;
                size += std::abs(term);
              }
              ASSERT_NEAR(sums[r * width + m], static_cast<double>(sum), static_cast<double>(size) * (count + 1) * 1.2e-16) << r << ", " << m;
            }
          }
          std::vector<double> alone(width, 0.5);
          add_weighted_rows(values.data() + (rows - 1) * stride, 1, stride, count, weights.data(), width, alone.data());
          for (std::int64_t m = 0; m < width; ++m) ASSERT_EQ(alone[m], sums[(rows - 1) * width + m]);
          for (std::int64_t m = 0; m < width; ++m) ASSERT_EQ(sums[rows * width + m], 0.5);
        }
  }
}

}  // namespace
}  // namespace calor::kernels::test

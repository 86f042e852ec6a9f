// Weights with a row left out of the densities, on every instruction set, against their definition in long double.
#include "calor/kernels/left_out.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "calor/core/random.h"
#include "tests/kernels/problem.h"

namespace calor::kernels::test {
namespace {

template <class T>
struct Row {
  std::vector<T> offsets, thin, counts;
  T share;
};

// Shares up to a half: on one end of the series that the small ones are summed by, and far on the other.
template <class T>
Row<T> row(std::int64_t count, double share, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Row<T> made;
  for (std::int64_t j = 0; j < count; ++j) {
    made.offsets.push_back(j % 7 == 3 ? -std::numeric_limits<T>::infinity() : static_cast<T>(-random.uniform(0, 9)));
    made.thin.push_back(static_cast<T>(std::exp(-random.uniform(0, 3))));
    made.counts.push_back(static_cast<T>(random.normal()));
  }
  made.share = static_cast<T>(share);
  return made;
}

template <class T>
void check(std::int64_t count, double share) {
  const Row<T> given = row<T>(count, share, 5);
  const T rate = static_cast<T>(0.7);
  std::vector<T> powers(given.offsets.size());
  const double sum = powers_of<T>(given.offsets.data(), rate, nullptr, count, powers.data());
  const long double unit = std::numeric_limits<T>::epsilon();
  long double expected = 0, alls[density_exponents] = {}, owns[density_exponents] = {}, sizes[density_exponents] = {};
  for (std::size_t j = 0; j < powers.size(); ++j) {
    const long double power = std::exp(static_cast<long double>(rate) * given.offsets[j]);
    EXPECT_NEAR(powers[j], power, 20 * unit * power) << j;
    expected += power;
    const long double kept = 1 - static_cast<long double>(given.share) * powers[j] * std::pow(static_cast<long double>(given.thin[j]), 4);
    for (int k = 0; k < density_exponents; ++k) {
      const long double weight = powers[j] * std::pow(static_cast<long double>(given.thin[j]), k) * std::pow(kept, -0.25L * k);
      alls[k] += weight;
      owns[k] += weight * given.counts[j];
      sizes[k] += weight * std::abs(static_cast<long double>(given.counts[j]));
    }
  }
  const long double bound = (30 + static_cast<long double>(count) / 4) * unit;  // of roundings: a lane's terms, and those of each weight
  EXPECT_NEAR(sum, expected, bound * expected);
  double all[density_exponents], own[density_exponents];
  weigh_left_out<T>(powers.data(), given.thin.data(), given.share, given.counts.data(), count, all, own);
  for (int k = 0; k < density_exponents; ++k) {
    EXPECT_NEAR(all[k], alls[k], bound * alls[k]) << k;
    EXPECT_NEAR(own[k], owns[k], bound * sizes[k]) << k;
  }
  std::vector<T> squares = powers;
  const double squared = powers_of<T>(given.offsets.data(), rate, squares.data(), count, squares.data());
  long double total = 0;
  for (std::size_t j = 0; j < powers.size(); ++j) {
    EXPECT_EQ(squares[j], powers[j] * powers[j]);
    total += static_cast<long double>(powers[j]) * powers[j];
  }
  EXPECT_NEAR(squared, total, bound * total);
}

TEST(LeftOut, IsItsDefinition) {
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    SCOPED_TRACE(isa);
    for (const std::int64_t count : {16, 48, 512})
      for (const double share : {0.0, 1e-6, 9e-4, 0.02, 0.5}) {
        check<float>(count, share);
        check<double>(count, share);
      }
  }
}

// Where the series ends and roots begin, with all keys alike: no error is lost among smaller ones.
TEST(LeftOut, TheSeriesHoldsToItsEnd) {
  const std::vector<double> ones(16, 1);
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    SCOPED_TRACE(isa);
    for (const double share : {0x1p-10, 0x1.01p-10}) {
      double all[density_exponents], own[density_exponents];
      weigh_left_out<double>(ones.data(), ones.data(), share, ones.data(), 16, all, own);
      for (int k = 0; k < density_exponents; ++k) {
        const long double weight = std::pow(1 - static_cast<long double>(share), -0.25L * k);
        EXPECT_NEAR(all[k] / 16, weight, 20 * std::numeric_limits<double>::epsilon()) << k;  // 4 products of roundings each
      }
    }
  }
}

TEST(LeftOut, NothingIsNothing) {
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    SCOPED_TRACE(isa);
    const std::vector<double> offsets(16, -std::numeric_limits<double>::infinity()), thin(16, 1), counts(16, 1);
    std::vector<double> powers(16);
    EXPECT_EQ(powers_of<double>(offsets.data(), 1, nullptr, 16, powers.data()), 0);
    double all[density_exponents], own[density_exponents];
    weigh_left_out<double>(powers.data(), thin.data(), 0.5, counts.data(), 16, all, own);
    for (int k = 0; k < density_exponents; ++k) EXPECT_EQ(all[k], 0);
  }
}

}  // namespace
}  // namespace calor::kernels::test

// Derivatives by jets: of polynomials, where they are numbers, and of everything else against central differences of the jets of one order
// less (step h: h^2/6 |f'''| + eps |f| / h, below 1e-9 here for h = 1e-5).
#include "calor/limit/jet.h"

#include <gtest/gtest.h>

namespace calor::limit {
namespace {

TEST(Jet, PolynomialsAreExact) {
  const auto y = variables<2>({2, 3});
  const Jet<2> f = y[0] * y[0] * y[1] + 0.5 * (y[1] * y[1] * y[1]) - 7;  // x^2 y + y^3 / 2 - 7
  EXPECT_EQ(f.value, 18.5);
  EXPECT_EQ(f.first, (std::array<double, 2>{12, 17.5}));
  EXPECT_EQ(f.second[0], (std::array<double, 2>{6, 4}));
  EXPECT_EQ(f.second[1], (std::array<double, 2>{4, 9}));
  EXPECT_EQ(f.third[0][0], (std::array<double, 2>{0, 2}));
  EXPECT_EQ(f.third[0][1], (std::array<double, 2>{2, 0}));
  EXPECT_EQ(f.third[1][1], (std::array<double, 2>{0, 3}));
}

template <class T>
T everything(const std::array<T, 3>& y) {
  using std::cosh, std::sin, std::tanh;
  return sin(y[0] * y[1]) * cosh(0.7 * y[2]) + tanh(y[0] + 2.0 * y[2] + 0.3) * (1 + y[1]) + y[2] * sin(y[1] - 0.2);
}

TEST(Jet, DerivativesAreThoseOfTheFunction) {
  const std::array<double, 3> at{0.4, -0.7, 0.3};
  const Jet<3> f = everything(variables<3>(at));
  EXPECT_DOUBLE_EQ(f.value, everything(at));
  constexpr double h = 1e-5;
  for (int c = 0; c < 3; ++c) {
    auto above = at, below = at;
    above[c] += h;
    below[c] -= h;
    const Jet<3> up = everything(variables<3>(above)), down = everything(variables<3>(below));
    EXPECT_NEAR(f.first[c], (up.value - down.value) / (2 * h), 4e-9);
    for (int a = 0; a < 3; ++a) {
      EXPECT_NEAR(f.second[a][c], (up.first[a] - down.first[a]) / (2 * h), 4e-9);
      for (int b = 0; b < 3; ++b) EXPECT_NEAR(f.third[a][b][c], (up.second[a][b] - down.second[a][b]) / (2 * h), 4e-9) << a << b << c;
    }
  }
}

}  // namespace
}  // namespace calor::limit

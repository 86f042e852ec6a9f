// Functions of n variables with their derivatives to third order, by forward automatic differentiation: write the function once as a
// template, evaluate it on doubles for its value and on jets for everything.
#pragma once

#include <array>
#include <cmath>

namespace calor::limit {

template <int n>
struct Jet {
  double value = 0;
  std::array<double, n> first{};
  std::array<std::array<double, n>, n> second{};
  std::array<std::array<std::array<double, n>, n>, n> third{};

  Jet(double constant = 0) : value(constant) {}  // NOLINT: constants mix with jets
  static Jet variable(double at, int k) {
    Jet jet(at);
    jet.first[k] = 1;
    return jet;
  }
};

// The variables y_0 .. y_(n-1) at a point.
template <int n>
std::array<Jet<n>, n> variables(const std::array<double, n>& at) {
  std::array<Jet<n>, n> jets;
  for (int k = 0; k < n; ++k) jets[k] = Jet<n>::variable(at[k], k);
  return jets;
}

// Leibniz.
template <int n>
Jet<n> operator*(const Jet<n>& f, const Jet<n>& g) {
  Jet<n> h(f.value * g.value);
  for (int a = 0; a < n; ++a) {
    h.first[a] = f.first[a] * g.value + f.value * g.first[a];
    for (int b = 0; b < n; ++b) {
      h.second[a][b] = f.second[a][b] * g.value + f.first[a] * g.first[b] + f.first[b] * g.first[a] + f.value * g.second[a][b];
      for (int c = 0; c < n; ++c)
        h.third[a][b][c] = f.third[a][b][c] * g.value + f.second[a][b] * g.first[c] + f.second[a][c] * g.first[b] + f.second[b][c] * g.first[a] +
                           f.first[a] * g.second[b][c] + f.first[b] * g.second[a][c] + f.first[c] * g.second[a][b] + f.value * g.third[a][b][c];
    }
  }
  return h;
}

// Faa di Bruno: f(g) from the values of f, f', f'', f''' at g.
template <int n>
Jet<n> composed(const Jet<n>& g, double f0, double f1, double f2, double f3) {
  Jet<n> h(f0);
  for (int a = 0; a < n; ++a) {
    h.first[a] = f1 * g.first[a];
    for (int b = 0; b < n; ++b) {
      h.second[a][b] = f2 * g.first[a] * g.first[b] + f1 * g.second[a][b];
      for (int c = 0; c < n; ++c)
        h.third[a][b][c] = f3 * g.first[a] * g.first[b] * g.first[c] + f1 * g.third[a][b][c] +
                           f2 * (g.second[a][b] * g.first[c] + g.second[a][c] * g.first[b] + g.second[b][c] * g.first[a]);
    }
  }
  return h;
}

template <int n>
Jet<n> operator+(const Jet<n>& f, const Jet<n>& g) {
  Jet<n> h(f.value + g.value);
  for (int a = 0; a < n; ++a) {
    h.first[a] = f.first[a] + g.first[a];
    for (int b = 0; b < n; ++b) {
      h.second[a][b] = f.second[a][b] + g.second[a][b];
      for (int c = 0; c < n; ++c) h.third[a][b][c] = f.third[a][b][c] + g.third[a][b][c];
    }
  }
  return h;
}

template <int n>
Jet<n> operator*(double factor, const Jet<n>& f) {
  return composed(f, factor * f.value, factor, 0, 0);
}
template <int n>
Jet<n> operator+(const Jet<n>& f, double constant) {
  return composed(f, f.value + constant, 1, 0, 0);
}
template <int n>
Jet<n> operator+(double constant, const Jet<n>& f) {
  return f + constant;
}
template <int n>
Jet<n> operator-(const Jet<n>& f, double constant) {
  return f + -constant;
}
template <int n>
Jet<n> sin(const Jet<n>& f) {
  const double s = std::sin(f.value), c = std::cos(f.value);
  return composed(f, s, c, -s, -c);
}
template <int n>
Jet<n> cosh(const Jet<n>& f) {
  const double s = std::sinh(f.value), c = std::cosh(f.value);
  return composed(f, c, s, c, s);
}
template <int n>
Jet<n> tanh(const Jet<n>& f) {
  const double t = std::tanh(f.value), slope = 1 - t * t;
  return composed(f, t, slope, -2 * t * slope, (6 * t * t - 2) * slope);
}

}  // namespace calor::limit

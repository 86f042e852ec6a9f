// The flat torus in R^4: in the angles (a, b) the metric is the identity, so the operator is that of the plane.
#include <cmath>
#include <numbers>

#include "calor/limit/manifold.h"
#include "calor/limit/quadrature.h"

namespace calor::limit {
namespace {

using std::numbers::pi;

class Torus : public Manifold {
 public:
  explicit Torus(double tilt) : tilt_(tilt) {}

  int dimension() const override { return 2; }
  int ambient() const override { return 4; }
  // x = (cos a, sin a, cos b, sin b)
  double density(const Point& x) const override { return (1 + tilt_ * x[0]) * (1 + tilt_ * x[2]); }
  double function(const Point& x) const override { return x[1] + cosine_of_sum(x); }
  double laplacian(const Point& x) const override { return -x[1] - 2 * cosine_of_sum(x); }
  double drift(const Point& x) const override {
    const double along_a = x[0] - sine_of_sum(x), along_b = -sine_of_sum(x);
    return -tilt_ * x[1] / (1 + tilt_ * x[0]) * along_a - tilt_ * x[3] / (1 + tilt_ * x[2]) * along_b;
  }

  Sample quadrature(double epsilon) const override {
    const SphereRule circle = sphere_rule(1, resolving_degree(epsilon));
    std::vector<double> rows, weight;
    for (std::size_t i = 0; i < circle.weight.size(); ++i)
      for (std::size_t j = 0; j < circle.weight.size(); ++j) {
        const Point x = {circle.rows[2 * i], circle.rows[2 * i + 1], circle.rows[2 * j], circle.rows[2 * j + 1]};
        rows.insert(rows.end(), x.begin(), x.end());
        weight.push_back(circle.weight[i] * circle.weight[j] * density(x));
      }
    return make_sample(4, rows, weight);
  }

  Sample random(std::int64_t count, Random& random) const override {
    return drawn(count, random, [&](const Point& x) { return density(x) / ((1 + tilt_) * (1 + tilt_)); });
  }
  Sample queries(std::int64_t count) const override {
    Random random(21, Purpose::test);
    return drawn(count, random, [](const Point&) { return 1.0; });
  }

 private:
  static double cosine_of_sum(const Point& x) { return x[0] * x[2] - x[1] * x[3]; }
  static double sine_of_sum(const Point& x) { return x[1] * x[2] + x[0] * x[3]; }

  template <class Keep>
  static Sample drawn(std::int64_t count, Random& random, Keep&& keep) {
    std::vector<double> rows;
    while (static_cast<std::int64_t>(rows.size()) < 4 * count) {
      const double a = random.uniform(0, 2 * pi), b = random.uniform(0, 2 * pi);
      const Point x = {std::cos(a), std::sin(a), std::cos(b), std::sin(b)};
      if (random.uniform() < keep(x)) rows.insert(rows.end(), x.begin(), x.end());
    }
    return make_sample(4, rows);
  }

  double tilt_;
};

}  // namespace

std::unique_ptr<Manifold> make_torus(double tilt) { return std::make_unique<Torus>(tilt); }

}  // namespace calor::limit

// R^n under the standard normal density.  The quadrature is a lattice: for smooth functions that vanish at its border the
// trapezoid rule converges like exp(-2 pi^2 eps / step^2), 4e-14 for step = 0.8 sqrt(eps).
#include <algorithm>
#include <cmath>

#include "calor/limit/generator.h"
#include "calor/limit/manifold.h"

namespace calor::limit {
namespace {

constexpr double linear[] = {1.0, -0.5, 0.7};  // h = linear . x + square |x|^2 + cube x_0^3
constexpr double square = 0.3, cube = 0.2;
constexpr double query_extent = 1.2;  // queries have coordinates within this

class Gaussian : public Manifold {
 public:
  explicit Gaussian(int dimension) : dimension_(dimension) {}

  int dimension() const override { return dimension_; }
  int ambient() const override { return dimension_; }
  double density(const Point& x) const override {
    double squared = 0;
    for (const double value : x) squared += value * value;
    return std::exp(-squared / 2);
  }
  double function(const Point& x) const override {
    double sum = cube * x[0] * x[0] * x[0];
    for (std::size_t c = 0; c < x.size(); ++c) sum += linear[c] * x[c] + square * x[c] * x[c];
    return sum;
  }
  double laplacian(const Point& x) const override { return 2 * square * dimension_ + 6 * cube * x[0]; }
  double drift(const Point& x) const override {  // -x . grad h
    double sum = -3 * cube * x[0] * x[0] * x[0];
    for (std::size_t c = 0; c < x.size(); ++c) sum -= linear[c] * x[c] + 2 * square * x[c] * x[c];
    return sum;
  }

  Sample quadrature(double epsilon) const override {
    const double step = 0.8 * std::sqrt(epsilon), radius = std::sqrt(2 * epsilon * kernels::GaussianSums::cut);
    const double extent = std::min(9.0, query_extent + 2 * radius);  // exp(-9^2 / 2) = 3e-18
    const int half = static_cast<int>(std::ceil(extent / step));
    std::vector<double> rows, weight;
    const auto add = [&](const auto& self, Point x) -> void {
      if (static_cast<int>(x.size()) == dimension_) {
        rows.insert(rows.end(), x.begin(), x.end());
        weight.push_back(density(x) * std::pow(step, dimension_));
        return;
      }
      x.push_back(0);
      for (int k = -half; k <= half; ++k) {
        x.back() = (k + 0.3) * step;
        self(self, x);
      }
    };
    add(add, {});
    return make_sample(dimension_, rows, weight);
  }

  Sample random(std::int64_t count, Random& random) const override {
    std::vector<double> rows(static_cast<std::size_t>(count * dimension_));
    for (double& value : rows) value = random.normal();
    return make_sample(dimension_, rows);
  }
  Sample queries(std::int64_t count) const override {
    Random random(22, Purpose::test);
    std::vector<double> rows(static_cast<std::size_t>(count * dimension_));
    for (double& value : rows) value = random.uniform(-query_extent, query_extent);
    return make_sample(dimension_, rows);
  }

 private:
  int dimension_;
};

}  // namespace

std::unique_ptr<Manifold> make_gaussian(int dimension) { return std::make_unique<Gaussian>(dimension); }

}  // namespace calor::limit

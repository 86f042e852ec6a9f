// Ellipsoids and spheres by their embedding: with the unit normal n and H = div n the sum of the principal curvatures,
//
//   Lap F = tr F'' - n' F'' n - H dF/dn,     <grad a, grad F> = grad a . (grad F - (grad F . n) n)
//
// for functions F and a of the surrounding space.
#include "calor/limit/manifold.h"

#include <algorithm>
#include <cmath>

#include "calor/limit/quadrature.h"

namespace calor::limit {
namespace {

class Ellipsoid : public Manifold {
 public:
  Ellipsoid(std::vector<double> axes, double tilt, const TestFunction& function)
      : axes_(std::move(axes)), tilt_(tilt), width_(axes_.size()), linear_(function.linear), cross_(function.cross) {
    linear_.resize(width_);
  }

  int dimension() const override { return ambient() - 1; }
  int ambient() const override { return static_cast<int>(width_); }
  double density(const Point& x) const override { return 1 + tilt_ * x[width_ - 1] / axes_[width_ - 1]; }
  double function(const Point& x) const override {
    double sum = cross_ * x[0] * x[width_ - 1];
    for (std::size_t c = 0; c < width_; ++c) sum += linear_[c] * x[c];
    return sum;
  }

  double laplacian(const Point& x) const override {
    const Point normal = unit_normal(x), slope = gradient(x);
    // F'' has the two entries `cross` off its diagonal, so its trace is 0.
    return -2 * cross_ * normal[0] * normal[width_ - 1] - curvature(x) * dot(slope, normal);
  }

  double drift(const Point& x) const override {
    const Point normal = unit_normal(x), slope = gradient(x);
    const std::size_t last = width_ - 1;
    return tilt_ / axes_[last] / density(x) * (slope[last] - dot(slope, normal) * normal[last]);
  }

  Sample quadrature(double epsilon) const override {
    // In the sphere's coordinates the kernel is narrower by the longest axis, and the stretched volume adds degrees.
    const double longest = *std::max_element(axes_.begin(), axes_.end());
    const double stretch = longest / *std::min_element(axes_.begin(), axes_.end());
    const int degree = static_cast<int>(std::ceil(resolving_degree(epsilon) * longest * stretch)) + (stretch > 1 ? 24 : 0);
    SphereRule rule = sphere_rule(dimension(), degree);
    for (std::size_t i = 0; i < rule.weight.size(); ++i) {
      Point x(rule.rows.begin() + static_cast<std::ptrdiff_t>(i * width_), rule.rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * width_));
      rule.weight[i] *= volume_factor(x);
      stretch_onto(x);
      std::copy(x.begin(), x.end(), rule.rows.begin() + static_cast<std::ptrdiff_t>(i * width_));
      rule.weight[i] *= density(x);
    }
    return make_sample(ambient(), rule.rows, rule.weight);
  }

  Sample random(std::int64_t count, Random& random) const override {
    const double bound = (1 + std::abs(tilt_)) * largest_volume_factor();
    return drawn(count, random, [&](const Point& sphere, const Point& x) { return density(x) * volume_factor(sphere) / bound; });
  }

  Sample queries(std::int64_t count) const override {
    Random random(20, Purpose::test, static_cast<std::uint64_t>(ambient()));
    return drawn(count, random, [](const Point&, const Point&) { return 1.0; });
  }

 private:
  static double dot(const Point& a, const Point& b) {
    double sum = 0;
    for (std::size_t c = 0; c < a.size(); ++c) sum += a[c] * b[c];
    return sum;
  }
  Point gradient(const Point& x) const {
    Point slope = linear_;
    slope[0] += cross_ * x[width_ - 1];
    slope[width_ - 1] += cross_ * x[0];
    return slope;
  }
  // Of the level set of x'Bx, B = diag(1 / axis^2): along Bx.
  Point unit_normal(const Point& x) const {
    Point normal = x;
    for (std::size_t c = 0; c < width_; ++c) normal[c] /= axes_[c] * axes_[c];
    const double length = std::sqrt(dot(normal, normal));
    for (double& value : normal) value /= length;
    return normal;
  }
  // div (Bx / |Bx|) = tr B / |Bx| - (Bx)'B(Bx) / |Bx|^3
  double curvature(const Point& x) const {
    double trace = 0, squared = 0, cubic = 0;
    for (std::size_t c = 0; c < width_; ++c) {
      const double b = 1 / (axes_[c] * axes_[c]), u = b * x[c];
      trace += b;
      squared += u * u;
      cubic += u * b * u;
    }
    return trace / std::sqrt(squared) - cubic / (squared * std::sqrt(squared));
  }
  // Volume of the ellipsoid over that of the sphere at the sphere's point y, x = Dy: |det D| |D^-1 y|.
  double volume_factor(const Point& y) const {
    double product = 1, squared = 0;
    for (std::size_t c = 0; c < width_; ++c) {
      product *= axes_[c];
      squared += y[c] * y[c] / (axes_[c] * axes_[c]);
    }
    return product * std::sqrt(squared);
  }
  double largest_volume_factor() const {
    double product = 1;
    for (const double axis : axes_) product *= axis;
    return product / *std::min_element(axes_.begin(), axes_.end());
  }
  void stretch_onto(Point& y) const {
    for (std::size_t c = 0; c < width_; ++c) y[c] *= axes_[c];
  }
  // Points of the uniform sphere, mapped, each kept with probability keep(sphere point, point).
  template <class Keep>
  Sample drawn(std::int64_t count, Random& random, Keep&& keep) const {
    std::vector<double> rows;
    while (static_cast<std::int64_t>(rows.size()) < count * ambient()) {
      Point y(width_);
      for (double& value : y) value = random.normal();
      const double length = std::sqrt(dot(y, y));
      for (double& value : y) value /= length;
      Point x = y;
      stretch_onto(x);
      if (random.uniform() < keep(y, x)) rows.insert(rows.end(), x.begin(), x.end());
    }
    return make_sample(ambient(), rows);
  }

  std::vector<double> axes_;
  double tilt_;
  std::size_t width_;
  Point linear_;
  double cross_;
};

}  // namespace

std::unique_ptr<Manifold> make_ellipsoid(std::vector<double> axes, double tilt, const TestFunction& function) {
  return std::make_unique<Ellipsoid>(std::move(axes), tilt, function);
}

std::vector<double> functions_at(const Manifold& manifold, const Sample& sample) {
  return values_at(sample, [&](const Point& x) { return manifold.function(x); });
}

}  // namespace calor::limit

// Points as each other's keys, and the metric's map, on every instruction set: losses against the definition in double pair by pair, gradients
// against its central differences, and sizes around the longest vector.  What floats do not hold is refused.
#include "calor/kernels/mutual.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "calor/core/random.h"
#include "calor/kernels/metric_map.h"
#include "calor/kernels/normals.h"
#include "tests/kernels/problem.h"

namespace calor::kernels::test {
namespace {

constexpr double unit = std::numeric_limits<float>::epsilon();

struct alignas(64) Line {
  float numbers[batch_lanes];
};

// [rows][stride] floats, aligned, with the values given for the points and zeros after the last.
class Lines {
 public:
  Lines(std::int64_t rows, std::int64_t count) : stride_(batch_stride(count)), lines_(static_cast<std::size_t>(rows * stride_ / batch_lanes)) {}
  float* data() { return lines_.front().numbers; }
  float& at(std::int64_t row, std::int64_t i) { return data()[row * stride_ + i]; }
  std::int64_t stride() const { return stride_; }

 private:
  std::int64_t stride_;
  std::vector<Line> lines_;
};

struct Setting {
  std::int64_t count, dim;
  double temperature, alpha;
  std::vector<double> z;                  // [count][dim], floats; then log temperature and alpha
  std::vector<std::int64_t> class_end;
  std::vector<double> targets;            // floats
  double loss(bool values) const;
};

double Setting::loss(bool values) const {
  const double rate = std::exp(z[static_cast<std::size_t>(count * dim)]), exponent = z.back();
  std::vector<double> affinity(static_cast<std::size_t>(count * count)), density(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t j = 0; j < count; ++j) {
      double square = 0;
      for (std::int64_t c = 0; c < dim; ++c) square += std::pow(z[i * dim + c] - z[j * dim + c], 2);
      affinity[i * count + j] = i == j ? 0 : std::exp(-rate * square);
      density[i] += affinity[i * count + j];
    }
  double total = 0;
  std::int64_t judged = 0, begin = 0;
  for (const std::int64_t end : class_end) {
    for (std::int64_t i = begin; i < end; ++i) {
      double all = 0, own = 0, value = 0;
      for (std::int64_t j = 0; j < count; ++j) {
        const double weight = affinity[i * count + j] * std::pow(density[j], -exponent);
        all += weight;
        value += weight * targets[j];
        own += j >= begin && j < end ? weight : 0;
      }
      if (values) total += std::pow(value / all - targets[i], 2);
      else if (end - begin > 1) total += std::log(all / own);
      judged += values || end - begin > 1;
    }
    begin = end;
  }
  return total / static_cast<double>(judged);
}

Setting setting(std::int64_t count, std::int64_t dim, double alpha, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Setting made{count, dim, static_cast<float>(1.5 / static_cast<double>(dim)), static_cast<float>(alpha), {}, {}, {}};
  for (std::int64_t i = 0; i < count * dim; ++i) made.z.push_back(static_cast<float>(3 + random.normal()));
  made.z.push_back(std::log(made.temperature));
  made.z.push_back(made.alpha);
  for (std::int64_t i = 0; i < count; ++i) made.targets.push_back(static_cast<float>(random.normal()));
  for (std::int64_t end = 2; end < count; end += 1 + static_cast<std::int64_t>(random.below(20))) made.class_end.push_back(end);  // some have one point
  made.class_end.push_back(count);
  return made;
}

struct Found {
  std::optional<double> loss;
  std::vector<double> gradient;  // in z's order
};

Found found_of(const Setting& s, bool values) {
  Lines points(s.dim, s.count), gradient(s.dim, s.count);
  for (std::int64_t i = 0; i < s.count; ++i)
    for (std::int64_t c = 0; c < s.dim; ++c) points.at(c, i) = static_cast<float>(s.z[i * s.dim + c]);
  MutualGradient by{gradient.data()};
  const MutualPoints given{points.data(), s.count, points.stride(), s.dim, static_cast<float>(s.temperature), static_cast<float>(s.alpha)};
  const std::vector<float> targets(s.targets.begin(), s.targets.end());
  Found found{values ? mutual_value_loss(given, targets, by) : mutual_class_loss(given, s.class_end, by), {}};
  for (std::int64_t i = 0; i < s.count; ++i)
    for (std::int64_t c = 0; c < s.dim; ++c) found.gradient.push_back(gradient.at(c, i));
  found.gradient.push_back(by.log_temperature);
  found.gradient.push_back(by.alpha);
  for (std::int64_t c = 0; found.loss && c < s.dim; ++c)
    for (std::int64_t i = s.count; i < gradient.stride(); ++i) EXPECT_EQ(gradient.at(c, i), 0);
  return found;
}

// Exponents are sums of terms up to 2 temperature |z|^2 = about 20 here and are rounded dim + 4 times at their size; sums round like their terms a lane.
TEST(Mutual, LossesAndGradientsAreThoseOfTheDefinition) {
  for (const auto& [count, dim] : {std::pair{2, 1}, {3, 2}, {15, 3}, {16, 18}, {17, 5}, {33, 1}, {49, 7}, {70, 33}})
    for (const double alpha : {0.0, 0.6, -0.3})
      for (const bool values : {false, true}) {
        const Setting s = setting(count, dim, alpha, 3);
        const double expected = s.loss(values), relative = unit * (20.0 * (dim + 4) + count);
        std::vector<double> gradient;
        double largest = 0;
        const std::size_t skip = 1 + s.z.size() / 150;  // of the many a part; both the last, which are not coordinates
        std::vector<std::size_t> checked{s.z.size() - 2, s.z.size() - 1};
        for (std::size_t p = 0; p + 2 < s.z.size(); p += skip) checked.push_back(p);
        for (const std::size_t p : checked) {
          Setting moved = s;
          constexpr double step = 1e-5;
          moved.z[p] = s.z[p] + step;
          const double above = moved.loss(values);
          moved.z[p] = s.z[p] - step;
          gradient.push_back((above - moved.loss(values)) / (2 * step));
          largest = std::max(largest, std::abs(gradient.back()));
        }
        for (const std::string& isa : isa_names()) {
          const WithIsa forced(isa);
          SCOPED_TRACE(fmt::format("{}: {} points of dimension {}, alpha {}, {}", isa, count, dim, alpha, values ? "values" : "classes"));
          const Found found = found_of(s, values);
          ASSERT_TRUE(found.loss);
          EXPECT_NEAR(*found.loss, expected, relative * (1 + expected));
          for (std::size_t k = 0; k < checked.size(); ++k) ASSERT_NEAR(found.gradient[checked[k]], gradient[k], 1e-8 + relative * (1 + largest)) << checked[k];
        }
      }
}

TEST(Mutual, FarPointsAreSummedWhileFloatsHoldThem) {
  const auto at = [](double exponent) {  // a point alone, so far from two pairs
    Setting s = setting(5, 1, 0.5, 4);
    s.z = {0, 0.5, 0.25, 0.75, 0, 0, s.alpha};
    s.temperature = 1;
    s.z[4] = static_cast<float>(0.75 + std::sqrt(exponent));
    s.class_end = {2, 5};
    return s;
  };
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    const Setting near = at(20), far = at(88);
    EXPECT_NEAR(*found_of(near, false).loss, near.loss(false), 1e-5) << isa;
    EXPECT_FALSE(found_of(far, false).loss) << isa << ": its density is too far from the others'";
    Setting even = far;
    even.alpha = even.z.back() = 0;
    EXPECT_NEAR(*found_of(even, false).loss, even.loss(false), 1e-5 * even.loss(false)) << isa;
    even = at(150);
    even.alpha = even.z.back() = 0;
    EXPECT_FALSE(found_of(even, false).loss) << isa;
    Setting broken = near;
    broken.z[2] = std::nan("");
    EXPECT_FALSE(found_of(broken, false).loss) << isa;
    EXPECT_FALSE(found_of(broken, true).loss) << isa;
  }
}

struct Map {
  std::int64_t width, hidden;
  std::vector<float> numbers;  // R, W1, b1, W2
  template <class Number>
  MetricMap<Number> parts(Number* from) const {
    return {from, from + width * width, from + width * width + hidden * width, from + width * width + hidden * width + hidden};
  }
};

// The definition in double: mapped points, and the gradients of sum d_mapped . mapped.
TEST(MetricMap, MapsAndGradientsAreTheirDefinition) {
  for (const auto& [count, width, hidden] : {std::tuple{2, 1, 1}, {15, 3, 5}, {16, 18, 16}, {17, 7, 33}, {70, 33, 50}, {150, 5, 512}}) {
    Random random(5, Purpose::test);
    Map map{width, hidden, {}};
    for (std::int64_t p = 0; p < width * width + 2 * hidden * width + hidden; ++p)
      map.numbers.push_back(static_cast<float>(random.normal() / std::sqrt(width)));
    Lines points(width, count), d_mapped(width, count);
    for (std::int64_t c = 0; c < width; ++c)
      for (std::int64_t i = 0; i < count; ++i) points.at(c, i) = static_cast<float>(random.normal()), d_mapped.at(c, i) = static_cast<float>(random.normal());
    const auto [residual, first, bias, second] = map.parts(map.numbers.data());
    std::vector<double> expected(map.numbers.size()), mapped(static_cast<std::size_t>(width * count));
    const auto gradient = map.parts(expected.data());
    for (std::int64_t i = 0; i < count; ++i) {
      std::vector<double> units;
      for (std::int64_t u = 0; u < hidden; ++u) {
        double sum = bias[u];
        for (std::int64_t k = 0; k < width; ++k) sum += static_cast<double>(first[u * width + k]) * points.at(k, i);
        units.push_back(std::max(sum, 0.0));
      }
      for (std::int64_t c = 0; c < width; ++c) {
        double& sum = mapped[c * count + i];
        for (std::int64_t k = 0; k < width; ++k) sum += static_cast<double>(residual[c * width + k]) * points.at(k, i);
        for (std::int64_t u = 0; u < hidden; ++u) sum += static_cast<double>(second[c * hidden + u]) * units[u];
        for (std::int64_t k = 0; k < width; ++k) gradient.residual[c * width + k] += static_cast<double>(d_mapped.at(c, i)) * points.at(k, i);
        for (std::int64_t u = 0; u < hidden; ++u) gradient.second[c * hidden + u] += d_mapped.at(c, i) * units[u];
      }
      for (std::int64_t u = 0; u < hidden; ++u) {
        if (units[u] == 0) continue;
        double through = 0;
        for (std::int64_t c = 0; c < width; ++c) through += static_cast<double>(second[c * hidden + u]) * d_mapped.at(c, i);
        gradient.first_bias[u] += through;
        for (std::int64_t k = 0; k < width; ++k) gradient.first[u * width + k] += through * points.at(k, i);
      }
    }
    for (const std::string& isa : isa_names()) {
      const WithIsa forced(isa);
      SCOPED_TRACE(fmt::format("{}: {} points of width {}, {} units", isa, count, width, hidden));
      Lines units(hidden, count), found(width, count);
      std::vector<float> found_gradient(expected.size());
      const MapBatch batch{width, hidden, count, points.stride(), points.data()};
      const MetricMap<const float> parts{residual, first, bias, second};
      map_batch(batch, parts, units.data(), found.data());
      map_gradient(batch, parts, units.data(), d_mapped.data(), map.parts(found_gradient.data()));
      // Terms are of size one or so; at most 512 or 150 of them a sum, each sum with as many roundings of what it has come to.
      for (std::int64_t c = 0; c < width; ++c) {
        for (std::int64_t i = 0; i < count; ++i) ASSERT_NEAR(found.at(c, i), mapped[c * count + i], 1e-4);
        for (std::int64_t i = count; i < found.stride(); ++i) ASSERT_EQ(found.at(c, i), 0);
      }
      for (std::size_t p = 0; p < expected.size(); ++p) ASSERT_NEAR(found_gradient[p], expected[p], 1e-4) << p;
    }
  }
}

TEST(Normals, AreThoseOfTheStream) {
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    for (const int count : {0, 1, 7, 8, 9, 600})
      for (const std::uint64_t first : {0, 5}) {
        Random random(0x123456789abcdef, Purpose::test, 0xfedcba987654321);
        random.seek(4 * first);
        std::vector<double> numbers(static_cast<std::size_t>(count));
        normals({0x123456789abcdef, Purpose::test, 0xfedcba987654321}, first, numbers);
        for (const double number : numbers) {
          const double expected = random.normal();
          ASSERT_NEAR(number, expected, 2e-15 * std::max(1.0, std::abs(expected))) << isa;
        }
      }
  }
}

}  // namespace
}  // namespace calor::kernels::test

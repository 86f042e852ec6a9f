#include "calor/engine/solve/student_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "calor/core/memory.h"
#include "calor/core/threads.h"

namespace calor::engine {

using kernels::fft_lanes;

namespace {

constexpr std::int64_t points_at_once = 1024;

constexpr int support = 4;              // nodes that a point is spread to along an axis
constexpr std::int64_t margin = 12;     // nodes beyond the points: the kernels' ends ring when they are sharpened, less by 0.27 a node

// The cubic B-spline about a point: the first of its four nodes, and their weights.
struct Place {
  std::int64_t first;
  double weight[support];
};

Place place_of(double at, double low, double spacing) {
  const double u = (at - low) / spacing, below = std::floor(u), f = u - below, g = 1 - f;
  return {static_cast<std::int64_t>(below) - 1, {g * g * g / 6, (3 * f * f * f - 6 * f * f + 4) / 6, (3 * g * g * g - 6 * g * g + 4) / 6, f * f * f / 6}};
}

// What the spline leaves of frequency k of m, spread and read off: (sin(t) / t)^8.
double softened(std::int64_t k, std::int64_t m) {
  if (k == 0) return 1;
  const double turn = std::numbers::pi * static_cast<double>(std::min(k, m - k)) / static_cast<double>(m);
  return std::pow(std::sin(turn) / turn, 2 * support);
}

// Buffers of one piece of transforms.
struct Lanes {
  explicit Lanes(const kernels::Fft& plan)
      : fft(plan), re(static_cast<std::size_t>(plan.size() * fft_lanes)), im(re.size()), scratch(static_cast<std::size_t>(plan.scratch_floats())) {}
  void forward() { fft.transform(re.data(), im.data(), scratch.data()); }
  void backward() { fft.transform(im.data(), re.data(), scratch.data()); }
  const kernels::Fft& fft;
  std::vector<float> re, im, scratch;
};

std::int64_t groups_of(std::int64_t count) { return (count + fft_lanes - 1) / fft_lanes; }

}  // namespace

// The nodes' number and spacing come from ladders, so that the kernels' spectra serve many steps of a map that grows.
void StudentGrid::fit(double extent, const Context& context) {
  constexpr double rung = 1.05;
  const double coarsest = widest * std::min(1.0, std::sqrt(freedom_));  // the kernels' width
  double spacing = coarsest;
  if (extent < coarsest * static_cast<double>(least_nodes)) {
    const double least = std::max(extent, 1e-30) / static_cast<double>(least_nodes);
    spacing = std::min(coarsest, std::pow(rung, std::ceil(std::log(least) / std::log(rung))));
  }
  const auto wanted = std::max<std::int64_t>(least_nodes, static_cast<std::int64_t>(std::ceil(extent / spacing * (1 + 1e-12)))) + margin;
  const std::int64_t nodes = kernels::smooth_length(wanted);
  if (spacing == spacing_ && nodes == nodes_) return;
  const auto count = static_cast<double>(nodes);
  context.memory.require(static_cast<std::uint64_t>(4 * count * count * (6 + 6 + 3)), "match", fmt::format("a grid of {} x {} nodes", nodes, nodes),
                         "give sums=exact, or raise --max-memory");
  spacing_ = spacing;
  if (nodes != nodes_) {
    nodes_ = nodes;
    length_ = 2 * nodes;
    fft_ = std::make_unique<kernels::Fft>(length_);
  }
  make_spectra(context);
}

// The kernel w is even in both axes; that of the push along x, x w b, is odd in x.  Both are transformed along x as one sequence and told
// apart by their parity, and along y likewise.  Both are sharpened by what spreading and reading off will soften.
void StudentGrid::make_spectra(const Context& context) {
  const std::int64_t m = length_, columns = nodes_ + 1, groups = groups_of(columns);
  const auto weight_at = [&](std::int64_t x, std::int64_t y, double& base) {
    const double square = (static_cast<double>(x * x) + static_cast<double>(y * y)) * spacing_ * spacing_;
    base = 1 / (1 + square / freedom_);
    return freedom_ == 1 ? base : std::pow(base, freedom_);
  };
  // Along x, for y of 0 to nodes: [frequency][y].
  const std::int64_t rows = nodes_ + 1;
  half_re_.assign(static_cast<std::size_t>(columns * rows), 0);
  half_im_.assign(half_re_.size(), 0);
  parallel_for(groups_of(rows), context.threads, [&](std::int64_t g) {
    Lanes lanes(*fft_);
    const std::int64_t first = g * fft_lanes, count = std::min(fft_lanes, rows - first);
    for (std::int64_t x = 0; x < m; ++x) {
      const std::int64_t signed_x = x <= nodes_ ? x : x - m;
      for (std::int64_t l = 0; l < count; ++l) {
        double of_pair = 0;
        const double weight = weight_at(signed_x, first + l, of_pair);
        lanes.re[x * fft_lanes + l] = static_cast<float>(weight);
        lanes.im[x * fft_lanes + l] = x == nodes_ ? 0 : static_cast<float>(weight * of_pair * static_cast<double>(signed_x) * spacing_);
      }
    }
    lanes.forward();
    for (std::int64_t k = 0; k < columns; ++k)
      for (std::int64_t l = 0; l < count; ++l) {
        const float at = lanes.re[k * fft_lanes + l], mirrored = lanes.re[(m - k) % m * fft_lanes + l];
        half_re_[k * rows + first + l] = (at + mirrored) / 2;
        half_im_[k * rows + first + l] = (mirrored - at) / 2;  // the spectrum of x w b over i
      }
  });
  std::vector<double> left(static_cast<std::size_t>(m));
  for (std::int64_t k = 0; k < m; ++k) left[k] = softened(k, m);
  for (std::vector<float>* spectrum : {&weight_, &push_x_, &push_y_}) spectrum->assign(static_cast<std::size_t>(groups * m * fft_lanes), 0);
  parallel_for(groups, context.threads, [&](std::int64_t g) {
    Lanes lanes(*fft_);
    const std::int64_t first = g * fft_lanes, count = std::min(fft_lanes, columns - first);
    for (std::int64_t y = 0; y < m; ++y)
      for (std::int64_t l = 0; l < count; ++l) {
        const std::int64_t from = (first + l) * rows + std::min(y, m - y);
        lanes.re[y * fft_lanes + l] = half_re_[from];
        lanes.im[y * fft_lanes + l] = half_im_[from];
      }
    lanes.forward();
    for (std::int64_t y = 0; y < m; ++y)
      for (std::int64_t l = 0; l < count; ++l) {
        const std::int64_t e = y * fft_lanes + l;
        const double sharper = 1 / (left[first + l] * left[y]);
        weight_[g * m * fft_lanes + e] = static_cast<float>(sharper * lanes.re[e]);
        push_x_[g * m * fft_lanes + e] = static_cast<float>(sharper * lanes.im[e]);
      }
  });
  // The push along y is that along x with the axes exchanged.
  const auto along_x = [&](std::int64_t kx, std::int64_t ky) { return push_x_[(kx / fft_lanes * m + ky) * fft_lanes + kx % fft_lanes]; };
  for (std::int64_t kx = 0; kx < columns; ++kx)
    for (std::int64_t ky = 0; ky < m; ++ky)
      push_y_[(kx / fft_lanes * m + ky) * fft_lanes + kx % fft_lanes] = ky <= nodes_ ? along_x(ky, kx) : -along_x(m - ky, kx);
}

void StudentGrid::spread(std::int64_t n, const double* points, std::int64_t stride) {
  charges_.assign(static_cast<std::size_t>(nodes_ * nodes_), 0);
  for (std::int64_t i = 0; i < n; ++i) {
    const Place x = place_of(points[i], low_[0], spacing_), y = place_of(points[stride + i], low_[1], spacing_);
    for (int a = 0; a < support; ++a)
      for (int b = 0; b < support; ++b) charges_[(x.first + a) * nodes_ + y.first + b] += static_cast<float>(x.weight[a] * y.weight[b]);
  }
}

// Fills field_ and gives sum_ij of charge_i w_ij charge_j over all nodes.
double StudentGrid::convolve(const Context& context) {
  const std::int64_t n = nodes_, m = length_, columns = n + 1;
  const auto half = static_cast<std::size_t>(columns * n);
  for (std::vector<float>* part : {&half_re_, &half_im_, &field_re_[0], &field_im_[0], &field_re_[1], &field_im_[1]}) part->resize(half);
  field_.resize(static_cast<std::size_t>(2 * n * n));
  // Along x, two rows of real numbers as one complex sequence.
  parallel_for((n + 2 * fft_lanes - 1) / (2 * fft_lanes), context.threads, [&](std::int64_t g) {
    Lanes lanes(*fft_);
    const std::int64_t first = g * 2 * fft_lanes, even = std::min(fft_lanes, n - first), odd = std::clamp<std::int64_t>(n - first - fft_lanes, 0, fft_lanes);
    for (std::int64_t x = 0; x < n; ++x) {
      std::copy_n(&charges_[x * n + first], even, &lanes.re[x * fft_lanes]);
      if (odd) std::copy_n(&charges_[x * n + first + fft_lanes], odd, &lanes.im[x * fft_lanes]);
    }
    lanes.forward();
    for (std::int64_t k = 0; k < columns; ++k) {
      const float *re = &lanes.re[k * fft_lanes], *im = &lanes.im[k * fft_lanes];
      const float *mirrored_re = &lanes.re[(m - k) % m * fft_lanes], *mirrored_im = &lanes.im[(m - k) % m * fft_lanes];
      float *to_re = &half_re_[k * n + first], *to_im = &half_im_[k * n + first];
      for (std::int64_t l = 0; l < even; ++l) {
        to_re[l] = (re[l] + mirrored_re[l]) / 2;
        to_im[l] = (im[l] - mirrored_im[l]) / 2;
      }
      for (std::int64_t l = 0; l < odd; ++l) {
        to_re[fft_lanes + l] = (im[l] + mirrored_im[l]) / 2;
        to_im[fft_lanes + l] = (mirrored_re[l] - re[l]) / 2;
      }
    }
  });
  // Along y, times the kernels' spectra, and back along y.
  std::vector<double> sums(static_cast<std::size_t>(groups_of(columns)), 0.0);
  parallel_for(groups_of(columns), context.threads, [&](std::int64_t g) {
    Lanes own(*fft_), lanes(*fft_);
    const std::int64_t first = g * fft_lanes, count = std::min(fft_lanes, columns - first);
    for (std::int64_t l = 0; l < count; ++l)
      for (std::int64_t y = 0; y < n; ++y) {
        own.re[y * fft_lanes + l] = half_re_[(first + l) * n + y];
        own.im[y * fft_lanes + l] = half_im_[(first + l) * n + y];
      }
    own.forward();
    const std::int64_t begin = g * m * fft_lanes;
    float squares[fft_lanes] = {};
    for (std::int64_t y = 0; y < m; ++y)
      for (std::int64_t l = 0; l < fft_lanes; ++l) {
        const std::int64_t e = y * fft_lanes + l;
        squares[l] += weight_[begin + e] * (own.re[e] * own.re[e] + own.im[e] * own.im[e]);
      }
    for (std::int64_t l = 0; l < count; ++l) sums[g] += (first + l == 0 || first + l == n ? 1 : 2) * static_cast<double>(squares[l]);
    for (int axis = 0; axis < 2; ++axis) {
      const float* push = (axis == 0 ? push_x_ : push_y_).data() + begin;
      for (std::int64_t e = 0; e < m * fft_lanes; ++e) {
        lanes.re[e] = -push[e] * own.im[e];
        lanes.im[e] = push[e] * own.re[e];
      }
      lanes.backward();
      for (std::int64_t l = 0; l < count; ++l)
        for (std::int64_t y = 0; y < n; ++y) {
          field_re_[axis][(first + l) * n + y] = lanes.re[y * fft_lanes + l];
          field_im_[axis][(first + l) * n + y] = lanes.im[y * fft_lanes + l];
        }
    }
  });
  // Back along x, both axes' pushes as one complex sequence.
  const auto scale = static_cast<float>(1 / (static_cast<double>(m) * static_cast<double>(m)));
  parallel_for(groups_of(n), context.threads, [&](std::int64_t g) {
    Lanes lanes(*fft_);
    const std::int64_t first = g * fft_lanes, count = std::min(fft_lanes, n - first);
    for (std::int64_t k = 0; k < m; ++k) {
      const std::int64_t from = (k < columns ? k : m - k) * n + first;
      const float sign = k < columns ? 1.0F : -1.0F;  // beyond half of the frequencies: conjugates
      const float *xr = &field_re_[0][from], *xi = &field_im_[0][from], *yr = &field_re_[1][from], *yi = &field_im_[1][from];
      for (std::int64_t l = 0; l < count; ++l) {
        lanes.re[k * fft_lanes + l] = xr[l] - sign * yi[l];
        lanes.im[k * fft_lanes + l] = sign * xi[l] + yr[l];
      }
    }
    lanes.backward();
    for (std::int64_t x = 0; x < n; ++x)
      for (std::int64_t l = 0; l < count; ++l) {
        field_[2 * (x * n + first + l)] = scale * lanes.re[x * fft_lanes + l];
        field_[2 * (x * n + first + l) + 1] = scale * lanes.im[x * fft_lanes + l];
      }
  });
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum / (static_cast<double>(m) * static_cast<double>(m));
}

double StudentGrid::sums(std::int64_t n, const double* points, std::int64_t stride, std::int64_t first, std::int64_t end, double* pushes, const Context& context) {
  double extent = 0, middle[2];
  for (int c = 0; c < 2; ++c) {
    const auto [low, high] = std::minmax_element(points + c * stride, points + c * stride + n);
    extent = std::max(extent, *high - *low);
    middle[c] = (*high + *low) / 2;
  }
  fit(extent, context);
  for (int c = 0; c < 2; ++c) low_[c] = middle[c] - static_cast<double>(nodes_ - 1) * spacing_ / 2;
  spread(n, points, stride);
  const double all = convolve(context);
  const std::int64_t pieces = (end - first + points_at_once - 1) / points_at_once;
  std::fill_n(pushes, 2 * stride, 0.0);
  parallel_for(pieces, context.threads, [&](std::int64_t p) {
    for (std::int64_t i = first + p * points_at_once; i < std::min(end, first + (p + 1) * points_at_once); ++i) {
      const Place x = place_of(points[i], low_[0], spacing_), y = place_of(points[stride + i], low_[1], spacing_);
      double push[2] = {0, 0};
      for (int a = 0; a < support; ++a)
        for (int b = 0; b < support; ++b) {
          const float* at = &field_[2 * ((x.first + a) * nodes_ + y.first + b)];
          push[0] += x.weight[a] * y.weight[b] * at[0];
          push[1] += x.weight[a] * y.weight[b] * at[1];
        }
      pushes[i] = push[0];
      pushes[stride + i] = push[1];
    }
  });
  return all - static_cast<double>(n);  // w of each point with itself is 1
}

}  // namespace calor::engine

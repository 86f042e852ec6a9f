#include "calor/kernels/mutual.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/kernels/isa.h"
#include "calor/kernels/workspace.h"

namespace calor::kernels {
namespace {

// Affinities are e^shift times their definition, which no loss sees: exponents from -137 to 50 are then floats.  Below `least` a sum may have
// lost terms that matter; log weights stay within most_log_weight, so that no product of sums and weights overflows.
constexpr float shift = 50, least = 1e-20F;
constexpr double most_log_weight = 15;
constexpr float most_norm = 1e30F;  // of temperature |z|^2: also what the exponents of lanes without a point are made of

class Batch {
 public:
  Batch(const MutualPoints& given, Workspace& workspace)
      : given_(given),
        workspace_(workspace),
        steps_(current_isa().metric_steps()),
        begin_(workspace.take<std::int64_t>(given.count)),
        end_(workspace.take<std::int64_t>(given.count)) {
    std::fill_n(begin_, given.count, 0);
    std::fill_n(end_, given.count, given.count);
  }

  float* numbers() {  // [stride], zeros
    float* taken = workspace_.take<float>(given_.stride);
    std::fill_n(taken, given_.stride, 0.0F);
    return taken;
  }

  void set_range(std::int64_t i, std::int64_t begin, std::int64_t end) { begin_[i] = begin, end_[i] = end; }

  // The affinities and the weights q^-alpha, up to a factor; false where floats do not hold them.
  bool prepare() {
    const auto [points, count, stride, dim, temperature, alpha] = given_;
    centred_ = workspace_.take<float>(dim * stride);
    float* norms = numbers();
    for (std::int64_t c = 0; c < dim; ++c) {
      const float* from = points + c * stride;
      float* to = centred_ + c * stride;
      double sum = 0;
      for (std::int64_t i = 0; i < count; ++i) sum += from[i];
      const auto mean = static_cast<float>(sum / static_cast<double>(count));
      for (std::int64_t i = 0; i < count; ++i) to[i] = from[i] - mean;
      std::fill(to + count, to + stride, 0.0F);
      for (std::int64_t i = 0; i < count; ++i) norms[i] -= temperature * to[i] * to[i];
    }
    if (!std::all_of(norms, norms + count, [](float norm) { return norm > -most_norm; })) return false;  // also NaN
    std::fill(norms + count, norms + stride, -most_norm);
    pass_ = {centred_, count, stride, dim, norms, temperature, shift, begin_, end_};
    affinity_ = workspace_.take<float>(count * stride);
    density_ = numbers(), log_density_ = numbers(), weight_ = numbers();
    for (std::int64_t i = 0; i < count; i += pair_rows)
      steps_.affinities(pass_, i, std::min(pair_rows, count - i), affinity_ + i * stride, density_ + i);
    if (!all_hold(density_)) return false;
    for (std::int64_t i = 0; i < count; ++i) log_density_[i] = std::log(density_[i]);
    const auto [low, high] = std::minmax_element(log_density_, log_density_ + count);
    const double middle = (static_cast<double>(*low) + *high) / 2;
    if (!(std::abs(alpha) * (*high - middle) <= most_log_weight)) return false;
    for (std::int64_t i = 0; i < count; ++i) weight_[i] = static_cast<float>(std::exp(-alpha * (log_density_[i] - middle)));
    return true;
  }

  void sums(const float* one, const float* other, float* all, float* ranged) const { steps_.affinity_sums(pass_, affinity_, one, other, all, ranged); }

  bool all_hold(const float* sums) const {
    return std::all_of(sums, sums + given_.count, [](float sum) { return sum >= least && sum <= std::numeric_limits<float>::max(); });
  }

  // From the gradient by each log weight, and the weights of pairs but for `own`.
  void differentiate(const float* d_log_weight, PairWeights by, MutualGradient& gradient) {
    const auto [points, count, stride, dim, temperature, alpha] = given_;
    float* own = numbers();
    double d_alpha = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      d_alpha -= static_cast<double>(log_density_[i]) * d_log_weight[i];
      own[i] = -alpha * d_log_weight[i] / density_[i];
    }
    by.own = own;
    float* weights = workspace_.take<float>(pair_rows * stride);
    float* totals = numbers();
    std::fill_n(gradient.points, dim * stride, 0.0F);
    for (std::int64_t i = 0; i < count; i += pair_rows) {
      const std::int64_t rows = std::min(pair_rows, count - i);
      steps_.pair_weights(pass_, affinity_, by, i, rows, weights, totals + i);
      steps_.add_product({centred_ + i, stride, weights, stride, dim, rows, stride, gradient.points, stride});
    }
    double d_log_temperature = 0;
    for (std::int64_t c = 0; c < dim; ++c)
      for (std::int64_t i = 0; i < count; ++i) {
        float& d = gradient.points[c * stride + i];
        const float z = centred_[c * stride + i];
        d = -2 * temperature * (totals[i] * z - d);
        d_log_temperature += static_cast<double>(z) * d;
      }
    gradient.log_temperature = static_cast<float>(d_log_temperature / 2);
    gradient.alpha = static_cast<float>(d_alpha);
  }

  const float* weight() const { return weight_; }

 private:
  const MutualPoints& given_;
  Workspace& workspace_;
  const MetricSteps& steps_;
  std::int64_t *begin_, *end_;
  float *centred_ = nullptr, *affinity_ = nullptr, *density_ = nullptr, *log_density_ = nullptr, *weight_ = nullptr;
  MutualPass pass_;
};

}  // namespace

std::optional<double> mutual_class_loss(const MutualPoints& points, std::span<const std::int64_t> class_end, MutualGradient& gradient) {
  const WorkspaceScope workspace(WorkspaceScope::Use::piece);
  Batch batch(points, *workspace);
  std::int64_t judged = 0, begin = 0;
  for (const std::int64_t end : class_end) {
    for (std::int64_t i = begin; i < end; ++i) batch.set_range(i, begin, end);
    if (end - begin > 1) judged += end - begin;
    begin = end;
  }
  if (!batch.prepare()) return std::nullopt;
  const float* weight = batch.weight();
  float *all = batch.numbers(), *own = batch.numbers(), *by_all = batch.numbers(), *by_own = batch.numbers();
  batch.sums(weight, weight, all, own);
  double loss = 0;
  const double share = 1 / static_cast<double>(judged);
  begin = 0;
  for (const std::int64_t end : class_end) {
    for (std::int64_t i = begin; i < end && end - begin > 1; ++i) {
      if (!(own[i] >= least)) return std::nullopt;
      loss += std::log(static_cast<double>(all[i]) / own[i]);
      by_all[i] = static_cast<float>(share / all[i]);
      by_own[i] = static_cast<float>(share / own[i]);
    }
    begin = end;
  }
  if (!batch.all_hold(all)) return std::nullopt;
  float *d_all = batch.numbers(), *d_own = batch.numbers(), *d_log_weight = batch.numbers();
  batch.sums(by_all, by_own, d_all, d_own);
  for (std::int64_t i = 0; i < points.count; ++i) d_log_weight[i] = weight[i] * (d_all[i] - d_own[i]);
  batch.differentiate(d_log_weight, {by_all, weight, by_own, weight}, gradient);
  return loss * share;
}

std::optional<double> mutual_value_loss(const MutualPoints& points, std::span<const float> targets, MutualGradient& gradient) {
  const WorkspaceScope workspace(WorkspaceScope::Use::piece);
  Batch batch(points, *workspace);
  if (!batch.prepare()) return std::nullopt;
  const float* weight = batch.weight();
  float *weighted = batch.numbers(), *all = batch.numbers(), *value = batch.numbers(), *by = batch.numbers(), *by_value = batch.numbers();
  for (std::int64_t i = 0; i < points.count; ++i) weighted[i] = weight[i] * targets[static_cast<std::size_t>(i)];
  batch.sums(weight, weighted, all, value);
  if (!batch.all_hold(all)) return std::nullopt;
  double loss = 0;
  const double share = 1 / static_cast<double>(points.count);
  for (std::int64_t i = 0; i < points.count; ++i) {
    const double found = static_cast<double>(value[i]) / all[i], off = found - targets[static_cast<std::size_t>(i)];
    loss += off * off;
    by[i] = static_cast<float>(2 * share * off / all[i]);
    by_value[i] = static_cast<float>(2 * share * off / all[i] * found);
  }
  float *d_weighted = batch.numbers(), *d_all = batch.numbers(), *d_log_weight = batch.numbers();
  batch.sums(by, by_value, d_weighted, d_all);
  for (std::int64_t i = 0; i < points.count; ++i) d_log_weight[i] = weight[i] * (targets[static_cast<std::size_t>(i)] * d_weighted[i] - d_all[i]);
  batch.differentiate(d_log_weight, {by, weighted, by_value, weight}, gradient);
  return loss * share;
}

}  // namespace calor::kernels

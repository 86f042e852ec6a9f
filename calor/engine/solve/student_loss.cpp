#include "calor/engine/solve/student_loss.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/student_sums.h"

namespace calor::engine {

namespace {

constexpr std::int64_t rows_at_once = 256;

}  // namespace

StudentLoss::StudentLoss(const Csr& p, std::int64_t dims, double freedom, StudentSums sums, const MapShare& share)
    : p_(p), share_(share), points_(p.columns), dims_(dims), stride_(kernels::padded(p.columns)), freedom_(freedom),
      on_grid_(sums == StudentSums::grid || (sums == StudentSums::automatic && dims == 2 && p.columns > most_exact)), grid_(freedom),
      pushes_(static_cast<std::size_t>(dims * stride_)), rows_(static_cast<std::size_t>(dims * p.columns)) {
  require(!on_grid_ || dims == 2, Fault::usage, "[match] expected 2 dimensions for sums=grid, found {}: give sums=exact", dims);
  std::vector<double> entropies(static_cast<std::size_t>(points_), 0.0);
  for (std::int64_t i = 0; i < p.rows; ++i)
    for (std::int64_t e = p.begin[i]; e < p.begin[i + 1]; ++e)
      if (const double value = p.values[e]; value > 0) entropies[share_.first + i] += value * std::log(value);
  entropy_ = sum_of_rows(entropies);
  if (!on_grid_) return;
  float_p_.assign(p.values.begin(), p.values.end());
  float_rows_.resize(rows_.size());
}

double StudentLoss::sum_of_rows(std::vector<double>& rows) const {
  if (share_.gather) share_.gather(1, rows.data());
  double sum = 0;
  for (const double row : rows) sum += row;
  return sum;
}

void StudentLoss::put_rows(const double* points) {
  for (std::int64_t i = 0; i < points_; ++i)
    for (std::int64_t c = 0; c < dims_; ++c) rows_[i * dims_ + c] = points[c * stride_ + i];
  if (on_grid_) std::copy(rows_.begin(), rows_.end(), float_rows_.begin());
}

// gradient_i += exaggeration sum_j p_ij b_ij (y_i - y_j).
template <int known>
void StudentLoss::attract(double exaggeration, double* gradient, const Context& context) const {
  const std::int64_t dims = known ? known : dims_, n = p_.rows;
  const double share = 1 / freedom_;
  parallel_for((n + rows_at_once - 1) / rows_at_once, context.threads, [&](std::int64_t piece) {
    std::vector<double> several(known ? 0 : static_cast<std::size_t>(dims));
    double few[known ? known : 1] = {}, *pull = known ? few : several.data();
    for (std::int64_t i = piece * rows_at_once; i < std::min(n, (piece + 1) * rows_at_once); ++i) {
      const double* own = &rows_[(share_.first + i) * dims];
      std::fill_n(pull, dims, 0.0);
      for (std::int64_t e = p_.begin[i]; e < p_.begin[i + 1]; ++e) {
        const double* other = &rows_[p_.column[e] * dims];
        double square = 0;
        for (std::int64_t c = 0; c < dims; ++c) square += (own[c] - other[c]) * (own[c] - other[c]);
        const double strength = p_.values[e] / (1 + square * share);
        for (std::int64_t c = 0; c < dims; ++c) pull[c] += strength * (own[c] - other[c]);
      }
      for (std::int64_t c = 0; c < dims; ++c) gradient[c * stride_ + share_.first + i] += exaggeration * pull[c];
    }
  });
}

void StudentLoss::attract_in_floats(double exaggeration, double* gradient, const Context& context) const {
  const std::int64_t n = p_.rows;
  const auto kernel = kernels::current_isa().descents().student_pull;
  parallel_for((n + rows_at_once - 1) / rows_at_once, context.threads, [&](std::int64_t piece) {
    for (std::int64_t i = piece * rows_at_once; i < std::min(n, (piece + 1) * rows_at_once); ++i) {
      const std::int64_t begin = p_.begin[i];
      double pull[2];
      kernel(float_rows_.data(), &float_rows_[2 * (share_.first + i)], p_.column.data() + begin, float_p_.data() + begin, p_.begin[i + 1] - begin, static_cast<float>(1 / freedom_), pull);
      for (std::int64_t c = 0; c < 2; ++c) gradient[c * stride_ + share_.first + i] += exaggeration * pull[c];
    }
  });
}

// sum_ij p_ij log w_ij.
double StudentLoss::log_sum(const Context& context) const {
  const std::int64_t n = p_.rows;
  const double share = 1 / freedom_;
  std::vector<double> logs(static_cast<std::size_t>(points_), 0.0);
  parallel_for((n + rows_at_once - 1) / rows_at_once, context.threads, [&](std::int64_t piece) {
    for (std::int64_t i = piece * rows_at_once; i < std::min(n, (piece + 1) * rows_at_once); ++i) {
      const double* own = &rows_[(share_.first + i) * dims_];
      double log = 0;
      for (std::int64_t e = p_.begin[i]; e < p_.begin[i + 1]; ++e) {
        const double* other = &rows_[p_.column[e] * dims_];
        double square = 0;
        for (std::int64_t c = 0; c < dims_; ++c) square += (own[c] - other[c]) * (own[c] - other[c]);
        log -= p_.values[e] * freedom_ * std::log(1 + square * share);
      }
      logs[share_.first + i] = log;
    }
  });
  return sum_of_rows(logs);
}

double StudentLoss::operator()(const double* points, double exaggeration, bool with_loss, double* gradient, const Context& context) {
  const double total = on_grid_ ? grid_.sums(points_, points, stride_, share_.first, share_.first + p_.rows, pushes_.data(), context)
                                : kernels::student_sums(points_, dims_, points, stride_, freedom_, pushes_.data(), context);
  const double per = total > 0 ? 1 / total : 0;
  for (std::size_t e = 0; e < pushes_.size(); ++e) gradient[e] = -per * pushes_[e];
  put_rows(points);
  if (on_grid_) attract_in_floats(exaggeration, gradient, context);
  else switch (dims_) {
    case 1: attract<1>(exaggeration, gradient, context); break;
    case 2: attract<2>(exaggeration, gradient, context); break;
    case 3: attract<3>(exaggeration, gradient, context); break;
    default: attract<0>(exaggeration, gradient, context);
  }
  return with_loss ? entropy_ - log_sum(context) + std::log(total) : 0;
}

}  // namespace calor::engine

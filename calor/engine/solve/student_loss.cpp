#include "calor/engine/solve/student_loss.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/kernels/student_sums.h"

namespace calor::engine {

namespace {

constexpr std::int64_t rows_at_once = 256;

}  // namespace

StudentLoss::StudentLoss(const Csr& p, std::int64_t dims, double freedom, StudentSums sums)
    : p_(p), dims_(dims), stride_(kernels::padded(p.rows)), freedom_(freedom),
      on_grid_(sums == StudentSums::grid || (sums == StudentSums::automatic && dims == 2 && p.rows > most_exact)), grid_(freedom),
      pushes_(static_cast<std::size_t>(dims * stride_)), rows_(static_cast<std::size_t>(dims * p.rows)) {
  require(!on_grid_ || dims == 2, Fault::usage, "[match] expected 2 dimensions for sums=grid, found {}: give sums=exact", dims);
  for (const double value : p.values)
    if (value > 0) entropy_ += value * std::log(value);
}

// gradient_i += exaggeration sum_j p_ij b_ij (y_i - y_j); returns sum_ij p_ij log w_ij.
template <int known>
double StudentLoss::attract(const double* points, double exaggeration, bool with_loss, double* gradient, const Context& context) {
  const std::int64_t dims = known ? known : dims_, n = p_.rows;
  const double share = 1 / freedom_;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t c = 0; c < dims; ++c) rows_[i * dims + c] = points[c * stride_ + i];
  std::vector<double> logs(static_cast<std::size_t>((n + rows_at_once - 1) / rows_at_once), 0.0);
  parallel_for(static_cast<std::int64_t>(logs.size()), context.threads, [&](std::int64_t piece) {
    std::vector<double> several(known ? 0 : static_cast<std::size_t>(dims));
    double few[known ? known : 1] = {}, *pull = known ? few : several.data();
    for (std::int64_t i = piece * rows_at_once; i < std::min(n, (piece + 1) * rows_at_once); ++i) {
      const double* own = &rows_[i * dims];
      std::fill_n(pull, dims, 0.0);
      for (std::int64_t e = p_.begin[i]; e < p_.begin[i + 1]; ++e) {
        const double* other = &rows_[p_.column[e] * dims];
        double square = 0;
        for (std::int64_t c = 0; c < dims; ++c) square += (own[c] - other[c]) * (own[c] - other[c]);
        const double ratio = 1 + square * share, strength = p_.values[e] / ratio;
        for (std::int64_t c = 0; c < dims; ++c) pull[c] += strength * (own[c] - other[c]);
        if (with_loss) logs[piece] -= p_.values[e] * freedom_ * std::log(ratio);
      }
      for (std::int64_t c = 0; c < dims; ++c) gradient[c * stride_ + i] += exaggeration * pull[c];
    }
  });
  double sum = 0;
  for (const double part : logs) sum += part;
  return sum;
}

double StudentLoss::operator()(const double* points, double exaggeration, bool with_loss, double* gradient, const Context& context) {
  const double total = on_grid_ ? grid_.sums(p_.rows, points, stride_, pushes_.data(), context)
                                : kernels::student_sums(p_.rows, dims_, points, stride_, freedom_, pushes_.data(), context);
  const double per = total > 0 ? 1 / total : 0;
  for (std::size_t e = 0; e < pushes_.size(); ++e) gradient[e] = -per * pushes_[e];
  double logs = 0;
  switch (dims_) {
    case 1: logs = attract<1>(points, exaggeration, with_loss, gradient, context); break;
    case 2: logs = attract<2>(points, exaggeration, with_loss, gradient, context); break;
    case 3: logs = attract<3>(points, exaggeration, with_loss, gradient, context); break;
    default: logs = attract<0>(points, exaggeration, with_loss, gradient, context);
  }
  return with_loss ? entropy_ - logs + std::log(total) : 0;
}

}  // namespace calor::engine

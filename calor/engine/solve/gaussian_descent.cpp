#include "calor/engine/solve/gaussian_descent.h"

#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/engine/solve/observe.h"
#include "calor/kernels/gaussian_pushes.h"
#include "calor/kernels/student_sums.h"

namespace calor::engine {

namespace {

// sum p log p over the values, and their sums by row and by column.
class Sums {
 public:
  explicit Sums(std::int64_t n) : rows(Vector::Zero(n)), columns(Vector::Zero(n)) {}
  void add(std::int64_t i, std::int64_t j, double value) {
    require(value >= 0, Fault::input, "[match] expected values of at least 0, found {:.6g} in row {}: put exp before it", value, i + 1);
    if (value == 0) return;
    entropy += value * std::log(value);
    rows[i] += value;
    columns[j] += value;
  }
  double entropy = 0;
  Vector rows, columns;
};

}  // namespace

GaussianLoss::GaussianLoss(const Similarity& similarity, const Context& context) : n_(similarity.rows) {
  Sums sums(n_);
  Similarity stored;
  if (similarity.all_pairs()) {
    const auto n = static_cast<std::uint64_t>(n_);
    context.memory.require(8 * n * n, "match", fmt::format("the values of {} x {} pairs", n, n), "put knn before distance, or raise --max-memory");
    auto values = std::make_shared<Matrix>(materialise(similarity, "match", context));
    values->diagonal().setZero();
    for (std::int64_t i = 0; i < n_; ++i)
      for (std::int64_t j = 0; j < n_; ++j) sums.add(i, j, (*values)(i, j));
    stored = stored_similarity(std::move(values));
  } else {
    Csr graph = values_on_support(similarity, context);
    for (std::int64_t i = 0; i < n_; ++i)
      for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) sums.add(i, graph.column[e], graph.values[e] = graph.column[e] == i ? 0 : graph.values[e]);
    stored = stored_similarity(std::move(graph));
  }
  for (std::int64_t i = 0; i < n_; ++i)
    require(std::abs(sums.rows[i] - 1) < 1e-6 || sums.rows[i] == 0, Fault::usage,
            "[match] expected rows that add up to 1 without a point's own value, found {:.6g} in row {}: put row before it", sums.rows[i], i + 1);
  entropy_ = sums.entropy;
  sums_ = sums.rows;
  both_ = sums.rows + sums.columns;
  values_ = std::make_unique<const Operator>(stored, context);
}

double GaussianLoss::operator()(const Matrix& y, Matrix& gradient, const Context& context) const {
  const std::int64_t dims = y.cols(), stride = kernels::padded(n_);
  Context quiet = context;
  quiet.progress = nullptr;
  quiet.stop = nullptr;  // between steps
  const Eigen::RowVectorXd mean = y.colwise().mean();
  Eigen::MatrixXd points = Eigen::MatrixXd::Zero(stride, dims), pushes(stride, dims);
  points.topRows(n_) = y.rowwise() - mean;
  const Matrix centred = points.topRows(n_);
  Vector logs = Vector::Zero(stride), sums = Vector::Zero(stride);
  sums.head(n_) = sums_;
  kernels::gaussian_logs(n_, dims, points.data(), stride, logs.data(), quiet);
  kernels::gaussian_pushes(n_, dims, points.data(), stride, logs.data(), sums.data(), pushes.data(), quiet);
  const Matrix forward = values_->apply(centred, quiet), backward = values_->apply_transposed(centred, quiet);
  gradient = 2 * (Matrix(centred.array().colwise() * both_.array()) - forward - backward - Matrix(pushes.topRows(n_)));
  // sum_ij p_ij |y_i - y_j|^2 by the products already there.
  const double squares = both_.dot(centred.rowwise().squaredNorm()) - 2 * centred.cwiseProduct(forward).sum();
  double loss = entropy_ + squares;
  for (std::int64_t i = 0; i < n_; ++i)
    if (sums_[i] > 0) loss += sums_[i] * logs[i];
  return loss;
}

Downhill gaussian_descent(const GaussianLoss& loss, Matrix& y, const DownhillOptions& options, const Context& context) {
  const Eigen::Index n = y.rows(), dims = y.cols();
  Matrix gradient(n, dims);
  DescentState state{.most_steps = options.most_steps, .loss_name = "kl"};
  double last = 0;  // the loss that was computed last: after a step, that of its points
  const auto at = [&](const double* x, double* slope) {
    last = loss(Eigen::Map<const Matrix>(x, n, dims), gradient, context);
    Eigen::Map<Matrix>(slope, n, dims) = gradient;
    return last;
  };
  const auto each = [&](std::int64_t step) {
    context.advance(static_cast<double>(step), static_cast<double>(options.most_steps), "descent");
    state.step = state.loss_step = step;
    state.loss = last;
    show_step(context, state, [&] { return y; });
    return !context.stopping();
  };
  Downhill result = downhill(y.size(), y.data(), at, options, each);
  y.rowwise() -= Eigen::RowVectorXd(y.colwise().mean());
  state.step = state.loss_step = static_cast<std::int64_t>(result.values.size()) - 1;
  state.loss = result.values.back();
  show_result(context, state, y);
  return result;
}

}  // namespace calor::engine

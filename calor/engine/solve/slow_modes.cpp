#include "calor/engine/solve/slow_modes.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/engine/solve/dense.h"
#include "calor/engine/solve/eigenpairs.h"

namespace calor::engine {
namespace {

constexpr std::int64_t few = 200;     // nodes, or vectors as many as half of them: a dense decomposition
constexpr std::int64_t guards = 2;    // vectors beside those that are wanted, at least
constexpr std::int64_t panel = 4;     // vectors that a product takes at once
constexpr std::int64_t rows_at_once = 1024;
constexpr double growth = 1000;       // of the slowest mode in a filter over those that it leaves out: floats keep four digits of these
constexpr double first_cut = 0;       // what the first filter leaves out, of random vectors
constexpr double tolerance = 0.03, floats = 1e-6;
constexpr std::int64_t most_products = 4000;

using Columns = Eigen::Matrix<float, Eigen::Dynamic, panel, Eigen::RowMajor>;

// A = D^-1/2 W D^-1/2 in floats.
class Walk {
 public:
  Walk(const Csr& graph, const std::vector<std::int64_t>& members, const std::vector<std::int64_t>& number) : nodes_(static_cast<std::int64_t>(members.size())), degree_(nodes_) {
    for (std::int64_t m = 0; m < nodes_; ++m) {
      double sum = 0;
      for (std::int64_t e = graph.begin[members[m]]; e < graph.begin[members[m] + 1]; ++e) sum += graph.values[e];
      degree_[m] = sum;
    }
    for (std::int64_t m = 0; m < nodes_; ++m) {
      for (std::int64_t e = graph.begin[members[m]]; e < graph.begin[members[m] + 1]; ++e) {
        const std::int64_t other = number[graph.column[e]];
        column_.push_back(static_cast<std::int32_t>(other));
        weight_.push_back(static_cast<float>(graph.values[e] / std::sqrt(degree_[m] * degree_[other])));
      }
      begin_.push_back(static_cast<std::int64_t>(column_.size()));
    }
  }
  std::int64_t nodes() const { return nodes_; }
  Vector known() const { return degree_.cwiseSqrt().normalized(); }

  // out = factor (A x - centre x) - out.
  void step(const Columns& x, float factor, float centre, Columns& out, int threads) const {
    parallel_for((nodes_ + rows_at_once - 1) / rows_at_once, threads, [&](std::int64_t p) {
      for (std::int64_t m = p * rows_at_once; m < std::min(nodes_, (p + 1) * rows_at_once); ++m) {
        float sum[panel];
        for (std::int64_t c = 0; c < panel; ++c) sum[c] = -centre * x(m, c);
        for (std::int64_t e = begin_[m]; e < begin_[m + 1]; ++e) {
          const float* at = x.data() + column_[e] * panel;
          for (std::int64_t c = 0; c < panel; ++c) sum[c] += weight_[e] * at[c];
        }
        for (std::int64_t c = 0; c < panel; ++c) out(m, c) = factor * sum[c] - out(m, c);
      }
    });
  }

 private:
  std::int64_t nodes_;
  Vector degree_;
  std::vector<std::int64_t> begin_{0};
  std::vector<std::int32_t> column_;
  std::vector<float> weight_;
};

class Iteration {
 public:
  Iteration(Walk walk, std::int64_t count, const Context& context)
      : walk_(std::move(walk)), context_(context), n_(walk_.nodes()), count_(count), width_((count + guards + panel - 1) / panel * panel), known_(walk_.known()),
        x_(static_cast<std::size_t>(width_ / panel), Columns(n_, panel)), y_(x_) {
    Random random(0, Purpose::weights);
    for (Columns& columns : x_)
      for (float& value : columns.reshaped<Eigen::RowMajor>()) value = static_cast<float>(random.normal());
  }

  Matrix modes(std::int64_t& products) {
    double cut = first_cut;
    project();
    while (true) {
      context_.check_stop("match");
      products += filter(cut, most_products - products);
      project();
      if (rotate() || products >= most_products) break;
      cut = std::max(cut, values_[width_ - 1]);
    }
    Matrix result(n_, count_);
    for (std::int64_t c = 0; c < count_; ++c) result.col(c) = x_[static_cast<std::size_t>(c / panel)].col(c % panel).cast<double>();
    return result;
  }

 private:
  std::int64_t pieces() const { return (n_ + rows_at_once - 1) / rows_at_once; }
  // Rows of a piece, all columns, in double.
  Eigen::MatrixXd rows(const std::vector<Columns>& x, std::int64_t piece) const {
    const std::int64_t first = piece * rows_at_once, count = std::min(rows_at_once, n_ - first);
    Eigen::MatrixXd result(count, width_);
    for (std::int64_t p = 0; p < width_ / panel; ++p) result.middleCols(p * panel, panel) = x[static_cast<std::size_t>(p)].middleRows(first, count).cast<double>();
    return result;
  }
  void put(const Eigen::MatrixXd& rows, std::vector<Columns>& x, std::int64_t piece) const {
    for (std::int64_t p = 0; p < width_ / panel; ++p) x[static_cast<std::size_t>(p)].middleRows(piece * rows_at_once, rows.rows()) = rows.middleCols(p * panel, panel).cast<float>();
  }
  // The sum of what each piece has, in their order.
  template <class Part>
  Eigen::MatrixXd sum(Part part) const {
    std::vector<Eigen::MatrixXd> parts(static_cast<std::size_t>(pieces()));
    parallel_for(pieces(), context_.threads, [&](std::int64_t p) { parts[p] = part(p); });
    Eigen::MatrixXd total = parts.front();
    for (std::size_t p = 1; p < parts.size(); ++p) total += parts[p];
    return total;
  }
  auto known(std::int64_t piece) const { return known_.segment(piece * rows_at_once, std::min(rows_at_once, n_ - piece * rows_at_once)); }

  void project() {
    const Eigen::MatrixXd along = sum([&](std::int64_t p) { return Eigen::MatrixXd(known(p).transpose() * rows(x_, p)); });
    parallel_for(pieces(), context_.threads, [&](std::int64_t p) { put(rows(x_, p) - known(p) * along, x_, p); });
  }

  // The polynomial of A that is at most 1 on [-1, cut] and `growth` at 1; returns its degree.
  // At most `most` products of each panel: modes that lie closer together than these tell apart are left as they are.
  std::int64_t filter(double cut, std::int64_t most) {
    const double centre = (cut - 1) / 2, half = (cut + 1) / 2, wanted = std::acosh(growth) / std::acosh(std::max((1 - centre) / half, 1 + 1e-12));
    const auto degree = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(std::min(wanted, static_cast<double>(most)))));
    for (std::size_t p = 0; p < x_.size(); ++p) {
      y_[p].setZero();
      walk_.step(x_[p], static_cast<float>(1 / half), static_cast<float>(centre), y_[p], context_.threads);
      for (std::int64_t d = 1; d < degree; ++d) {
        context_.check_stop("match");
        std::swap(x_[p], y_[p]);
        walk_.step(x_[p], static_cast<float>(2 / half), static_cast<float>(centre), y_[p], context_.threads);
      }
      std::swap(x_[p], y_[p]);
    }
    return degree;
  }

  // The best vectors of the span (Rayleigh and Ritz), the slowest mode first; whether those that are wanted will do.
  bool rotate() {
    for (std::size_t p = 0; p < x_.size(); ++p) {
      y_[p].setZero();
      walk_.step(x_[p], 1, 0, y_[p], context_.threads);
    }
    const Eigen::MatrixXd products = sum([&](std::int64_t p) {
      const Eigen::MatrixXd own = rows(x_, p);
      Eigen::MatrixXd both(width_, 2 * width_);
      both << own.transpose() * own, own.transpose() * rows(y_, p);
      return both;
    });
    const SymmetricPairs lengths = symmetric_eigenpairs(products.leftCols(width_));
    const Eigen::VectorXd scale = lengths.values.cwiseMax(1e-12 * lengths.values.maxCoeff()).cwiseSqrt().cwiseInverse();
    const Eigen::MatrixXd orthonormal = lengths.vectors * scale.asDiagonal(), within = orthonormal.transpose() * products.rightCols(width_) * orthonormal;
    const SymmetricPairs pairs = symmetric_eigenpairs((within + within.transpose()) / 2);
    values_ = pairs.values.reverse();
    const Eigen::MatrixXd turn = orthonormal * pairs.vectors.rowwise().reverse();
    residuals_ = sum([&](std::int64_t p) {
      const Eigen::MatrixXd own = rows(x_, p) * turn, walked = rows(y_, p) * turn;
      put(own, x_, p);
      return Eigen::MatrixXd((walked - own * values_.asDiagonal()).colwise().squaredNorm());
    }).transpose().cwiseSqrt();
    for (std::int64_t c = 0; c < count_; ++c)
      if (residuals_[c] > std::max(floats, tolerance * (1 - values_[c]))) return false;
    return true;
  }

  const Walk walk_;
  const Context& context_;
  const std::int64_t n_, count_, width_;
  const Vector known_;
  std::vector<Columns> x_, y_;
  Vector values_, residuals_;
};

Matrix densely(const Csr& graph, const std::vector<std::int64_t>& members, const std::vector<std::int64_t>& number, std::int64_t count) {
  const auto n = static_cast<std::int64_t>(members.size());
  Eigen::MatrixXd walk = Eigen::MatrixXd::Zero(n, n);
  for (std::int64_t m = 0; m < n; ++m)
    for (std::int64_t e = graph.begin[members[m]]; e < graph.begin[members[m] + 1]; ++e) walk(m, number[graph.column[e]]) += graph.values[e];
  const Vector root = walk.rowwise().sum().cwiseSqrt(), known = root.normalized();
  walk = root.cwiseInverse().asDiagonal() * walk * root.cwiseInverse().asDiagonal();
  walk -= 2 * known * known.transpose();  // from 1 to -1
  return symmetric_eigenpairs((walk + walk.transpose()) / 2).vectors.rightCols(count).rowwise().reverse();
}

}  // namespace

Matrix slow_modes(const Csr& graph, const std::vector<std::int64_t>& members, const std::vector<std::int64_t>& number, std::int64_t count,
                  const Context& context, std::int64_t* products) {
  const auto n = static_cast<std::int64_t>(members.size());
  std::int64_t taken = 0;
  Matrix result;
  if (n <= few || 2 * (count + guards + panel) > n) result = densely(graph, members, number, count);
  else result = Iteration(Walk(graph, members, number), count, context).modes(taken);
  if (products) *products = taken;
  fix_signs(result);
  return result;
}

}  // namespace calor::engine

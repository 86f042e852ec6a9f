#include "calor/engine/implicit_heat.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "calor/core/error.h"
#include "calor/engine/solve/sparse_cholesky.h"

namespace calor::engine {
namespace {

// mass + t stiffness, whose structure is that of every t.  A node without mass has 1 on the diagonal and nothing beside it.
class Euler {
 public:
  explicit Euler(const MeshLaplacian& laplacian) : matrix_(laplacian.stiffness.rows, laplacian.stiffness.rows) {
    const Csr& stiffness = laplacian.stiffness;
    const auto counts = [&](std::int64_t node) { return laplacian.mass[node] > 0; };
    std::vector<Eigen::Triplet<double>> entries;
    for (std::int64_t i = 0; i < stiffness.rows; ++i) {
      entries.emplace_back(static_cast<int>(i), static_cast<int>(i), 0);
      for (std::int64_t e = stiffness.begin[i]; e < stiffness.begin[i + 1]; ++e)
        if (counts(i) && counts(stiffness.column[e])) entries.emplace_back(static_cast<int>(i), stiffness.column[e], stiffness.values[e]);
    }
    matrix_.setFromTriplets(entries.begin(), entries.end());
    stiffness_ = values();
    values().setZero();
    for (std::int64_t i = 0; i < stiffness.rows; ++i) matrix_.coeffRef(static_cast<int>(i), static_cast<int>(i)) = counts(i) ? laplacian.mass[i] : 1;
    mass_ = values();
  }
  const Sparse& at(double time) {
    values() = mass_ + time * stiffness_;
    return matrix_;
  }

 private:
  Eigen::Map<Vector> values() { return {matrix_.valuePtr(), matrix_.nonZeros()}; }

  Sparse matrix_;
  Vector stiffness_, mass_;  // in the order of the matrix's entries
};

}  // namespace

Matrix implicit_heat(const MeshLaplacian& laplacian, const Matrix& b, const Vector& times, const Context& context) {
  require(b.rows() == laplacian.stiffness.rows && times.size() == b.cols() && times.minCoeff() >= 0, Fault::internal, "[heat] expected {} rows and a time of at least 0 for each of {} columns, found {} rows and {} times",
          laplacian.stiffness.rows, b.cols(), b.rows(), times.size());
  std::vector<Eigen::Index> order(static_cast<std::size_t>(times.size()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  std::sort(order.begin(), order.end(), [&](Eigen::Index i, Eigen::Index j) { return times[i] < times[j]; });
  Euler euler(laplacian);
  SparseCholesky factors(euler.at(1));
  const Reservation reservation = context.memory.reserve(factors.bytes(), "heat", fmt::format("the factorisation of {} points", factors.size()), "use a coarser mesh, take heat(spectral), or raise --max-memory");
  Matrix result(b.rows(), b.cols());
  for (std::size_t k = 0; k < order.size(); ++k) {
    const Eigen::Index column = order[k];
    if (k == 0 || times[column] != times[order[k - 1]]) {
      context.check_stop("heat");
      require(factors.factorise(euler.at(times[column]), context), Fault::convergence, "[heat] expected a positive matrix, found a factorisation that failed: give a mesh without slivers, or take heat(spectral)");
    }
    Vector right = b.col(column);
    for (Eigen::Index i = 0; i < right.size(); ++i)
      if (!(laplacian.mass[i] > 0)) right[i] = 0;
    result.col(column) = factors.solve(right);
  }
  return result;
}

}  // namespace calor::engine

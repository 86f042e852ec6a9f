#include "calor/engine/solve/krylov.h"

#include <Spectra/GenEigsSolver.h>
#include <Spectra/SymEigsSolver.h>

namespace calor::engine {

namespace {

struct Operator {
  using Scalar = double;
  std::int64_t n;
  const Product* product;
  Eigen::Index rows() const { return n; }
  Eigen::Index cols() const { return n; }
  void perform_op(const double* x, double* out) const { (*product)(x, out); }
};

}  // namespace

KrylovPairs largest_symmetric(std::int64_t n, const Product& product, std::int64_t count, const KrylovOptions& options,
                              const Eigen::VectorXd& start) {
  Operator a{n, &product};
  Spectra::SymEigsSolver<Operator> solver(a, count, options.basis);
  solver.init(start.data());
  solver.compute(Spectra::SortRule::LargestAlge, options.most_restarts, options.tolerance);
  return {{solver.eigenvalues(), solver.eigenvectors()}, solver.info() == Spectra::CompInfo::Successful};
}

ComplexPairs largest_general(std::int64_t n, const Product& product, std::int64_t count, const KrylovOptions& options,
                             const Eigen::VectorXd& start) {
  Operator a{n, &product};
  Spectra::GenEigsSolver<Operator> solver(a, count, options.basis);
  solver.init(start.data());
  solver.compute(Spectra::SortRule::LargestMagn, options.most_restarts, options.tolerance);
  return {solver.eigenvalues(), solver.eigenvectors(), solver.info() == Spectra::CompInfo::Successful};
}

}  // namespace calor::engine

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

// Runs either solver, which share no base class; whether it converged.
template <class Solver>
bool run(Solver& solver, Spectra::SortRule largest, const KrylovOptions& options, const Eigen::VectorXd& start) {
  solver.init(start.data());
  solver.compute(largest, options.most_restarts, options.tolerance);
  return solver.info() == Spectra::CompInfo::Successful;
}

}  // namespace

KrylovPairs largest_symmetric(std::int64_t n, const Product& product, std::int64_t count, const KrylovOptions& options,
                              const Eigen::VectorXd& start) {
  Operator a{n, &product};
  Spectra::SymEigsSolver<Operator> solver(a, count, options.basis);
  const bool converged = run(solver, Spectra::SortRule::LargestAlge, options, start);
  return {{solver.eigenvalues(), solver.eigenvectors()}, converged};
}

ComplexPairs largest_general(std::int64_t n, const Product& product, std::int64_t count, const KrylovOptions& options,
                             const Eigen::VectorXd& start) {
  Operator a{n, &product};
  Spectra::GenEigsSolver<Operator> solver(a, count, options.basis);
  const bool converged = run(solver, Spectra::SortRule::LargestMagn, options, start);
  return {solver.eigenvalues(), solver.eigenvectors(), converged};
}

}  // namespace calor::engine

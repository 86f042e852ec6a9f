#include "calor/cluster/eigen_solver.h"

#include <slepceps.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <numeric>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"

namespace calor::cluster {

using engine::Csr, engine::Pairs;

namespace {

constexpr std::int64_t dense_below = 200;  // as engine::largest_pairs
constexpr double tolerance = 1e-12, negligible = 1e-2;  // of an eigenvalue; and of the largest: together 1e-14 of that
constexpr int most_restarts = 2000;
// Vectors of the basis.  Over all pairs a product takes far longer than to orthogonalise one, and a long basis resolves eigenvalues that crowd at 1:
// with 24 beside those looked for, the diffusion map of breast_cancer did not converge in 2000 restarts, with 100 in 85, with 200 in 21.
std::int64_t basis_of_pairs(std::int64_t k) { return std::max<std::int64_t>(192, 2 * k + 80); }
std::int64_t basis_of_graph(std::int64_t k) { return std::max(2 * k + 1, k + 24); }

void check(PetscErrorCode code, const char* what) {
  if (code == 0) return;
  const char* text = nullptr;
  PetscErrorMessage(code, &text, nullptr);
  fail(Fault::internal, "[eigen] expected SLEPc to {}, found its error {}: {}", what, static_cast<int>(code), text ? text : "unknown");
}

// Signals and errors stay the program's own.
void begin_solver() {
  PetscBool begun = PETSC_FALSE;
  SlepcInitialized(&begun);
  if (begun) return;
  PetscOptionsSetValue(nullptr, "-no_signal_handler", nullptr);
  check(SlepcInitializeNoArguments(), "begin");
  PetscPopSignalHandler();
  PetscPushErrorHandler(PetscIgnoreErrorHandler, nullptr);
}

// A handle of PETSc's, destroyed at its end.
template <class T, PetscErrorCode (*destroy)(T*)>
class Handle {
 public:
  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { destroy(&object_); }
  T* operator&() { return &object_; }
  operator T() const { return object_; }

 private:
  T object_ = nullptr;
};
using MatHandle = Handle<Mat, MatDestroy>;
using VecHandle = Handle<Vec, VecDestroy>;
using EpsHandle = Handle<EPS, EPSDestroy>;

Vector own_part(Vec from) {
  PetscInt size = 0;
  const PetscScalar* numbers = nullptr;
  check(VecGetLocalSize(from, &size), "tell a vector's size");
  check(VecGetArrayRead(from, &numbers), "show a vector");
  Vector result = Eigen::Map<const Vector>(numbers, size);
  check(VecRestoreArrayRead(from, &numbers), "take a vector back");
  return result;
}

void put(const Vector& own, Vec to) {
  PetscScalar* numbers = nullptr;
  check(VecGetArrayWrite(to, &numbers), "show a vector");
  std::copy(own.begin(), own.end(), numbers);
  check(VecRestoreArrayWrite(to, &numbers), "take a vector back");
}

// A product as a matrix of PETSc's.  What it throws is kept, for no exception passes through C.
struct Shell {
  const Product& product;
  std::exception_ptr thrown;
};

PetscErrorCode multiply(Mat matrix, Vec x, Vec y) {
  void* context = nullptr;
  MatShellGetContext(matrix, &context);
  auto& shell = *static_cast<Shell*>(context);
  try {
    put(shell.product(own_part(x)), y);
    return 0;
  } catch (...) {
    shell.thrown = std::current_exception();
    return PETSC_ERR_USER;
  }
}

// Of the eigenvalue, or of a hundredth of the largest that has been met.
PetscErrorCode error_of(EPS, PetscScalar value, PetscScalar, PetscReal residual, PetscReal* error, void* greatest) {
  PetscReal& most = *static_cast<PetscReal*>(greatest);
  most = std::max(most, std::abs(value));
  const PetscReal unit = std::max(std::abs(value), negligible * most);
  *error = unit > 0 ? residual / unit : residual;
  return 0;
}

// The same numbers for any number of processes.
Vector beginning(const Blocks& rows, int process) {
  Random random(0, Purpose::weights, 0);
  Vector all(rows.rows());
  for (double& value : all) value = random.normal();
  return all.segment(rows.first(process), rows.size(process));
}

// What is kept after restarts: the solver's converged vectors are put after those that it began with.
struct Watch {
  const KeptPairs& kept;
  const Blocks& rows;
  const PairsSoFar& before;
  std::int64_t looked_for;  // of the solver
  std::exception_ptr thrown;
};

PairsSoFar so_far(EPS eps, const Watch& watch, std::int64_t restarts, std::int64_t converged, std::int64_t held, const PetscScalar* values) {
  BV basis = nullptr;
  check(EPSGetBV(eps, &basis), "show its basis");
  const std::int64_t old = watch.before.values.size(), done = std::min(converged, watch.looked_for), all = std::max(held, done);
  PairsSoFar found{watch.before.restarts + restarts, Vector(old + done), Matrix(watch.before.vectors.rows(), old + done), Matrix(watch.before.vectors.rows(), all - done)};
  found.values.head(old) = watch.before.values;
  found.vectors.leftCols(old) = watch.before.vectors;
  for (std::int64_t c = 0; c < all; ++c) {
    Vec column = nullptr;
    check(BVGetColumn(basis, static_cast<PetscInt>(c), &column), "show a vector of its basis");
    if (c < done) found.values[old + c] = values[c];
    if (c < done) found.vectors.col(old + c) = own_part(column);
    else found.others.col(c - done) = own_part(column);
    check(BVRestoreColumn(basis, static_cast<PetscInt>(c), &column), "take a vector of its basis back");
  }
  return found;
}

// Called after a restart, when the basis begins with the converged vectors and half of the approximations beside them, the largest first.
PetscErrorCode restarted(EPS eps, PetscInt restarts, PetscInt converged, PetscScalar* values, PetscScalar*, PetscReal*, PetscInt vectors, void* context) {
  auto& watch = *static_cast<Watch*>(context);
  try {
    const PetscInt held = converged + std::max<PetscInt>(1, (vectors - converged) / 2);
    watch.kept.keep(watch.rows, [&] { return so_far(eps, watch, restarts, converged, std::min(held, vectors), values); }, false);
    return 0;
  } catch (...) {
    watch.thrown = std::current_exception();
    return PETSC_ERR_USER;
  }
}

// Where a solver begins: at random, or near the sum of the approximations that a basis was restarted with, which as many products bring back; with a little of
// all else for what these have missed.
Vector first_vector(const Blocks& rows, int process, const Matrix& others) {
  const Vector random = beginning(rows, process);
  constexpr double little = 1e-3;
  if (others.cols() == 0) return random;
  return others.rowwise().sum() + little / std::sqrt(static_cast<double>(rows.rows())) * random;
}

Pairs in_order(const Vector& values, const Matrix& vectors) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(values.size()));
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  std::stable_sort(order.begin(), order.end(), [&](Eigen::Index a, Eigen::Index b) { return values[a] > values[b]; });
  Pairs result{Vector(values.size()), Matrix(vectors.rows(), vectors.cols())};
  for (std::size_t c = 0; c < order.size(); ++c) {
    result.values[static_cast<Eigen::Index>(c)] = values[order[c]];
    result.vectors.col(static_cast<Eigen::Index>(c)) = vectors.col(order[c]);
  }
  return result;
}

Pairs of_all(const Processes& processes, const Blocks& rows, Pairs own) {
  own.vectors = processes.all_rows(own.vectors, rows);
  engine::fix_signs(own.vectors);
  return own;
}

Pairs solve(const Processes& processes, const Blocks& rows, Mat matrix, std::int64_t all, std::int64_t basis, const Matrix& known, const KeptPairs& kept, const Shell* shell) {
  const PairsSoFar before = kept.begin(rows, all);
  const std::int64_t k = all - before.values.size();
  if (k == 0) return of_all(processes, rows, in_order(before.values, before.vectors));
  const std::int64_t n = rows.rows(), left = n - known.cols() - before.values.size();
  const std::int64_t own = rows.size(processes.rank()), first = rows.first(processes.rank());
  EpsHandle eps;
  VecHandle vector;
  check(EPSCreate(processes.communicator(), &eps), "make a solver");
  check(EPSSetOperators(eps, matrix, nullptr), "take a matrix");
  check(EPSSetProblemType(eps, EPS_HEP), "take a symmetric problem");
  check(EPSSetType(eps, EPSKRYLOVSCHUR), "choose Krylov-Schur");
  check(EPSSetWhichEigenpairs(eps, EPS_LARGEST_REAL), "look for the largest");
  check(EPSSetDimensions(eps, static_cast<PetscInt>(k), static_cast<PetscInt>(std::min(left, basis)), PETSC_DEFAULT), "take the number of pairs");
  check(EPSSetTolerances(eps, tolerance, most_restarts), "take a tolerance");
  PetscReal greatest = 0;
  check(EPSSetConvergenceTestFunction(eps, error_of, &greatest, nullptr), "take a measure of convergence");
  check(MatCreateVecs(matrix, &vector, nullptr), "make a vector");
  Matrix apart(own, known.cols() + before.vectors.cols());
  apart << known.middleRows(first, own), before.vectors;
  std::vector<VecHandle> handles(static_cast<std::size_t>(apart.cols()));
  std::vector<Vec> deflated;
  for (VecHandle& handle : handles) {
    check(VecDuplicate(vector, &handle), "make a vector");
    put(apart.col(static_cast<Eigen::Index>(deflated.size())), handle);
    deflated.push_back(handle);
  }
  if (!deflated.empty()) check(EPSSetDeflationSpace(eps, static_cast<PetscInt>(deflated.size()), deflated.data()), "take known vectors");
  put(first_vector(rows, processes.rank(), before.others), vector);
  Vec start = vector;
  check(EPSSetInitialSpace(eps, 1, &start), "take a vector to begin with");
  Watch watch{kept, rows, before, k, nullptr};
  check(EPSMonitorSet(eps, restarted, &watch, nullptr), "tell of restarts");
  const PetscErrorCode code = EPSSolve(eps);
  if (watch.thrown) std::rethrow_exception(watch.thrown);
  if (shell && shell->thrown) std::rethrow_exception(shell->thrown);
  check(code, "solve");
  PetscInt converged = 0;
  check(EPSGetConverged(eps, &converged), "tell what has converged");
  require(converged >= k, Fault::convergence, "[eigen] expected {} eigenpairs, found {} converged after {} restarts: ask for more or fewer, or a larger k of knn", k,
          static_cast<std::int64_t>(converged), most_restarts);
  PairsSoFar found{before.restarts, Vector(all), Matrix(own, all), Matrix(own, 0)};
  found.values.head(all - k) = before.values;
  found.vectors.leftCols(all - k) = before.vectors;
  for (std::int64_t c = 0; c < k; ++c) {
    check(EPSGetEigenpair(eps, static_cast<PetscInt>(c), &found.values[all - k + c], nullptr, vector, nullptr), "give a pair");
    found.vectors.col(all - k + c) = own_part(vector);
  }
  PetscInt restarts = 0;
  check(EPSGetIterationNumber(eps, &restarts), "count its restarts");
  found.restarts += restarts + 1;  // one more than what was kept after the last of them
  kept.keep(rows, [&] { return found; }, true);
  return of_all(processes, rows, in_order(found.values, found.vectors));
}

// Of few rows: the engine's own solver, the same in every process.
class Replicated : public engine::SymmetricOperator {
 public:
  Replicated(const Processes& processes, const Blocks& rows, const Product& product) : processes_(processes), rows_(rows), product_(product) {}
  std::int64_t size() const override { return rows_.rows(); }
  Vector operator()(const Vector& x) const override {
    const int own = processes_.rank();
    return processes_.all_rows(product_(x.segment(rows_.first(own), rows_.size(own))), rows_);
  }

 private:
  const Processes& processes_;
  const Blocks& rows_;
  const Product& product_;
};

bool by_engine(std::int64_t n, std::int64_t k, const Matrix& known) { return n < dense_below || k + known.cols() + 2 >= n; }

}  // namespace

Pairs largest_pairs(const Processes& processes, const Blocks& rows, const Product& product, std::int64_t k, const Matrix& known, const KeptPairs& kept, const Context& context) {
  const std::int64_t n = rows.rows(), own = rows.size(processes.rank());
  if (by_engine(n, k, known)) return engine::largest_pairs(Replicated(processes, rows, product), k, known, context);
  begin_solver();
  Shell shell{product, nullptr};
  MatHandle matrix;
  check(MatCreateShell(processes.communicator(), static_cast<PetscInt>(own), static_cast<PetscInt>(own), static_cast<PetscInt>(n), static_cast<PetscInt>(n), &shell, &matrix),
        "make a matrix of products");
  check(MatShellSetOperation(matrix, MATOP_MULT, reinterpret_cast<void (*)()>(multiply)), "take a product");
  return solve(processes, rows, matrix, k, basis_of_pairs(k), known, kept, &shell);
}

Pairs largest_pairs(const Processes& processes, const Blocks& rows, const Csr& own, std::int64_t k, const Matrix& known, const KeptPairs& kept, const Context& context) {
  const std::int64_t n = rows.rows();
  if (by_engine(n, k, known)) {
    const Product product = [&](const Vector& x) {
      const Vector all = processes.all_rows(x, rows);
      Vector y = Vector::Zero(own.rows);
      for (std::int64_t i = 0; i < own.rows; ++i)
        for (std::int64_t e = own.begin[i]; e < own.begin[i + 1]; ++e) y[i] += own.values[e] * all[own.column[e]];
      return y;
    };
    return engine::largest_pairs(Replicated(processes, rows, product), k, known, context);
  }
  begin_solver();
  const std::vector<PetscInt> begin(own.begin.begin(), own.begin.end()), column(own.column.begin(), own.column.end());
  MatHandle matrix;
  check(MatCreateMPIAIJWithArrays(processes.communicator(), static_cast<PetscInt>(own.rows), static_cast<PetscInt>(own.rows), static_cast<PetscInt>(n), static_cast<PetscInt>(n),
                                  begin.data(), column.data(), own.values.data(), &matrix),
        "make a matrix of a graph's values");
  return solve(processes, rows, matrix, k, basis_of_graph(k), known, kept, nullptr);
}

Traffic solver_traffic() {
  const auto whole = [](PetscLogDouble number) { return static_cast<std::uint64_t>(number); };
  return {whole(petsc_isend_ct + petsc_send_ct), whole(petsc_isend_len + petsc_send_len), whole(petsc_allreduce_ct + petsc_gather_ct + petsc_scatter_ct), 0, 0, 0};
}

void end_solver() {
  PetscBool begun = PETSC_FALSE;
  SlepcInitialized(&begun);
  if (begun) SlepcFinalize();
}

}  // namespace calor::cluster

#include "calor/cluster/eigen_solver.h"

#include <slepceps.h>

#include <algorithm>
#include <cmath>
#include <exception>
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

Pairs solve(const Processes& processes, const Blocks& rows, Mat matrix, std::int64_t k, std::int64_t basis, const Matrix& known, const Shell* shell) {
  const std::int64_t n = rows.rows(), left = n - known.cols();
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
  std::vector<VecHandle> handles(static_cast<std::size_t>(known.cols()));
  std::vector<Vec> deflated;
  for (VecHandle& handle : handles) {
    check(VecDuplicate(vector, &handle), "make a vector");
    put(known.col(static_cast<Eigen::Index>(deflated.size())).segment(first, own), handle);
    deflated.push_back(handle);
  }
  if (!deflated.empty()) check(EPSSetDeflationSpace(eps, static_cast<PetscInt>(deflated.size()), deflated.data()), "take known vectors");
  put(beginning(rows, processes.rank()), vector);
  Vec start = vector;
  check(EPSSetInitialSpace(eps, 1, &start), "take a vector to begin with");
  const PetscErrorCode code = EPSSolve(eps);
  if (shell && shell->thrown) std::rethrow_exception(shell->thrown);
  check(code, "solve");
  PetscInt converged = 0;
  check(EPSGetConverged(eps, &converged), "tell what has converged");
  require(converged >= k, Fault::convergence, "[eigen] expected {} eigenpairs, found {} converged after {} restarts: ask for more or fewer, or a larger k of knn", k,
          static_cast<std::int64_t>(converged), most_restarts);
  Pairs result{Vector(k), Matrix(own, k)};
  for (std::int64_t c = 0; c < k; ++c) {
    check(EPSGetEigenpair(eps, static_cast<PetscInt>(c), &result.values[c], nullptr, vector, nullptr), "give a pair");
    result.vectors.col(c) = own_part(vector);
  }
  result.vectors = processes.all_rows(result.vectors, rows);
  engine::fix_signs(result.vectors);
  return result;
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

Pairs largest_pairs(const Processes& processes, const Blocks& rows, const Product& product, std::int64_t k, const Matrix& known, const Context& context) {
  const std::int64_t n = rows.rows(), own = rows.size(processes.rank());
  if (by_engine(n, k, known)) return engine::largest_pairs(Replicated(processes, rows, product), k, known, context);
  begin_solver();
  Shell shell{product, nullptr};
  MatHandle matrix;
  check(MatCreateShell(processes.communicator(), static_cast<PetscInt>(own), static_cast<PetscInt>(own), static_cast<PetscInt>(n), static_cast<PetscInt>(n), &shell, &matrix),
        "make a matrix of products");
  check(MatShellSetOperation(matrix, MATOP_MULT, reinterpret_cast<void (*)()>(multiply)), "take a product");
  return solve(processes, rows, matrix, k, basis_of_pairs(k), known, &shell);
}

Pairs largest_pairs(const Processes& processes, const Blocks& rows, const Csr& own, std::int64_t k, const Matrix& known, const Context& context) {
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
  return solve(processes, rows, matrix, k, basis_of_graph(k), known, nullptr);
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

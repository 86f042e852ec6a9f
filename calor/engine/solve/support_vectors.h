// Support vector machines on any symmetric similarity: classes one against one, values, and the support of one class.
//
// decision(x) = sum over support vectors of weight K(vector, x) - offset, a column for each machine; all machines share the union of their
// support vectors, so that new rows are one product with its columns.  Cortes & Vapnik 1995; Drucker et al. 1997; Scholkopf et al. 2001.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/matrix.h"
#include "calor/engine/record.h"
#include "calor/engine/solve/class_probabilities.h"
#include "calor/engine/solve/minimal_optimisation.h"
#include "calor/engine/values.h"

namespace calor::engine {

struct Machines {
  std::vector<std::int64_t> vectors;  // rows of the similarity, ascending
  Matrix weights;                     // vectors x machines
  Vector offsets;
  std::vector<Sigmoid> sigmoids;      // one a machine where probabilities were asked for
  // What came of each machine.
  std::vector<double> objectives;
  std::vector<std::int64_t> counts, bounded;  // support vectors, and those at their bound
  std::int64_t iterations = 0, unfinished = 0, rows_computed = 0;  // unfinished: machines that did not converge
  double violation = 0;                                            // the largest of those
  bool indefinite = false;
};

struct MachineOptions {
  DualOptions dual;
  double bound = 1;                    // C; infinite: a hard margin
  std::vector<double> class_factors;   // of C, one a class; empty: all 1
  double tube = 0.1;                   // epsilon of values
  double share = 0.5;                  // nu of one class
  bool probabilities = false;
  std::uint64_t seed = 0;              // of the folds that probabilities are found by
};

// Classes in the order in which they are told apart: machine m is of the pair (a, b), a < b, in lexicographic order, and a positive decision
// is for a.  members[c] are the rows of a class, in order.  At least two classes.
Machines fit_classes(const Similarity& similarity, const std::vector<std::vector<std::int64_t>>& members, const MachineOptions& options,
                     const Context& context);

// One machine that gives the rows' values within the tube.
Machines fit_values(const Similarity& similarity, const std::vector<std::int64_t>& rows, const Vector& values, const MachineOptions& options,
                    const Context& context);

// One machine that is positive where the rows are, but for at most about a share of them.
Machines fit_support(const Similarity& similarity, const std::vector<std::int64_t>& rows, const MachineOptions& options, const Context& context);

// Whether values are equal both ways, of one scale, so that a machine can be made of them.
bool serves_machines(const Similarity& similarity);

// A column for each machine, of the similarity of rows to the support vectors (restricted of record.h); `columns`: its columns made ready
// before (values.h), or null.
Matrix decisions(const Similarity& to_vectors, const Matrix& weights, const Vector& offsets, const Context& context, const TileScores* columns = nullptr);

// Class scores, in the same order: votes of the machines as shares, or with sigmoids probabilities.
Matrix class_scores(const Matrix& decisions, std::int64_t classes, const std::vector<Sigmoid>& sigmoids, const Context& context);

}  // namespace calor::engine

// The bandwidth of a kernel classifier or regressor, and how much of the keys' density to take out, by how well each labelled
// row is predicted by all others.
//
//   w_ij = exp(score_ij / scale) q_j^-alpha,  q_j = sum over k != j and k != i of exp(score_jk / scale)
//   classes:  likelihood = mean over i of log max(p_i, 2^-52),  p_i = sum_{j != i, y_j = y_i} w_ij / sum_{j != i} w_ij
//   values:   likelihood = -log max(r, 2^-52) / 2,  r the mean squared error of sum_{j != i} w_ij t_j / sum_{j != i} w_ij over
//             the variance of the t_i: the profile likelihood of normal errors, 0 for the mean; 0 too where all t_i are equal
//
// Row i is left out of the densities too, or it would tell which keys have no other neighbour than itself.
// A row that is alone in its class cannot be predicted by others and is not judged.  q leaves the own point out: with it, an
// outlier's density is its own kernel's 1 at every scale, and what alpha does depends on the sample size.
// Leave-one-out choice of a kernel's bandwidth: Duin 1976; the density exponent: Coifman & Lafon 2006.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/pipeline/state.h"

namespace calor::similarity {

// What the keys are: a class each (0, 1, ...), or a value each; one of the two is empty.
struct Known {
  std::vector<std::int64_t> classes;
  engine::Vector values;
};

// What the record's columns are known to be: classes where the data have them, else values.
// Throws Fault::input, [op], where the label of a column is not known.
Known known_columns(const engine::Similarity& similarity, const pipeline::Data& data, const char* op);

// The columns of a record against each other (among_columns).  Throws Fault::usage, [op], for anything but distances over all pairs.
engine::Similarity keys_of(const engine::Similarity& similarity, const char* op);

struct LeaveOneOutOptions {
  std::vector<double> scales;        // empty: half octaves from twice the median mean distance to an eighth of the median nearest one at another place, at most 65
  bool exponents = false;            // of the density: 0, 1/4, 1/2, 3/4 and 1 instead of 0 alone
  std::int64_t single_above = 5000;  // keys; of more, weights are floats
  std::int64_t most_judged = 2000;   // rows, evenly, where there are more than single_above keys and no exponents: those are all judged
};

struct LeaveOneOut {
  std::vector<double> scales, alphas;
  engine::Matrix likelihood;   // scales x alphas
  engine::Matrix log_density;  // keys x scales: log q_j of all k != j, for new points; 0 x 0 without exponents
  std::int64_t judged = 0;       // rows that the likelihood is a mean over

  struct Choice {
    std::size_t scale = 0, alpha = 0;
  };
  // The largest likelihood; of equal ones the first: the larger scale, the smaller alpha.
  Choice best() const;
};

// `keys`: of keys_of(); its strengthening is not looked at.
// Relative to what is greatest, so that no outlier and no small scale underflows.  Scores are doubles; with weights that are doubles too the
// likelihood is within 1e-12, with floats within 1e-5.  Time: one pass over judged x keys scores with two exponentials and scales x
// exponents products each, before which there is one over keys x keys for exponents.  Memory: keys x scales numbers.
// Same bits for any number of threads.  Throws Fault::input when all keys are at one place, or no row could be judged.
LeaveOneOut leave_one_out(const engine::Similarity& keys, const Known& known, const LeaveOneOutOptions& options,
                          const Context& context);

// How many passes over all values (Estimate::pass) a choice takes: with exponents, measured on 60,000 rows of 64 features; and without.
inline constexpr double leave_one_out_passes = 4, leave_one_out_bytes = 20 * 16;  // bytes per key: two doubles and a float at each of about 16 scales
double judged_share(double rows);

// What a stage reports of a choice: figures "leave_one_out" and "judged", series "leave_one_out_scale", "leave_one_out_plain" (the
// likelihood at each scale with alpha 0) and, with several alphas, "leave_one_out_likelihood" (with the chosen one).
void report(const LeaveOneOut& found, pipeline::State& state);

}  // namespace calor::similarity

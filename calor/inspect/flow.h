// What one step of a head does to its tokens, in one streamed pass over S: how many tokens each row averages, which tokens
// receive all the attention, how far tokens drift and how far they spread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "calor/analyse/statistics.h"
#include "calor/core/progress.h"
#include "calor/inspect/rows.h"

namespace calor::inspect {

struct Sink {
  std::int64_t token = 0;
  double sum = 0;  // of its column: N would be all attention of all tokens
};

struct Flow {
  // exp(entropy of a row): tokens that it averages.  share: divided by the tokens that the row sees, then the mean.
  double effective_neighbours = 0, effective_low = 0, effective_high = 0;  // mean, 10 % and 90 % quantile
  double effective_share = 0;
  double self_weight = 0;      // mean S_ii
  double largest_self = 0;     // share of rows whose greatest weight is their own
  // Column sums: Gini index (0: every token receives the same; 1: one receives all), the same for uniform weights under the head's
  // mask, and the largest.
  double gini = 0, gini_uniform = 0;
  std::vector<Sink> sinks;
  std::vector<double> column_sums;  // N

  // mu_i = sum_j S_ij (x_j - x_i), M_i = sum_j S_ij (x_j - x_i)(x_j - x_i)'.  Relative to the tokens' spread sqrt(mean |x - mean|^2).
  double drift = 0, spread = 0;     // root mean square of |mu_i| and of sqrt(tr M_i)
  double drift_share = 0;           // sum |mu_i|^2 / sum tr M_i: near 0 tokens diffuse, near 1 they are carried
  // sum_ij S_ij |x_i - x_j|^2 / (2 sum |x_i - mean|^2): 0 when every token listens to its equals, 1 for uniform weights.
  double dirichlet = 0;
  double contraction = 0;           // sum |(S x)_i - mean|^2 / sum |x_i - mean|^2: what one bare step leaves of the differences

  // The step of the values, H = value(x), against the local linear picture D H mu_i on at most `judged` tokens: explained part of
  // sum |(S H)_i - H_i|^2, and its dimension.  Interval: 95 %, bootstrap over tokens.
  double explained = 0;
  analyse::Interval explained_interval;
  double tangent_dimension = 0;     // mean over the tokens judged
  std::int64_t judged = 0;

  // The token of greatest weight: how far it is, relative to the spread; how many different ones there are.
  double jump = 0;
  std::int64_t targets = 0;
};

struct FlowOptions {
  std::int64_t judged = 256, neighbours = 32, sinks = 5;
  double tangent_share = 0.9;       // of the neighbours' squared distances that the local tangent space keeps
  std::uint64_t seed = 0;
};

// O(N^2 (r + d + v)) operations, O(N (r + d + v)) memory.  Numbers that do not exist (all tokens equal) are NaN.
Flow flow_of(const Head& head, const Matrix& tokens, const Features& features, const FlowOptions& options, const Context& context);

}  // namespace calor::inspect

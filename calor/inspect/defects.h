// How far a head's score is from (minus) a squared distance between its tokens.
//
// Softmax does not see a row term of the score and takes a column term as a density, so symmetry and Euclidean defect look at the
// doubly centred score Fc = J F J.  For bilinear scores Fc = c (J Q)(J K)' and all follows from N x r features, exactly, without
// N x N; an additive score is looked at on at most `sampled_tokens` of the tokens.
#pragma once

#include <cstdint>
#include <optional>

#include "calor/analyse/statistics.h"
#include "calor/core/progress.h"
#include "calor/inspect/head.h"

namespace calor::inspect {

struct Defects {
  // ||Fc - Fc'|| / ||Fc + Fc'|| (Frobenius): 0 for every pseudo-metric, 1 when symmetric and antisymmetric parts weigh the same,
  // infinite for an antisymmetric score; NaN for a score that is constant after centring.
  double symmetry = 0;
  // sum |negative eigenvalues| / sum |eigenvalues| of the symmetric part of Fc: 0 exactly when minus the score is a squared
  // Euclidean distance up to row and column terms (Schoenberg 1935); NaN as above.
  double euclidean = 0;
  // With g(x, y) = f(x, y) - f(x, x)/2 - f(y, y)/2, d = sqrt(max(sym g, 0)): the share of sampled triples whose longest side is
  // longer than the two others together, with Wilson's 95 % interval, and by how much on average, relative to their sum.
  double triangle = 0, excess = 0;
  analyse::Interval triangle_interval;
  std::int64_t triples = 0, tokens = 0;  // sampled; tokens that the first two are from
};

struct DefectOptions {
  std::int64_t triples = 20000, sampled_tokens = 1024;
  std::uint64_t seed = 0;
};

// Fewer than three tokens have no triple: triangle and excess are NaN.  O(N r^2 + triples r).
Defects defects_of(const Head& head, const Features& features, const DefectOptions& options, const Context& context);

// The defects of the same head with its singular values kept and Haar-random singular vectors: the middle and the 95 % range of
// `draws` of them, on at most `sampled_tokens` of the tokens.  Nothing for heads whose score is no product of linear features.
struct NullDefects {
  struct Range {
    double middle = 0;
    analyse::Interval interval;
  };
  Range symmetry, euclidean, triangle;
  std::int64_t draws = 0, tokens = 0;
};
std::optional<NullDefects> null_defects(const Head& head, const Matrix& tokens, const DefectOptions& options, const Context& context);

}  // namespace calor::inspect

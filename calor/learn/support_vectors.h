// A support vector machine with a Gaussian kernel, as a baseline that has been tuned: C and gamma by cross-validation.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "calor/core/progress.h"

struct svm_model;
struct svm_node;

namespace calor::learn {

// Cortes & Vapnik 1995, one against one, by libsvm (Chang & Lin 2011).  Chosen by three folds drawn by the seed, on at most 3,000 rows:
// C of 1, 10, 100 and gamma of 0.3, 1, 3 over (columns x variance of all values); of equal ones the first.
class SupportVectors {
 public:
  // points: rows x columns, row-major.  O(rows^2 columns) time and more.  Throws Fault::interrupted between fits.
  SupportVectors(const std::vector<float>& points, const std::vector<std::int64_t>& labels, std::int64_t columns, std::uint64_t seed,
                 const Context& context);
  ~SupportVectors();
  SupportVectors(const SupportVectors&) = delete;
  SupportVectors& operator=(const SupportVectors&) = delete;

  std::vector<std::int64_t> predict(const std::vector<float>& points) const;
  double c() const { return c_; }
  double gamma() const { return gamma_; }
  double cross_validated() const { return cross_validated_; }  // accuracy

  // More training rows than this take longer than a baseline should.
  static constexpr std::int64_t most_rows = 20'000;

 private:
  struct Sparse;  // points as libsvm wants them
  std::int64_t columns_;
  std::unique_ptr<Sparse> points_;  // the model points into them
  svm_model* model_ = nullptr;
  double c_ = 1, gamma_ = 1, cross_validated_ = 0;
};

}  // namespace calor::learn

// Predictions against what is known.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace calor::analyse {

// Rows whose predicted class had a probability in one tenth of [0, 1].
struct ReliabilityBin {
  std::int64_t rows = 0;
  double confidence = 0, accuracy = 0;  // means; 0 without rows
};

struct ClassQuality {
  std::int64_t rows = 0;       // judged: the label is known
  std::int64_t unreached = 0;  // of these, without a prediction: counted as wrong, and as not knowing (1 / classes each) in log_loss
  double accuracy = std::numeric_limits<double>::quiet_NaN();
  double log_loss = std::numeric_limits<double>::quiet_NaN();  // mean of -log p(true class), nats; p at least 2^-52
  double brier = std::numeric_limits<double>::quiet_NaN();     // mean of sum_c (p_c - [c is true])^2, 0 to 2 (Brier 1950)
  std::vector<ReliabilityBin> reliability;                     // ten; unreached rows are in none
  double calibration_error = std::numeric_limits<double>::quiet_NaN();  // mean |confidence - accuracy| of the bins by their rows
  std::vector<std::vector<std::int64_t>> confusion;  // [true class][predicted class]; unreached rows are in none
};

// `scores`: rows x classes, row-major, each row adding up to 1 or 0 (unreached).  `labels`: -1 where not known.
ClassQuality class_quality(std::span<const double> scores, std::int64_t classes, std::span<const std::int64_t> labels);

struct ValueQuality {
  std::int64_t rows = 0;       // judged: target and prediction are known
  std::int64_t unreached = 0;  // the target is known, the prediction is not
  double root_mean_square_error = std::numeric_limits<double>::quiet_NaN();
  double r2 = std::numeric_limits<double>::quiet_NaN();  // 1 - residual / total sum of squares; NaN for equal targets
};

// NaN where not known.
ValueQuality value_quality(std::span<const double> values, std::span<const double> targets);

}  // namespace calor::analyse

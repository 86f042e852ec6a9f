#include "calor/analyse/predictions.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"

namespace calor::analyse {

ClassQuality class_quality(std::span<const double> scores, std::int64_t classes, std::span<const std::int64_t> labels) {
  require(scores.size() == labels.size() * static_cast<std::size_t>(classes), Fault::internal,
          "[quality] expected {} scores for each of {} rows, found {} in all", classes, labels.size(), scores.size());
  constexpr double least = std::numeric_limits<double>::epsilon();
  ClassQuality quality;
  quality.confusion.assign(static_cast<std::size_t>(classes), std::vector<std::int64_t>(static_cast<std::size_t>(classes), 0));
  constexpr std::int64_t bins = 10;
  quality.reliability.resize(bins);
  double right = 0, loss = 0, brier = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::int64_t label = labels[i];
    if (label < 0) continue;
    ++quality.rows;
    const auto row = scores.subspan(i * static_cast<std::size_t>(classes), static_cast<std::size_t>(classes));
    const auto best = std::max_element(row.begin(), row.end());
    if (best == row.end() || !(*best > 0)) {
      ++quality.unreached;
      loss += std::log(static_cast<double>(classes));
      brier += 1 - 1 / static_cast<double>(classes);
      continue;
    }
    right += best - row.begin() == label;
    loss -= std::log(std::clamp(row[label], least, 1.0));
    for (std::int64_t c = 0; c < classes; ++c) brier += (row[c] - (c == label)) * (row[c] - (c == label));
    ReliabilityBin& bin = quality.reliability[std::min(bins - 1, static_cast<std::int64_t>(*best * bins))];
    ++bin.rows;
    bin.confidence += *best;
    bin.accuracy += best - row.begin() == label;
    ++quality.confusion[label][best - row.begin()];
  }
  if (quality.rows == 0) return quality;
  quality.accuracy = right / static_cast<double>(quality.rows);
  quality.log_loss = loss / static_cast<double>(quality.rows);
  quality.brier = brier / static_cast<double>(quality.rows);
  if (quality.unreached < quality.rows) quality.calibration_error = 0;
  for (ReliabilityBin& bin : quality.reliability) {
    if (bin.rows == 0) continue;
    quality.calibration_error += std::abs(bin.confidence - bin.accuracy) / static_cast<double>(quality.rows - quality.unreached);
    bin.confidence /= static_cast<double>(bin.rows);
    bin.accuracy /= static_cast<double>(bin.rows);
  }
  return quality;
}

ValueQuality value_quality(std::span<const double> values, std::span<const double> targets) {
  require(values.size() == targets.size(), Fault::internal, "[quality] expected as many values as targets, found {} and {}", values.size(),
          targets.size());
  ValueQuality quality;
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(targets[i])) continue;
    if (!std::isfinite(values[i])) {
      ++quality.unreached;
      continue;
    }
    ++quality.rows;
    sum += targets[i];
    squares += (values[i] - targets[i]) * (values[i] - targets[i]);
  }
  if (quality.rows == 0) return quality;
  const double rows = static_cast<double>(quality.rows), middle = sum / rows;
  double total = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (std::isfinite(targets[i]) && std::isfinite(values[i])) total += (targets[i] - middle) * (targets[i] - middle);
  quality.root_mean_square_error = std::sqrt(squares / rows);
  if (total > 0) quality.r2 = 1 - squares / total;
  return quality;
}

}  // namespace calor::analyse

#include "calor/learn/rows/memory_estimate.h"

#include <algorithm>

#include "calor/learn/rows/evaluate.h"

namespace calor::learn {
namespace {

constexpr double values_and_gradients = 2;

}  // namespace

TrainingSize training_size(const io::Dataset& data, const std::optional<io::Dataset>& test, double test_share) {
  const auto classes = static_cast<std::int64_t>(data.classes.size());
  if (test) return {data.rows, test->rows, data.columns, classes};
  const auto tested = static_cast<std::int64_t>(test_share * static_cast<double>(data.rows));
  return {data.rows - tested, tested, data.columns, classes};
}

std::uint64_t points_bytes(const TrainingSize& s) {
  constexpr std::int64_t number = sizeof(double) + 2 * sizeof(float);  // as the data set has it, preprocessed, and in a tensor
  return static_cast<std::uint64_t>(number * (s.train + s.test) * s.columns);
}

std::uint64_t run_bytes(const TrainingSize& s, const Protocol& p, const RowShape& shape) {
  const std::int64_t kept = std::min(s.train, p.kept_tokens);
  const std::int64_t together = p.attend == Attend::joint ? kept + s.test : std::max(kept, std::min(s.test, query_block));
  const std::int64_t tokens = std::max(p.batch, together);
  // Scores that a layer stores: of a training step, whose gradient holds all layers', and of a measurement.
  std::int64_t training = 0, measuring = 0;
  for (const Attention& attention : shape.attentions) {
    training += stored_numbers(attention, p.batch, p.batch, true);
    measuring = std::max(measuring, stored_numbers(attention, together, together, false));
  }
  const std::int64_t pairs = std::max(training, measuring);
  const auto activations = static_cast<std::int64_t>(static_cast<double>(tokens) * (static_cast<double>(s.columns) + values_and_gradients * shape.activations));
  const std::int64_t rows = 3 * share_rows * kept;
  const std::int64_t logits = 4 * (s.test + kept) * s.classes;
  return static_cast<std::uint64_t>(activations + pairs + rows + logits + 4 * shape.parameters) * sizeof(float);
}

}  // namespace calor::learn

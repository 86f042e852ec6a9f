// What training takes, before it is taken.
#pragma once

#include <cstdint>
#include <optional>

#include "calor/io/dataset.h"
#include "calor/learn/rows/protocol.h"
#include "calor/learn/rows/row_network.h"

namespace calor::learn {

struct TrainingSize {
  std::int64_t train = 0, test = 0, columns = 0, classes = 0;
};

// The sizes that `data` will have once it is split (or is tested on `test`).
TrainingSize training_size(const io::Dataset& data, const std::optional<io::Dataset>& test, double test_share);

// Bytes of the prepared points: of rows that are split and standardised.
std::uint64_t points_bytes(const TrainingSize& size);

// Bytes of one run beside its points: network, optimiser, activations of a step and of a measurement.
std::uint64_t run_bytes(const TrainingSize& size, const Protocol& protocol, const RowShape& shape);

}  // namespace calor::learn

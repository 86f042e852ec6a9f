#include "calor/engine/evidence.h"

#include <algorithm>

#include "calor/engine/passes.h"
#include "calor/engine/reducers.h"

namespace calor::engine {
namespace {

// The greatest so far, in order, and the sum of all.
struct Greatest {
  const Similarity& record;
  const std::vector<std::uint8_t>& counts;
  std::size_t most;
  std::vector<Evidence> found;
  double sum = 0;
  void offer(std::int64_t, std::int64_t column, double value) {
    const std::int64_t row = record.row_of_column(column);
    if (!(value > 0) || (!counts.empty() && !counts[static_cast<std::size_t>(row)])) return;
    sum += value;
    if (found.size() == most && value <= found.back().weight) return;
    if (found.size() == most) found.pop_back();
    const auto place = std::find_if(found.begin(), found.end(), [&](const Evidence& other) { return other.weight < value; });
    found.insert(place, {row, value});
  }
  std::vector<Evidence> shares() && {
    for (Evidence& one : found) one.weight /= sum;
    return std::move(found);
  }
};

}  // namespace

std::vector<std::vector<Evidence>> evidence(const Similarity& similarity, const std::vector<std::uint8_t>& counts, std::int64_t most,
                                            const Context& context) {
  Similarity record = similarity;
  settle(record, context);
  std::vector<std::vector<Evidence>> result(static_cast<std::size_t>(record.rows));
  auto greatest = choose<Reads::values>(Greatest{record, counts, static_cast<std::size_t>(most), {}}, [&](std::int64_t row, Greatest&& found) {
    result[static_cast<std::size_t>(row)] = std::move(found).shares();
  });
  reduce(record, greatest, context, "evidence");
  return result;
}

}  // namespace calor::engine

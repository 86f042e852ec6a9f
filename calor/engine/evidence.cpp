#include "calor/engine/evidence.h"

#include <algorithm>

#include "calor/core/threads.h"
#include "calor/engine/passes.h"
#include "calor/engine/values.h"

namespace calor::engine {
namespace {

// The greatest so far, in order, and the sum of all.
struct Greatest {
  std::vector<Evidence> found;
  double sum = 0;
  void add(std::int64_t row, double value, std::size_t most) {
    if (!(value > 0)) return;
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
  std::vector<std::vector<Evidence>> result(static_cast<std::size_t>(similarity.rows));
  const auto wanted = static_cast<std::size_t>(most);
  const auto take = [&](Greatest& greatest, std::int64_t column, double value) {
    const std::int64_t row = similarity.row_of_column(column);
    if (counts.empty() || counts[static_cast<std::size_t>(row)]) greatest.add(row, value, wanted);
  };
  if (similarity.all_pairs()) {
    Similarity record = similarity;
    settle(record, context);
    const TileScores tiles(record);
    parallel_for((similarity.rows + tile_rows - 1) / tile_rows, context.threads, [&](std::int64_t p) {
      context.check_stop("evidence");
      const std::int64_t first = p * tile_rows, count = std::min(tile_rows, similarity.rows - first);
      std::vector<Greatest> greatest(static_cast<std::size_t>(count));
      Matrix tile;
      for (std::int64_t c = 0; c < similarity.columns; c += tile_columns) {
        tiles.values(first, count, c, std::min(tile_columns, similarity.columns - c), tile);
        for (Eigen::Index a = 0; a < tile.rows(); ++a)
          for (Eigen::Index b = 0; b < tile.cols(); ++b) take(greatest[static_cast<std::size_t>(a)], c + b, tile(a, b));
      }
      for (std::int64_t a = 0; a < count; ++a)
        result[static_cast<std::size_t>(first + a)] = std::move(greatest[static_cast<std::size_t>(a)]).shares();
    });
    return result;
  }
  std::vector<double> values;
  for (std::int64_t i = 0; i < similarity.rows; ++i) {
    const std::int64_t begin = similarity.support->begin[i], end = similarity.support->begin[i + 1];
    values.resize(static_cast<std::size_t>(end - begin));
    edge_values(similarity, i, values.data());
    Greatest greatest;
    for (std::int64_t e = begin; e < end; ++e) take(greatest, similarity.support->column[e], values[static_cast<std::size_t>(e - begin)]);
    result[static_cast<std::size_t>(i)] = std::move(greatest).shares();
  }
  return result;
}

}  // namespace calor::engine

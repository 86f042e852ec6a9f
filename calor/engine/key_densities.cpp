#include "calor/engine/key_densities.h"

#include <cmath>

#include "calor/engine/ladder.h"
#include "calor/engine/reducers.h"

namespace calor::engine {
namespace {

// The rest of each row is summed relative to its own best score so far; a better one rescales what was summed.
template <class T>
struct RowsBestAndRest {
  static constexpr Reads reads = Reads::scores;
  static constexpr Span span = Span::tiles;
  using Rows = Vector;  // the second best scores
  const std::vector<double>& scales;
  KeyDensities found;

  RowsBestAndRest(std::int64_t rows, const std::vector<double>& at)
      : scales(at), found{Vector::Constant(rows, nothing), std::vector<std::int64_t>(static_cast<std::size_t>(rows), -1),
                          Matrix::Zero(rows, static_cast<Eigen::Index>(at.size())), Matrix(rows, static_cast<Eigen::Index>(at.size()))} {}
  Rows begin(std::int64_t, std::int64_t rows) const { return Vector::Constant(rows, nothing); }

  void add(Rows& second, const Block& block) {
    Matrix& sums = found.log_rest;
    Ladder<T> ladder(scales);
    const Matrix& tile = block.numbers;
    Vector others(tile.cols() + 1);
    for (Eigen::Index a = 0; a < tile.rows(); ++a) {
      const std::int64_t i = block.first_row + a;
      others << tile.row(a).transpose(), nothing;
      Eigen::Index at = 0;
      if (const double peak = tile.row(a).maxCoeff(&at); peak > found.best[i]) {
        others[at] = nothing;
        others[tile.cols()] = found.best[i];  // the former best is one of the rest now
        found.best[i] = peak;
        found.best_column[static_cast<std::size_t>(i)] = block.first_column + at;
      }
      const double peak = others.maxCoeff();
      if (peak == nothing) continue;
      if (peak > second[a]) {
        for (Eigen::Index s = 0; s < sums.cols(); ++s) sums(i, s) *= std::exp((second[a] - peak) / scales[static_cast<std::size_t>(s)]);
        second[a] = peak;
      }
      ladder.start(others, second[a]);
      for (Eigen::Index s = 0; s < sums.cols(); ++s) sums(i, s) += ladder.step(static_cast<std::size_t>(s));
    }
  }

  void end(const Rows& second, std::int64_t first, std::int64_t rows) {
    Matrix& sums = found.log_rest;
    for (std::int64_t i = first; i < first + rows; ++i)
      for (Eigen::Index s = 0; s < sums.cols(); ++s) {
        const double scale = scales[static_cast<std::size_t>(s)], best = found.best[i] / scale;
        sums(i, s) = sums(i, s) > 0 ? second[i - first] / scale + std::log(sums(i, s)) : nothing;
        found.log_all(i, s) = found.best[i] == nothing ? nothing : best + std::log1p(std::exp(sums(i, s) - best));
      }
  }
};

}  // namespace

template <class T>
KeyDensities key_densities(const Similarity& keys, const std::vector<double>& scales, const Context& context) {
  RowsBestAndRest<T> densities(keys.rows, scales);
  return std::move(reduce_tiles(keys, densities, context, "key density").found);
}

template KeyDensities key_densities<float>(const Similarity&, const std::vector<double>&, const Context&);
template KeyDensities key_densities<double>(const Similarity&, const std::vector<double>&, const Context&);

}  // namespace calor::engine

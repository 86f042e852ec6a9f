#include "calor/engine/left_out_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "calor/engine/ladder.h"
#include "calor/engine/reducers.h"
#include "calor/kernels/left_out.h"
#include "calor/kernels/packed_doubles.h"

namespace calor::engine {

namespace {

constexpr double least = std::numeric_limits<double>::epsilon();
constexpr int exponents = kernels::density_exponents;
constexpr double negligible = 45;  // weights below exp(-45) of the sum so far are not worth their time

// Weights of one row at one place of the grid: in all, and times what is counted; both relative to exp(greatest).
struct Sums {
  double greatest = nothing, all = 0, own = 0;

  // exp(log) times both.
  void add(double log, double more, double more_own) {
    if (!(more > 0) || log == nothing) return;
    if (more < 1e-3) {  // or `greatest` would be far above what it stands for
      log += std::log(more);
      more_own /= more;
      more = 1;
    }
    if (log > greatest) {
      const double factor = std::exp(greatest - log);
      all *= factor;
      own *= factor;
      greatest = log;
    }
    const double factor = std::exp(log - greatest);
    all += factor * more;
    own += factor * more_own;
  }
};

// The keys of one tile at one scale: the least of their densities' logarithms, and the densities thinned out.
template <class T>
struct TileDensities {
  double low = 0;
  std::vector<T> thin;  // exp(-(log q - low) / 4); empty where they are too far apart for it
  Vector logs;          // then all of them
};

template <class T>
std::vector<TileDensities<T>> thinned(const KeyDensities& densities) {
  const std::int64_t keys = densities.log_all.rows(), scales = densities.log_all.cols();
  std::vector<TileDensities<T>> tiles;
  for (std::int64_t column = 0; column < keys; column += tile_columns)
    for (std::int64_t s = 0; s < scales; ++s) {
      Vector logs = densities.log_all.col(s).segment(column, std::min(tile_columns, keys - column));
      TileDensities<T> tile{logs.minCoeff(), {}, {}};
      if (logs.maxCoeff() - tile.low <= kernels::largest_spread<T>) {  // NaN for a single key, whose density is nothing
        tile.thin.assign(static_cast<std::size_t>(padded(logs.size())), 1);
        for (Eigen::Index j = 0; j < logs.size(); ++j) tile.thin[static_cast<std::size_t>(j)] = static_cast<T>(std::exp((tile.low - logs[j]) / 4));
      } else {
        tile.logs = std::move(logs);
      }
      tiles.push_back(std::move(tile));
    }
  return tiles;
}

template <class T>
bool any_too_far_apart(const std::vector<TileDensities<T>>& tiles) {
  return std::any_of(tiles.begin(), tiles.end(), [](const TileDensities<T>& tile) { return tile.thin.empty(); });
}

// The same problem with the keys in the order of their best scores: keys of one tile then have densities alike, but for the tiles of outliers.
struct Arranged {
  Similarity keys;
  std::vector<std::int64_t> judged;
  Known known;
  KeyDensities densities;

  explicit Arranged(const LeftOutRows& rows) : keys(rows.keys) {
    const KeyDensities& given = *rows.densities;
    const std::int64_t count = rows.keys.columns;
    std::vector<std::int64_t> order(static_cast<std::size_t>(count)), position(order.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return given.best[a] > given.best[b]; });
    auto points = std::make_shared<Matrix>(count, rows.keys.column_points->cols());
    densities = {Vector(count), std::vector<std::int64_t>(order.size()), Matrix(count, given.log_rest.cols()), Matrix(count, given.log_all.cols())};
    known.values.resize(rows.known.values.size());
    for (std::int64_t p = 0; p < count; ++p) {
      const std::int64_t j = order[static_cast<std::size_t>(p)];
      position[static_cast<std::size_t>(j)] = p;
      points->row(p) = rows.keys.column_points->row(j);
      densities.best[p] = given.best[j];
      densities.log_rest.row(p) = given.log_rest.row(j);
      densities.log_all.row(p) = given.log_all.row(j);
      if (rows.known.classes.empty()) known.values[p] = rows.known.values[j];
      else known.classes.push_back(rows.known.classes[static_cast<std::size_t>(j)]);
    }
    for (std::int64_t p = 0; p < count; ++p) {
      const std::int64_t best = given.best_column[static_cast<std::size_t>(order[static_cast<std::size_t>(p)])];
      densities.best_column[static_cast<std::size_t>(p)] = best < 0 ? best : position[static_cast<std::size_t>(best)];
    }
    for (const std::int64_t i : rows.judged) judged.push_back(position[static_cast<std::size_t>(i)]);
    std::sort(judged.begin(), judged.end());
    keys.row_points = keys.column_points = std::move(points);
    keys.row_rows = keys.column_rows = nullptr;
  }
};

// What a key counts: 1 in the own class, or its value, of which `middle` and `unit` take offset and size.
struct Counted {
  double middle = 0, unit = 1;
  bool equal = false;  // all values
};

Counted counted(const Known& known, const std::vector<std::int64_t>& judged) {
  Counted result;
  if (!known.classes.empty()) return result;
  const auto count = static_cast<double>(judged.size());
  for (const std::int64_t i : judged) result.middle += known.values[i] / count;
  double largest = 0;
  for (const std::int64_t i : judged) largest = std::max(largest, std::abs(known.values[i] - result.middle));
  if (largest > 0) result.unit = largest;
  result.equal = std::all_of(judged.begin(), judged.end(), [&](std::int64_t i) { return known.values[i] == known.values[judged.front()]; });
  return result;
}

// Sums of the rows of one piece at every place of the grid.
template <class T>
class Piece {
 public:
  Piece(const LeftOutRows& rows, const Counted& counted, const std::vector<TileDensities<T>>& tiles, const std::vector<std::vector<std::int64_t>>& best_of,
        std::int64_t count)
      : rows_(rows), counted_(counted), tiles_(tiles), best_of_(best_of), ladder_(rows.scales),
        sums_(static_cast<std::size_t>(count) * rows.scales.size() * places()) {}

  void add(std::int64_t first, std::int64_t column, const Matrix& tile) {
    counts_.assign(static_cast<std::size_t>(padded(tile.cols())), 0);
    for (Eigen::Index a = 0; a < tile.rows(); ++a) {
      const std::int64_t i = rows_.judged[static_cast<std::size_t>(first + a)];
      Sums* sums = &sums_[static_cast<std::size_t>(a) * rows_.scales.size() * places()];
      scores_ = tile.row(a);
      if (rows_.densities) add_those_it_is_best_of(i, column, sums);
      const double peak = scores_.maxCoeff();
      if (peak == nothing) continue;
      count_keys(i, column, tile.cols());
      ladder_.start(scores_, peak);
      for (std::size_t s = 0; s < rows_.scales.size(); ++s, sums += places()) {
        const double sum = ladder_.step(s), log = peak / rows_.scales[s];
        if (rows_.densities) add_scale(i, column, s, log, sums);
        else if (log > sums->greatest - negligible) {
          double own = 0;
          for (std::size_t j = 0; j < counts_.size(); ++j) own += static_cast<double>(ladder_.powers()[j]) * static_cast<double>(counts_[j]);
          sums->add(log, sum, own);
        }
      }
    }
  }

  // Adds the logarithms of the shares, or the squares of the errors, to scales x exponents.
  void judge(std::int64_t first, Matrix& totals) const {
    for (std::size_t n = 0; n < sums_.size(); ++n) {
      const std::size_t place = n % (rows_.scales.size() * places());
      const std::int64_t i = rows_.judged[static_cast<std::size_t>(first) + n / (rows_.scales.size() * places())];
      const double share = sums_[n].own / sums_[n].all;
      double& total = totals(static_cast<Eigen::Index>(place / places()), static_cast<Eigen::Index>(place % places()));
      if (rows_.known.classes.empty()) total += std::pow(share - count(i, i), 2);
      else total += std::log(std::clamp(share, least, 1.0));
    }
  }

 private:
  std::size_t places() const { return rows_.densities ? exponents : 1; }

  double count(std::int64_t i, std::int64_t j) const {
    if (rows_.known.classes.empty()) return (rows_.known.values[j] - counted_.middle) / counted_.unit;
    return rows_.known.classes[static_cast<std::size_t>(i)] == rows_.known.classes[static_cast<std::size_t>(j)];
  }

  void count_keys(std::int64_t i, std::int64_t column, std::int64_t width) {
    if (rows_.known.classes.empty()) {
      for (std::int64_t j = 0; j < width; ++j) counts_[static_cast<std::size_t>(j)] = static_cast<T>(count(i, column + j));
      return;
    }
    const std::int64_t *classes = rows_.known.classes.data() + column, own = rows_.known.classes[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < width; ++j) counts_[static_cast<std::size_t>(j)] = classes[j] == own;
  }

  // Keys that have row i as their best: without it their density is another altogether.  They are taken out of the scores.
  void add_those_it_is_best_of(std::int64_t i, std::int64_t column, Sums* sums) {
    const std::vector<std::int64_t>& keys = best_of_[static_cast<std::size_t>(i)];
    for (auto key = std::lower_bound(keys.begin(), keys.end(), column); key != keys.end() && *key < column + scores_.size(); ++key) {
      double& score = scores_[*key - column];
      for (std::size_t s = 0; s < rows_.scales.size(); ++s) {
        double density = rows_.densities->log_rest(*key, static_cast<Eigen::Index>(s));
        if (density == nothing) density = 0;  // no other key at all
        for (int k = 0; k < exponents; ++k) sums[s * places() + static_cast<std::size_t>(k)].add(score / rows_.scales[s] - 0.25 * k * density, 1, count(i, *key));
      }
      score = nothing;
    }
  }

  void add_scale(std::int64_t i, std::int64_t column, std::size_t s, double log, Sums* sums) {
    const TileDensities<T>& tile = tiles_[static_cast<std::size_t>(column / tile_columns) * rows_.scales.size() + s];
    bool matters = false;  // a density without row i is at least half of what it is with it
    for (int k = 0; k < exponents; ++k) matters |= log + 0.25 * k * (std::log(2.0) - tile.low) > sums[k].greatest - negligible;
    if (!matters) return;
    if (tile.thin.empty()) {
      add_logs(i, column, s, tile.logs, sums);
      return;
    }
    double all[exponents], own[exponents];
    kernels::weigh_left_out<T>(ladder_.powers(), tile.thin.data(), static_cast<T>(std::exp(log - tile.low)), counts_.data(), ladder_.size(), all, own);
    for (int k = 0; k < exponents; ++k) sums[k].add(log - 0.25 * k * tile.low, all[k], own[k]);
  }

  // One by one in logarithms, for densities that are too far apart.
  void add_logs(std::int64_t i, std::int64_t column, std::size_t s, const Vector& densities, Sums* sums) {
    const Vector scaled = scores_ / rows_.scales[s];
    bool matters = false;
    for (int k = 0; k < exponents; ++k)
      matters |= (scaled - 0.25 * k * densities).maxCoeff() + 0.25 * k * std::log(2.0) > sums[k].greatest - negligible;
    if (!matters) return;
    Vector without = densities, logs = scaled - densities;
    kernels::exponentials(logs.data(), logs.size());
    for (Eigen::Index j = 0; j < logs.size(); ++j)
      if (logs[j] > least) without[j] += std::log1p(-logs[j]);
    for (int k = 0; k < exponents; ++k) {
      logs = scaled - 0.25 * k * without;
      const double peak = logs.maxCoeff();
      if (!(peak > sums[k].greatest - negligible)) continue;
      logs.array() -= peak;
      kernels::exponentials(logs.data(), logs.size());
      double own = 0;
      for (Eigen::Index j = 0; j < logs.size(); ++j) own += logs[j] * count(i, column + j);
      sums[k].add(peak, logs.sum(), own);
    }
  }

  const LeftOutRows& rows_;
  const Counted& counted_;
  const std::vector<TileDensities<T>>& tiles_;
  const std::vector<std::vector<std::int64_t>>& best_of_;
  Ladder<T> ladder_;
  Vector scores_;
  std::vector<T> counts_;
  std::vector<Sums> sums_;  // rows x scales x exponents
};

}  // namespace

// The given keys as rows, all keys as columns.
Similarity some_rows(const Similarity& keys, const std::vector<std::int64_t>& which) {
  Similarity part = keys;
  part.rows = static_cast<std::int64_t>(which.size());
  auto points = std::make_shared<Matrix>(part.rows, keys.column_points->cols());
  auto numbers = std::make_shared<std::vector<std::int64_t>>();
  for (std::int64_t r = 0; r < part.rows; ++r) {
    points->row(r) = keys.column_points->row(which[static_cast<std::size_t>(r)]);
    numbers->push_back(keys.row_of_column(which[static_cast<std::size_t>(r)]));
  }
  part.row_points = std::move(points);
  part.row_rows = std::move(numbers);
  part.symmetric = false;
  return part;
}

namespace {

// The likelihoods of a piece of judged rows, added up.
template <class T>
struct Judged {
  static constexpr Reads reads = Reads::scores;
  static constexpr Span span = Span::tiles;
  using Rows = Piece<T>;
  const LeftOutRows& rows;
  const Counted& counted;
  const std::vector<TileDensities<T>>& tiles;
  const std::vector<std::vector<std::int64_t>>& best_of;
  std::vector<Matrix> totals;  // of pieces

  Rows begin(std::int64_t, std::int64_t count) const { return Piece<T>(rows, counted, tiles, best_of, count); }
  void add(Rows& piece, const Block& block) const { piece.add(block.first_row, block.first_column, block.numbers); }
  void end(const Rows& piece, std::int64_t first, std::int64_t) { piece.judge(first, totals[static_cast<std::size_t>(first / tile_rows)]); }
};

}  // namespace

template <class T>
static Matrix likelihood_of(const LeftOutRows& rows, bool arranged, const Context& context) {
  const auto judged = static_cast<std::int64_t>(rows.judged.size());
  const Counted counted = engine::counted(rows.known, rows.judged);
  std::vector<TileDensities<T>> tiles;
  std::vector<std::vector<std::int64_t>> best_of(static_cast<std::size_t>(rows.keys.columns));
  if (rows.densities) {
    tiles = thinned<T>(*rows.densities);
    if (any_too_far_apart(tiles) && !arranged) {
      const Arranged other(rows);
      return likelihood_of<T>({other.keys, other.judged, other.known, rows.scales, &other.densities}, true, context);
    }
    for (std::int64_t j = 0; j < rows.keys.columns; ++j)
      if (const std::int64_t best = rows.densities->best_column[static_cast<std::size_t>(j)]; best >= 0) best_of[static_cast<std::size_t>(best)].push_back(j);
  }
  const auto pieces = static_cast<std::size_t>((judged + tile_rows - 1) / tile_rows);
  const Matrix none = Matrix::Zero(static_cast<Eigen::Index>(rows.scales.size()), rows.densities ? exponents : 1);
  Judged<T> sums{rows, counted, tiles, best_of, std::vector<Matrix>(pieces, none)};
  reduce_tiles(some_rows(rows.keys, rows.judged), sums, context, "leave one out");
  Matrix likelihood = none;
  for (const Matrix& total : sums.totals) likelihood += total / static_cast<double>(judged);
  if (!rows.known.classes.empty()) return likelihood;
  if (counted.equal) return none;
  double variance = 0;
  for (const std::int64_t i : rows.judged) variance += std::pow((rows.known.values[i] - counted.middle) / counted.unit, 2) / static_cast<double>(judged);
  return likelihood.unaryExpr([&](double error) { return -std::log(std::max(error / variance, least)) / 2; });
}

template <class T>
Matrix left_out_likelihood(const LeftOutRows& rows, const Context& context) {
  return likelihood_of<T>(rows, false, context);
}

template Matrix left_out_likelihood<float>(const LeftOutRows&, const Context&);
template Matrix left_out_likelihood<double>(const LeftOutRows&, const Context&);

}  // namespace calor::engine

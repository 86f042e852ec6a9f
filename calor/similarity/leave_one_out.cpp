#include "calor/similarity/leave_one_out.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "calor/core/error.h"
#include "calor/kernels/packed_doubles.h"
#include "calor/pipeline/engine.h"

namespace calor::similarity {

using namespace pipeline;

namespace {

constexpr double nothing = -std::numeric_limits<double>::infinity();
constexpr double least = std::numeric_limits<double>::epsilon();
constexpr std::int64_t spread_sample = 1000;  // rows from whose medians the range of scales is taken

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

std::vector<std::int64_t> evenly(const std::vector<std::int64_t>& rows, std::int64_t sample) {
  const auto count = static_cast<std::int64_t>(rows.size());
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < sample; ++i) result.push_back(rows[static_cast<std::size_t>(i * count / sample)]);
  return result;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Half octaves, largest first.
std::vector<double> scales_for(const Similarity& keys, const Context& context) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(keys.rows));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
  const Similarity part = some_rows(keys, evenly(all, std::min(keys.rows, spread_sample)));
  Vector nearest = Vector::Constant(part.rows, nothing), sum = Vector::Zero(part.rows);
  for_each_score_tile(part, context, "range of bandwidths", [&](std::int64_t row, std::int64_t, const Matrix& tile) {
    for (Eigen::Index a = 0; a < tile.rows(); ++a)
      for (Eigen::Index b = 0; b < tile.cols(); ++b)
        if (tile(a, b) > nothing) {
          nearest[row + a] = std::max(nearest[row + a], tile(a, b));
          sum[row + a] += tile(a, b);
        }
  });
  std::vector<double> near, mean;  // of rows that have another at another place
  for (Eigen::Index i = 0; i < part.rows; ++i) {
    if (nearest[i] < 0 && nearest[i] > nothing) near.push_back(-nearest[i]);
    if (sum[i] < 0) mean.push_back(-sum[i] / static_cast<double>(keys.columns - 1));
  }
  require(!mean.empty(), Fault::input,
          "[loo] expected labelled rows at different places, found all at one: there is no bandwidth to choose, give a number");
  const double high = 2 * median(mean), low = std::min(high / 2, near.empty() ? high / 2 : median(near) / 8);
  std::vector<double> scales;
  for (double scale = high; scale >= low; scale = high * std::exp2(-0.5 * static_cast<double>(scales.size()))) scales.push_back(scale);
  return scales;
}

// exp of `logs`, which are at most 0, by one scale after the other of half octaves: two exponentials, then squares.
class Ladder {
 public:
  Ladder(const std::vector<double>& scales, const Vector& logs) : scales_(scales), logs_(logs) {}
  const Vector& at(std::size_t s) {  // for s = 0, 1, ... in this order
    Vector& value = values_[s % 2];
    if (s >= 2 && scales_[s - 2] == 2 * scales_[s]) {
      value = value.cwiseAbs2();
    } else {
      value = logs_ / scales_[s];
      kernels::exponentials(value.data(), value.size());
    }
    return value;
  }

 private:
  const std::vector<double>& scales_;
  const Vector& logs_;
  Vector values_[2];
};

// The densities of the keys in two parts, so that any one key can be left out of them without cancellation: the best score with
// its column, and the sum over all other columns.
struct Densities {
  Vector best;
  std::vector<std::int64_t> best_column;
  Matrix log_rest, log_all;  // keys x scales

  Densities(std::int64_t keys, std::int64_t scales)
      : best(Vector::Constant(keys, nothing)), best_column(static_cast<std::size_t>(keys), -1), log_rest(Matrix::Zero(keys, scales)),
        log_all(keys, scales) {}
};

// The rest of each row is summed relative to its own best score so far; a better one rescales what was summed.
Densities densities_of(const Similarity& keys, const std::vector<double>& scales, const Context& context) {
  const auto count = static_cast<Eigen::Index>(scales.size());
  Densities found(keys.rows, count);
  Vector second = Vector::Constant(keys.rows, nothing);
  Matrix& sums = found.log_rest;
  for_each_score_tile(keys, context, "key density", [&](std::int64_t row, std::int64_t column, const Matrix& tile) {
    Vector others(tile.cols() + 1);
    for (Eigen::Index a = 0; a < tile.rows(); ++a) {
      const std::int64_t i = row + a;
      others << tile.row(a).transpose(), nothing;
      Eigen::Index at = 0;
      if (const double peak = tile.row(a).maxCoeff(&at); peak > found.best[i]) {
        others[at] = nothing;
        others[tile.cols()] = found.best[i];  // the former best is one of the rest now
        found.best[i] = peak;
        found.best_column[static_cast<std::size_t>(i)] = column + at;
      }
      const double peak = others.maxCoeff();
      if (peak == nothing) continue;
      if (peak > second[i]) {
        for (Eigen::Index s = 0; s < count; ++s) sums(i, s) *= std::exp((second[i] - peak) / scales[static_cast<std::size_t>(s)]);
        second[i] = peak;
      }
      others.array() -= second[i];
      Ladder ladder(scales, others);
      for (Eigen::Index s = 0; s < count; ++s) sums(i, s) += ladder.at(static_cast<std::size_t>(s)).sum();
    }
  });
  for (Eigen::Index i = 0; i < sums.rows(); ++i)
    for (Eigen::Index s = 0; s < count; ++s) {
      const double scale = scales[static_cast<std::size_t>(s)], first = found.best[i] / scale;
      sums(i, s) = sums(i, s) > 0 ? second[i] / scale + std::log(sums(i, s)) : nothing;
      found.log_all(i, s) = found.best[i] == nothing ? nothing : first + std::log1p(std::exp(sums(i, s) - first));
    }
  return found;
}

std::vector<std::int64_t> judged_rows(const Similarity& keys, const Known& known, const LeaveOneOutOptions& options) {
  std::vector<std::int64_t> rows, size;
  for (const std::int64_t c : known.classes) {
    if (c >= static_cast<std::int64_t>(size.size())) size.resize(static_cast<std::size_t>(c) + 1, 0);
    ++size[static_cast<std::size_t>(c)];
  }
  for (std::int64_t i = 0; i < keys.rows; ++i)
    if (known.classes.empty() ? keys.rows > 1 : size[static_cast<std::size_t>(known.classes[i])] > 1) rows.push_back(i);
  require(!rows.empty(), Fault::input,
          "[loo] expected a class with at least two labelled rows, found none: leave-one-out cannot judge a bandwidth, give a number");
  return static_cast<std::int64_t>(rows.size()) > options.all_up_to ? evenly(rows, options.sample) : rows;
}

// Weights of one row at one place of the grid: in all, and those of its own class or times the value.
struct Sums {
  double greatest = nothing, all = 0, own = 0;
  void add(Vector& logs, const Vector& counts) {
    const double peak = logs.maxCoeff();
    if (peak == nothing) return;
    if (peak > greatest) {
      const double factor = std::exp(greatest - peak);
      all *= factor;
      own *= factor;
      greatest = peak;
    }
    logs.array() -= greatest;
    kernels::exponentials(logs.data(), logs.size());
    all += logs.sum();
    own += logs.dot(counts);
  }
};

// log of the keys' densities without key i, for the columns of a tile.  What i adds to another key than the one that it is the best
// of is at most half of its density.
void densities_without(const Densities& densities, std::int64_t i, std::int64_t column, const Vector& scores, double scale, Eigen::Index s,
                       Vector& logs) {
  logs = densities.log_all.col(s).segment(column, scores.size());
  Vector shares = scores / scale - logs;
  kernels::exponentials(shares.data(), shares.size());
  for (Eigen::Index b = 0; b < scores.size(); ++b) {
    if (densities.best_column[static_cast<std::size_t>(column + b)] == i) logs[b] = densities.log_rest(column + b, s);
    else if (shares[b] > least) logs[b] += std::log1p(-shares[b]);
    if (logs[b] == nothing) logs[b] = 0;  // no other key at all
  }
}

// shares[r * places + place]: of the own class among all weights, or the weighted mean of the values.
std::vector<double> shares_of(const Similarity& keys, const std::vector<std::int64_t>& judged, const Known& known, const LeaveOneOut& grid,
                              const Densities* densities, const Context& context) {
  const std::size_t alphas = grid.alphas.size(), places = grid.scales.size() * alphas;
  std::vector<Sums> sums(judged.size() * places);
  for_each_score_tile(some_rows(keys, judged), context, "leave one out", [&](std::int64_t row, std::int64_t column, const Matrix& tile) {
    Vector counts(tile.cols()), scores, logs, log_density;
    if (known.classes.empty()) counts = known.values.segment(column, tile.cols());
    for (Eigen::Index a = 0; a < tile.rows(); ++a) {
      const auto r = static_cast<std::size_t>(row + a);
      if (!known.classes.empty())
        for (Eigen::Index b = 0; b < tile.cols(); ++b) counts[b] = known.classes[judged[r]] == known.classes[column + b];
      scores = tile.row(a);
      for (std::size_t s = 0; s < grid.scales.size(); ++s) {
        if (densities) densities_without(*densities, judged[r], column, scores, grid.scales[s], static_cast<Eigen::Index>(s), log_density);
        for (std::size_t k = 0; k < alphas; ++k) {
          logs = scores / grid.scales[s];
          if (grid.alphas[k] != 0) logs -= grid.alphas[k] * log_density;
          sums[r * places + s * alphas + k].add(logs, counts);
        }
      }
    }
  });
  std::vector<double> shares;
  for (const Sums& sum : sums) shares.push_back(sum.own / sum.all);
  return shares;
}

}  // namespace

Similarity keys_of(const Similarity& similarity, const char* op) {
  require(similarity.all_pairs() && similarity.column_points && similarity.score.kind == Score::Kind::power_distance && similarity.score.power > 0,
          Fault::usage, "[{}] expected distances over all pairs for loo, found {}: begin with distance(2, to=train)", op, describe(similarity));
  return among_columns(similarity);
}

Known known_columns(const Similarity& similarity, const Data& data, const char* op) {
  require(!data.labels.empty() || data.targets.size(), Fault::input, "[{}] expected labels for loo, found none: name the label column with --label", op);
  Known known;
  if (data.labels.empty()) known.values.resize(similarity.columns);
  for (std::int64_t j = 0; j < similarity.columns; ++j) {
    const std::int64_t i = similarity.row_of_column(j);
    require(data.labelled(i), Fault::input,
            "[{}] expected columns whose label is known for loo, found row {} without: begin with distance(2, to=train)", op, i + 1);
    if (data.labels.empty()) known.values[j] = data.targets[i];
    else known.classes.push_back(data.labels[i]);
  }
  return known;
}

LeaveOneOut::Choice LeaveOneOut::best() const {
  Eigen::Index scale = 0, alpha = 0;
  for (Eigen::Index s = 0; s < likelihood.rows(); ++s)
    for (Eigen::Index a = 0; a < likelihood.cols(); ++a)
      if (likelihood(s, a) > likelihood(scale, alpha)) {
        scale = s;
        alpha = a;
      }
  return {static_cast<std::size_t>(scale), static_cast<std::size_t>(alpha)};
}

LeaveOneOut leave_one_out(const Similarity& keys, const Known& known, const LeaveOneOutOptions& options, const Context& context) {
  const std::vector<std::int64_t> judged = judged_rows(keys, known, options);
  LeaveOneOut grid;
  grid.scales = options.scales.empty() ? scales_for(keys, context) : options.scales;
  grid.alphas = options.alphas;
  grid.judged = static_cast<std::int64_t>(judged.size());
  const auto scales = static_cast<Eigen::Index>(grid.scales.size()), alphas = static_cast<Eigen::Index>(grid.alphas.size());
  std::optional<Densities> densities;
  if (alphas > 1 || grid.alphas[0] != 0) densities = densities_of(keys, grid.scales, context);
  const std::vector<double> shares = shares_of(keys, judged, known, grid, densities ? &*densities : nullptr, context);
  if (densities) grid.log_density = std::move(densities->log_all);
  double middle = 0, variance = 0;
  if (known.classes.empty()) {
    for (const std::int64_t i : judged) middle += known.values[i] / static_cast<double>(judged.size());
    for (const std::int64_t i : judged) variance += std::pow(known.values[i] - middle, 2);
  }
  grid.likelihood = Matrix::Zero(scales, alphas);
  for (Eigen::Index place = 0; place < scales * alphas; ++place) {
    double total = 0;
    for (std::size_t r = 0; r < judged.size(); ++r) {
      const double share = shares[r * static_cast<std::size_t>(scales * alphas) + static_cast<std::size_t>(place)];
      total += known.classes.empty() ? std::pow(share - known.values[judged[r]], 2) : std::log(std::clamp(share, least, 1.0));
    }
    double& likelihood = grid.likelihood(place / alphas, place % alphas);
    if (!known.classes.empty()) likelihood = total / static_cast<double>(judged.size());
    else if (variance > 0) likelihood = -std::log(std::max(total / variance, least)) / 2;
  }
  return grid;
}

void report(const LeaveOneOut& found, State& state) {
  const LeaveOneOut::Choice choice = found.best();
  const auto series = [&](std::size_t alpha) {
    const Vector values = found.likelihood.col(static_cast<Eigen::Index>(alpha));
    return std::vector<double>(values.begin(), values.end());
  };
  state.figures["leave_one_out"] = found.likelihood(static_cast<Eigen::Index>(choice.scale), static_cast<Eigen::Index>(choice.alpha));
  state.figures["judged"] = static_cast<double>(found.judged);
  if (found.scales.size() < 2) return;
  state.series["leave_one_out_scale"] = found.scales;
  if (found.alphas[0] == 0) state.series["leave_one_out_plain"] = series(0);
  if (found.alphas.size() > 1) state.series["leave_one_out_likelihood"] = series(choice.alpha);
}

}  // namespace calor::similarity

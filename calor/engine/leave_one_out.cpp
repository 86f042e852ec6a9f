#include "calor/engine/leave_one_out.h"

#include <algorithm>
#include <optional>

#include "calor/core/error.h"
#include "calor/core/median.h"
#include "calor/engine/left_out_rows.h"
#include "calor/engine/reducers.h"

namespace calor::engine {

namespace {

constexpr double widest_over_narrowest = 0x1p32;  // one row far away must not cost hundreds of scales
constexpr std::int64_t spread_sample = 1000;  // rows from whose medians the range of scales is taken

std::vector<std::int64_t> evenly(const std::vector<std::int64_t>& rows, std::int64_t sample) {
  const auto count = static_cast<std::int64_t>(rows.size());
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < sample; ++i) result.push_back(rows[static_cast<std::size_t>(i * count / sample)]);
  return result;
}

// Half octaves, largest first.
std::vector<double> scales_for(const Similarity& keys, const Context& context) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(keys.rows));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
  const Similarity part = some_rows(keys, evenly(all, std::min(keys.rows, spread_sample)));
  PairRange range(part.rows);
  reduce_tiles(part, range, context, "range of bandwidths");
  const Vector &nearest = range.greatest, &sum = range.sum;
  std::vector<double> near, mean;  // of rows that have another at another place
  for (Eigen::Index i = 0; i < part.rows; ++i) {
    if (nearest[i] > nothing) near.push_back(-nearest[i]);
    if (sum[i] < 0) mean.push_back(-sum[i] / static_cast<double>(keys.columns - 1));
  }
  require(!mean.empty(), Fault::input,
          "[loo] expected labelled rows at different places, found all at one: there is no bandwidth to choose, give a number");
  const double widest = 2 * upper_median(mean), low = std::min(widest / 2, near.empty() ? widest / 2 : upper_median(near) / 8);
  const double high = std::min(widest, low * widest_over_narrowest);
  std::vector<double> scales;
  for (double scale = high; scale >= low; scale = high * std::exp2(-0.5 * static_cast<double>(scales.size()))) scales.push_back(scale);
  return scales;
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
  const bool all = options.exponents || keys.columns <= options.single_above;
  return all || static_cast<std::int64_t>(rows.size()) <= options.most_judged ? rows : evenly(rows, options.most_judged);
}

}  // namespace

Similarity keys_of(const Similarity& similarity, const char* op) {
  require(similarity.all_pairs() && similarity.column_points && similarity.score.kind == Score::Kind::power_distance && similarity.score.power > 0,
          Fault::usage, "[{}] expected distances over all pairs for loo, found {}: begin with distance(2, to=train)", op, describe(similarity));
  return among_columns(similarity);
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
  grid.alphas = options.exponents ? std::vector<double>{0, 0.25, 0.5, 0.75, 1} : std::vector<double>{0};
  grid.judged = static_cast<std::int64_t>(judged.size());
  const bool single = keys.columns > options.single_above;
  std::optional<KeyDensities> densities;
  if (options.exponents) densities = single ? key_densities<float>(keys, grid.scales, context) : key_densities<double>(keys, grid.scales, context);
  const LeftOutRows rows{keys, judged, known, grid.scales, densities ? &*densities : nullptr};
  grid.likelihood = single ? left_out_likelihood<float>(rows, context) : left_out_likelihood<double>(rows, context);
  if (densities) grid.log_density = std::move(densities->log_all);
  return grid;
}

double judged_share(double rows) {
  const LeaveOneOutOptions options;
  return rows > static_cast<double>(options.single_above) ? static_cast<double>(options.most_judged) / rows : 1;
}

}  // namespace calor::engine

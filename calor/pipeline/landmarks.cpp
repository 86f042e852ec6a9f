#include "calor/pipeline/landmarks.h"

#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/random.h"

namespace calor::pipeline {
namespace {

Matrix rows_of(const Matrix& values, const std::vector<std::int64_t>& rows) { return values(rows, Eigen::all); }

template <class Value>
std::vector<Value> some_of(const std::vector<Value>& values, const std::vector<std::int64_t>& rows) {
  std::vector<Value> some;
  if (!values.empty())
    for (const std::int64_t row : rows) some.push_back(values[row]);
  return some;
}

}  // namespace

Fit with_landmarks(const Fit& fit, std::int64_t count) {
  const Data& all = *fit.data;
  const std::int64_t n = all.rows();
  require(!all.graph && !all.mesh && !all.distances && !all.sparse, Fault::usage, "[landmarks] expected a fit of points in columns, found one of {}: leave out --landmarks",
          all.mesh ? "a surface" : all.graph ? "a graph" : all.distances ? "distances" : "sparse points");
  for (std::size_t s = 0; s < fit.kept.size(); ++s)
    for (const auto& [name, values] : fit.kept[s].arrays())
      require(fit.kept[s].by_row(name) || (values->rows() != n && values->cols() != n), Fault::usage,
              "[landmarks] expected stages that keep nothing of all rows together, found {}, whose \"{}\" belongs to the whole fit: leave out --landmarks", fit.stages[s].stage->name, name);
  if (count >= n) return fit;
  Random random(fit.seed, Purpose::data);
  std::vector<std::int64_t> rows = permutation(n, random);
  rows.resize(static_cast<std::size_t>(count));
  std::sort(rows.begin(), rows.end());

  auto data = std::make_shared<Data>();
  data->features = std::make_shared<const Matrix>(rows_of(*all.features, rows));
  data->feature_names = all.feature_names;
  data->row_names = some_of(all.row_names, rows);
  data->labels = some_of(all.labels, rows);
  data->classes = all.classes;
  if (all.targets.size()) data->targets = all.targets(rows);
  data->train = some_of(all.train, rows);
  data->rounding = all.rounding;
  Fit some = fit;
  some.data = std::move(data);
  for (std::size_t s = 0; s < fit.kept.size(); ++s) {
    Kept kept;  // anew: what placing made of the whole fit is not of this one
    for (const auto& [name, values] : fit.kept[s].arrays()) {
      if (fit.kept[s].by_row(name)) kept.keep_rows(name, rows_of(*values, rows));
      else kept.keep(name, values);
    }
    some.kept[s] = std::move(kept);
  }
  return some;
}

}  // namespace calor::pipeline

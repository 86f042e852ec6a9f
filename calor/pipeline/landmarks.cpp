#include "calor/pipeline/landmarks.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "calor/core/error.h"
#include "calor/core/random.h"

namespace calor::pipeline {
namespace {

// Stages that keep something of all rows together, whatever the data are.  match does for distances alone; knn, radius and distance for points
// that were moved before them.
constexpr std::string_view of_the_whole[] = {"assign", "cluster", "column", "components", "double_center", "eigen", "expand", "geodesic", "memberships", "restart", "sinkhorn", "two_side", "weigh"};

bool keeps_the_whole(const BoundStage& one) {
  if (one.stage->name == "match") return one.arguments.word("family") == "distance";
  return std::ranges::find(of_the_whole, one.stage->name) != std::end(of_the_whole);
}

Matrix rows_of(const Matrix& values, const std::vector<std::int64_t>& rows) { return values(rows, Eigen::all); }

template <class Value>
std::vector<Value> some_of(const std::vector<Value>& values, const std::vector<std::int64_t>& rows) {
  std::vector<Value> some;
  if (!values.empty())
    for (const std::int64_t row : rows) some.push_back(values[row]);
  return some;
}

// A kept array that says nothing of other rows: of a row each, a number, or of the features alone.
bool stands_alone(const Fit& fit, std::size_t stage, const std::string& name, const Matrix& values) {
  const BoundStage& one = fit.stages[stage];
  return fit.kept[stage].by_row(name) || values.size() == 1 || (one.takes == types::points && one.gives == types::points);
}

// Which rows, ascending.
std::vector<std::int64_t> landmark_rows(const Data& data, std::int64_t count, std::uint64_t seed) {
  Random random(seed, Purpose::data);
  std::vector<std::int64_t> order = permutation(data.rows(), random);
  const bool known = !data.labels.empty() || data.targets.size() > 0;
  if (known && std::any_of(order.begin(), order.end(), [&](std::int64_t i) { return data.labelled(i); })) std::erase_if(order, [&](std::int64_t i) { return !data.labelled(i); });
  std::vector<std::uint8_t> met(data.classes.size(), 0);
  std::stable_partition(order.begin(), order.end(), [&](std::int64_t i) {  // the first of each class
    if (data.labels.empty() || data.labels[i] < 0 || met[data.labels[i]]) return false;
    return met[data.labels[i]] = 1, true;
  });
  order.resize(static_cast<std::size_t>(std::min<std::int64_t>(count, std::ssize(order))));
  std::sort(order.begin(), order.end());
  return order;
}

// Whether they are enough, by way of a point that is none of them.
void try_out(const Fit& fit) {
  auto fresh = std::make_shared<const Matrix>(fit.data->features->topRows(1).array() + 0.5);
  try {
    place(fit, fresh, Context());
  } catch (const Error& error) {
    fail(Fault::usage, "[landmarks] expected enough landmarks to place new points among, found {}: raise --landmarks ({})", fit.data->rows(), error.what());
  }
}

}  // namespace

void require_landmarks(const std::vector<BoundStage>& stages) {
  for_each_stage(stages, [](const BoundStage& one) {
    require(!keeps_the_whole(one), Fault::usage, "[landmarks] expected stages that keep nothing of all rows together, found {}: leave out --landmarks", one.stage->name);
  });
}

void require_landmarks(const Data& data, std::int64_t count) {
  require(!data.graph && !data.mesh && !data.distances && !data.sparse, Fault::usage, "[landmarks] expected a fit of points in columns, found one of {}: leave out --landmarks",
          data.mesh ? "a surface" : data.graph ? "a graph" : data.distances ? "distances" : "sparse points");
  std::set<std::int64_t> classes;
  for (std::int64_t i = 0; !data.labels.empty() && i < data.rows(); ++i)
    if (data.labelled(i)) classes.insert(data.labels[static_cast<std::size_t>(i)]);
  require(count >= std::ssize(classes), Fault::usage, "[landmarks] expected at least one for each of {} classes, found {}: raise --landmarks", classes.size(), count);
}

Fit with_landmarks(const Fit& fit, std::int64_t count) {
  const Data& all = *fit.data;
  const std::int64_t n = all.rows();
  require_landmarks(all, count);
  for (std::size_t s = 0; s < fit.kept.size(); ++s)
    for (const auto& [name, values] : fit.kept[s].arrays())
      require(stands_alone(fit, s, name, *values), Fault::usage,
              "[landmarks] expected stages that keep nothing of all rows together, found {}, whose \"{}\" belongs to the whole fit: leave out --landmarks", fit.stages[s].stage->name, name);
  if (count >= n) return fit;
  const std::vector<std::int64_t> rows = landmark_rows(all, count, fit.seed);

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
  try_out(some);
  return some;
}

}  // namespace calor::pipeline

// assign: the prototype that each data point belongs to.
// nearest: the prototypes are the state's points (k-means).  merge: the state's points are the data's own, moved; those that
// meet within `tolerance` of the data's spread are one cluster (mean-shift), numbered by their first point.
// New points go to the nearest prototype or mode; one that is a point of the fit stays where that one went.
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "calor/core/error.h"
#include "calor/engine/lloyd.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"how", Parameter::Takes::word, "nearest", 0, 0, "nearest|merge", "nearest: to the nearest prototype; merge: points that have met form a cluster"},
    {"tolerance", Parameter::Takes::number, "1e-3", 0, 1, "", "merge: distance below which points have met, as a fraction of the root mean square distance to the centre"}};

static double spread(const Matrix& points) {
  return std::sqrt((points.rowwise() - points.colwise().mean()).rowwise().squaredNorm().mean());
}

// Each point joins the first mode within reach, else is a mode.  O(N modes d).
static Matrix merge(const Matrix& points, double reach, std::vector<std::int64_t>& labels) {
  std::vector<std::int64_t> modes;
  labels.clear();
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    std::size_t m = 0;
    while (m < modes.size() && (points.row(i) - points.row(modes[m])).norm() > reach) ++m;
    if (m == modes.size()) modes.push_back(i);
    labels.push_back(static_cast<std::int64_t>(m));
  }
  Matrix result(static_cast<Eigen::Index>(modes.size()), points.cols());
  for (std::size_t m = 0; m < modes.size(); ++m) result.row(static_cast<Eigen::Index>(m)) = points.row(modes[m]);
  return result;
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  if (arguments.word("how") == "merge") {
    const Matrix modes = merge(*state.points, arguments.number("tolerance") * spread(*state.data->features), state.labels);
    kept.keep("centres", modes);
    Matrix labels(static_cast<Eigen::Index>(state.labels.size()), 1);
    for (Eigen::Index i = 0; i < labels.rows(); ++i) labels(i, 0) = static_cast<double>(state.labels[static_cast<std::size_t>(i)]);
    kept.keep("labels", std::move(labels));
    state.figures["clusters"] = static_cast<double>(modes.rows());
    return;
  }
  auto found = engine::assign_nearest(*state.data->features, *state.points, context);
  if (std::string left = engine::leave_out_empty(found, *state.data->features); !left.empty()) state.note("assign", std::move(left));
  kept.keep("centres", found.at);
  state.labels = found.nearest;
  state.figures["inertia"] = found.inertia;
  state.points = state.data->features;
  state.prototypes = false;
}

static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  state.labels = engine::assign_nearest(*state.points, kept.array("centres"), context).nearest;
  if (arguments.word("how") != "merge") return;
  // A point of the fit may have climbed to a mode that is not the nearest.
  const Matrix& labels = kept.array("labels");
  const Matrix& fitted = *state.data->features;
  const auto bytes = [](const Matrix& points, Eigen::Index i) {
    return std::string_view(reinterpret_cast<const char*>(points.row(i).data()), static_cast<std::size_t>(points.cols()) * sizeof(double));
  };
  std::unordered_map<std::string_view, Eigen::Index> known;
  for (Eigen::Index i = 0; i < fitted.rows(); ++i) known.emplace(bytes(fitted, i), i);
  for (Eigen::Index i = 0; i < state.points->rows(); ++i)
    if (const auto found = known.find(bytes(*state.points, i)); found != known.end() && found->second < labels.rows())
      state.labels[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(labels(found->second, 0));
}

static void outline(Outline& outline, const Arguments& arguments) {
  if (arguments.word("how") == "merge")
    require(outline.may_not(outline.prototypes), Fault::usage,
            "[assign] expected moved data points for assign(merge), found prototypes: use assign(nearest)");
  else
    require(outline.may(outline.prototypes), Fault::usage,
            "[assign] expected prototypes, found the data's own points: put centres(k) first, or use assign(merge)");
  outline.prototypes = Fact::no;
}

const Stage assign_stage{"assign", Kind::read_out, types::points, types::labels, parameters,
                         "the prototype that each data point belongs to", "",
                         run, place, nullptr, outline};

}  // namespace calor::propagate

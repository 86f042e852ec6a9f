// standardise(by): each feature minus its mean, divided by its standard deviation, both of the labelled training rows (of all rows where
// none is labelled); a feature that is constant there becomes 0.  The features as given are replaced for every stage after it.
// tune(loo, standardise.by, ..) says whether to do so at all.
#include <cmath>

#include "calor/core/error.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"
#include "calor/similarity/standardisation.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"by", Parameter::Takes::word, "deviation", 0, 0, "deviation|loo",
     "deviation: always; loo: short for tune(loo, standardise.by, ..): only where the labels are predicted better then"}};

std::vector<std::int64_t> labelled_rows(const Data& data) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < data.rows(); ++i)
    if (data.labelled(i)) rows.push_back(i);
  return rows;
}

Matrix standardisation(const Data& data) {
  const Matrix& features = *data.features;
  std::vector<std::int64_t> rows = labelled_rows(data);
  if (rows.empty())
    for (std::int64_t i = 0; i < data.rows(); ++i) rows.push_back(i);
  const auto count = static_cast<double>(rows.size());
  Matrix result = Matrix::Zero(2, features.cols());
  for (const std::int64_t i : rows) result.row(0) += features.row(i) / count;
  Eigen::RowVectorXd rest = Eigen::RowVectorXd::Zero(features.cols());  // the sum's own rounding, which counts beside a large offset
  for (const std::int64_t i : rows) rest += (features.row(i) - result.row(0)) / count;
  result.row(0) += rest;
  for (const std::int64_t i : rows) result.row(1) += (features.row(i) - result.row(0)).cwiseAbs2() / count;
  for (Eigen::Index c = 0; c < features.cols(); ++c) {
    const double deviation = std::sqrt(result(1, c));
    // Below the rounding of the values there is nothing but rounding.
    const bool constant = deviation <= 2 * std::numeric_limits<double>::epsilon() * std::abs(result(0, c)) || deviation < std::numeric_limits<double>::min();
    result(1, c) = constant ? 0 : 1 / deviation;
  }
  return result;
}

std::shared_ptr<const Matrix> standardised(const Matrix& points, const Matrix& by) {
  return std::make_shared<const Matrix>(((points.rowwise() - by.row(0)).array().rowwise() * by.row(1).array()).matrix());
}

// The data with its features replaced: every stage after this one sees these.
static void replace(State& state, const Matrix& by) {
  auto data = std::make_shared<Data>(*state.data);
  data->features = standardised(*state.data->features, by);
  if (!state.placing) state.points = data->features;
  else state.points = standardised(*state.points, by);
  state.columns = data->features;
  state.data = std::move(data);
}

static void run(State& state, const Arguments&, Kept& kept, const Context&) {
  const Matrix by = standardisation(*state.data);
  kept.keep("by", by);
  const bool chosen = kept.once("standardised", [] { return 1.0; }) != 0;
  state.figures["standardised"] = chosen;
  if (chosen) replace(state, by);
}

static void place(State& state, const Arguments&, const Kept& kept, const Context&) {
  if (kept.number("standardised") != 0) replace(state, kept.array("by"));
}

static void estimate(Estimate& estimate, const Arguments&) { estimate.hold(16 * estimate.rows * estimate.features); }

static void outline(Outline& outline, const Arguments&) {
  require(outline.may_not(outline.moved), Fault::usage,
          "[standardise] expected the data's features, found points that moved: put standardise first");
}

const Stage standardise_stage{"standardise", Kind::initialise, types::points, types::points, parameters,
                              "each feature minus its mean, divided by its standard deviation", "", run, place, estimate, outline};

}  // namespace calor::similarity

// standardise(by): each feature minus its mean, divided by its standard deviation, both of the labelled training rows (of all rows where
// none is labelled); a feature that is constant there becomes 0.  The features as given are replaced for every stage after it.
// loo: only if that predicts each labelled row better from the others, by the best likelihood of an exponential of the squared
// distance (leave_one_out.h).
#include <cmath>

#include "calor/core/error.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/leave_one_out.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"by", Parameter::Takes::word, "deviation", 0, 0, "deviation|loo",
     "deviation: always; loo: only where the leave-one-out prediction of the labels gets better"}};

static std::vector<std::int64_t> labelled_rows(const Data& data) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < data.rows(); ++i)
    if (data.labelled(i)) rows.push_back(i);
  return rows;
}

// Two rows: what is subtracted, and what is multiplied by.
static Matrix standardisation(const Data& data) {
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

static std::shared_ptr<const Matrix> standardised(const Matrix& points, const Matrix& by) {
  return std::make_shared<const Matrix>(((points.rowwise() - by.row(0)).array().rowwise() * by.row(1).array()).matrix());
}

static double likelihood(const Matrix& features, const Data& data, const Context& context) {
  auto rows = std::make_shared<const std::vector<std::int64_t>>(labelled_rows(data));
  auto points = std::make_shared<Matrix>(static_cast<Eigen::Index>(rows->size()), features.cols());
  for (std::size_t r = 0; r < rows->size(); ++r) points->row(static_cast<Eigen::Index>(r)) = features.row((*rows)[r]);
  Similarity record;
  record.score.kind = Score::Kind::power_distance;
  record.columns = points->rows();
  record.column_points = std::move(points);
  record.column_rows = std::move(rows);
  const LeaveOneOut found = leave_one_out(keys_of(record, "standardise"), known_columns(record, data, "standardise"), {}, context);
  return found.likelihood.maxCoeff();
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

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const Matrix by = standardisation(*state.data);
  kept.keep("by", by);
  bool better = true;
  if (arguments.word("by") == "loo") {
    const double as_given = likelihood(*state.data->features, *state.data, context);
    const double after = likelihood(*standardised(*state.data->features, by), *state.data, context);
    better = after > as_given;
    state.note("standardise", fmt::format("features {}: leave-one-out likelihood {:.4f} standardised, {:.4f} as given",
                                          better ? "standardised" : "left as given", after, as_given));
  }
  state.figures["standardised"] = better;
  kept.keep_number("standardised", better);
  if (better) replace(state, by);
}

static void place(State& state, const Arguments&, const Kept& kept, const Context&) {
  if (kept.number("standardised") != 0) replace(state, kept.array("by"));
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  estimate.hold(16 * estimate.rows * estimate.features);
  if (arguments.word("by") == "loo") estimate.pass(2 * judged_share(estimate.rows));
}

static void outline(Outline& outline, const Arguments&) {
  require(outline.may_not(outline.moved), Fault::usage,
          "[standardise] expected the data's features, found points that moved: put standardise first");
}

static Wants wants(const Arguments& arguments) { return arguments.word("by") == "loo" ? Wants::labels : Wants::nothing; }

const Stage standardise_stage{"standardise", Kind::initialise, types::points, types::points, parameters,
                              "each feature minus its mean, divided by its standard deviation", "", run, place, estimate, outline, nullptr, wants};

}  // namespace calor::similarity

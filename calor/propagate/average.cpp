// average: sum_j S_ij t_j / sum_j S_ij over the labelled training rows j, t the label as a number.  A row that nothing reaches
// has no value (NaN).
#include <cmath>

#include "calor/core/error.h"
#include "calor/pipeline/engine.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

// Two columns: the targets, and 1 where there is one.
static Matrix known_targets(const Data& data, const std::vector<std::int64_t>* rows) {
  require(data.targets.size() == data.rows(), Fault::input,
          "[average] expected labels that are numbers, found {}: name a numeric column with --label, or use vote",
          data.labels.empty() ? "none" : "names");
  const std::int64_t count = rows ? static_cast<std::int64_t>(rows->size()) : data.rows();
  Matrix result = Matrix::Zero(count, 2);
  for (std::int64_t r = 0; r < count; ++r)
    if (const std::int64_t i = rows ? (*rows)[r] : r; data.training(i) && std::isfinite(data.targets[i]))
      result.row(r) << data.targets[i], 1;
  return result;
}

static void weigh(State& state, const Context& context) {
  const Matrix sums = flow(state.similarity, known_targets(*state.data, state.similarity.column_rows.get()), context);
  state.scores.resize(sums.rows(), 1);
  for (Eigen::Index i = 0; i < sums.rows(); ++i)
    state.scores(i, 0) = sums(i, 1) > 0 ? sums(i, 0) / sums(i, 1) : std::numeric_limits<double>::quiet_NaN();
}

static void run(State& state, const Arguments&, Kept&, const Context& context) { weigh(state, context); }
static void place(State& state, const Arguments&, const Kept&, const Context& context) { weigh(state, context); }
static void estimate(Estimate& estimate, const Arguments&) { estimate.pass(); }

const Stage average_stage{"average", Kind::read_out, types::any_similarity, types::prediction, {},
                          "the weighted mean of the labels as numbers",
                          "", run, place, estimate, nullptr, takes_any_form};

}  // namespace calor::propagate

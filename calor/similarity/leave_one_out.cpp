#include "calor/similarity/leave_one_out.h"

#include "calor/core/error.h"

namespace calor::similarity {

using namespace pipeline;

Known known_columns(const Similarity& similarity, const Data& data, const char* op) {
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

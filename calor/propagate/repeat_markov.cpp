#include "calor/propagate/repeat_markov.h"

#include <algorithm>

#include "calor/core/error.h"
#include "calor/engine/markov_clustering.h"
#include "calor/engine/passes.h"
#include "calor/propagate/expand.h"
#include "calor/propagate/stages.h"
#include "calor/similarity/stages.h"

namespace calor::propagate {

using namespace pipeline;

bool repeats_markov(const std::vector<BoundStage>& body, const State& state, const Context& context) {
  const Similarity& record = state.similarity;
  if (!(state.type & types::any_similarity) || state.field || record.all_pairs() || record.rows != record.columns || record.normalised.empty()) return false;
  if (body.size() != 3 || body[0].stage != &expand_stage || body[1].stage != &similarity::inflate_stage) return false;
  const Normaliser::Kind last = record.normalised.back();
  const bool rows = body[2].stage == &similarity::row_stage && last == Normaliser::Kind::row;
  const bool columns = body[2].stage == &similarity::column_stage && last == Normaliser::Kind::column;
  if (!rows && !columns) return false;
  const Csr values = values_on_support(record, context);
  return std::all_of(values.values.begin(), values.values.end(), [](double value) { return value >= 0; });
}

bool settle_markov(const std::vector<BoundStage>& body, double tolerance, std::int64_t max_iterations, State& state, std::vector<Kept>& inner, const Context& context) {
  const bool columns = body[2].stage == &similarity::column_stage;
  const MarkovOptions options{body[0].arguments.integer("power"), body[1].arguments.number("r"), pruning_of(body[0].arguments)};
  const Csr begin = values_on_support(state.similarity, context);
  SparseRows flow = rows_of(columns ? transpose(begin) : begin);  // a row is where the flow of a point goes
  state.similarity = {};
  std::vector<double> changes;
  bool settled = false;
  for (std::int64_t turn = 1; turn <= max_iterations && !settled; ++turn) {
    double change = 0;
    flow = markov_step(flow, options, change, context);
    changes.push_back(change);
    context.advance(static_cast<double>(turn), static_cast<double>(max_iterations), "repeat");
    settled = change <= tolerance;
  }
  state.figures["repetitions"] = static_cast<double>(changes.size());
  state.figures["change"] = changes.back();
  state.series["change"] = std::move(changes);
  Matrix leads_to(static_cast<Eigen::Index>(flow.rows.size()), 1);
  const Attraction found = attraction(flow);
  for (Eigen::Index i = 0; i < leads_to.rows(); ++i) leads_to(i, 0) = static_cast<double>(found.leads_to[static_cast<std::size_t>(i)]);
  inner[0].keep("leads_to", std::move(leads_to));
  Csr end = csr_of(flow);
  state.similarity = stored_similarity(columns ? transpose(end) : std::move(end));
  state.similarity.normalised = {columns ? Normaliser::Kind::column : Normaliser::Kind::row};
  if (columns) inner[2].keep("log_column", Matrix(Matrix::Zero(static_cast<Eigen::Index>(flow.rows.size()), 1)));
  return settled;
}

}  // namespace calor::propagate

#include "calor/cluster/stage_forms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "calor/cluster/graph.h"
#include "calor/cluster/neighbours.h"
#include "calor/cluster/pairs.h"
#include "calor/core/error.h"
#include "calor/engine/bandwidth.h"
#include "calor/engine/cardinality.h"
#include "calor/engine/normaliser.h"
#include "calor/engine/passes.h"
#include "calor/similarity/chosen_bandwidth.h"
#include "calor/similarity/initialise.h"
#include "calor/similarity/symmetrise.h"

namespace calor::cluster {

using namespace pipeline;
using engine::Normaliser;

Score score_of(const BoundStage& bound) {
  if (bound.stage->name == "dot") return {Score::Kind::dot, 0, Metric::euclidean};
  return {Score::Kind::power_distance, bound.arguments.number("t"), similarity::metric_of(bound.arguments.word("metric"))};
}

// A record of rows in blocks; the graph's own values are its scores, all pairs have theirs in blocks of columns.
static void begin_record(Part& part, const Score& score) {
  State& state = part.state;
  Similarity record;
  if (state.type == types::graph) {
    record = engine::stored_similarity(scores_on_edges(part, *state.graph, score));
  } else {
    record.rows = part.own_rows();
    record.row_points = state.points;
    record.columns = part.columns.rows();
    record.score = score;
    record.symmetric = part.own_columns == state.points;
  }
  state.similarity = std::move(record);
}

// The labelled training rows become the columns, those of this process here; their numbers in the data.
static std::shared_ptr<const std::vector<std::int64_t>> take_training_columns(Part& part) {
  const Data& data = *part.state.data;
  std::vector<std::int64_t> all, own;
  for (std::int64_t i = 0; i < data.rows(); ++i) {
    if (!data.labelled(i)) continue;
    all.push_back(i);
    if (i >= part.first_row() && i < part.first_row() + part.own_rows()) own.push_back(i - part.first_row());
  }
  auto columns = std::make_shared<Matrix>(static_cast<Eigen::Index>(own.size()), part.state.points->cols());
  for (std::size_t c = 0; c < own.size(); ++c) columns->row(static_cast<Eigen::Index>(c)) = part.state.points->row(own[c]);
  part.columns = part.processes.blocks_of(columns->rows());
  part.own_columns = std::move(columns);
  return std::make_shared<const std::vector<std::int64_t>>(std::move(all));
}

void run_knn(Part& part, const BoundStage& bound) {
  State& state = part.state;
  engine::NeighbourOptions options{bound.arguments.integer("k"), similarity::metric_of(bound.arguments.word("metric")), true, nullptr};
  std::vector<std::uint8_t> allowed;
  std::int64_t available = part.rows.rows() - 1;
  const bool train = bound.arguments.word("to") == "train";
  if (train) {
    for (std::int64_t i = 0; i < part.rows.rows(); ++i) allowed.push_back(state.data->labelled(i));
    options.allowed = &allowed;
    available = std::count(allowed.begin(), allowed.end(), 1);
  }
  require(options.k <= available, Fault::input, "[knn] expected k of at most {} ({}), found {}: give a smaller k or more points", available,
          train ? "the labelled training rows" : "the other points", options.k);
  state.graph = std::make_shared<const Csr>(nearest(part, options));
}

void run_score(Part& part, const BoundStage& bound) {
  const bool train = part.state.type != types::graph && bound.arguments.word("to") == "train";
  const auto column_rows = train ? take_training_columns(part) : nullptr;
  const bool nearest = bound.stage->name == "distance" && bound.arguments.word("from") == "nearest";
  Score score = score_of(bound);
  if (nearest) score.power = 1;  // minus the distances
  begin_record(part, score);
  if (nearest) similarity::count_from_nearest(part.state.similarity, bound.arguments.number("t"), part.context);
  part.state.similarity.column_rows = column_rows;
}

void run_indicator(Part& part, const BoundStage&) {
  Similarity record;
  record.support = part.state.graph;
  record.rows = part.own_rows();
  record.columns = part.rows.rows();
  record.score.kind = Score::Kind::indicator;
  part.state.similarity = std::move(record);
}

// The counts of all pairs' scores, or every row's farthest edge: what exp(auto) chooses by.
static engine::Bandwidth chosen_bandwidth(Part& part) {
  const Similarity& record = part.state.similarity;
  if (record.support) return engine::bandwidth_of_farthest(part.processes.together_all(engine::farthest_of_rows(record, part.context)));
  std::vector<std::int64_t> counts;
  each_columns(part, [&](const Similarity& piece, std::int64_t) {
    const std::vector<std::int64_t> more = engine::count_distances(piece, part.context);
    if (counts.empty()) counts.resize(more.size(), 0);
    std::transform(counts.begin(), counts.end(), more.begin(), counts.begin(), std::plus<>());
  });
  counts.resize(static_cast<std::size_t>(part.processes.greatest(static_cast<double>(counts.size()))), 0);  // a process without rows counts none
  return engine::bandwidth_of_counts(part.processes.sums(std::move(counts)));
}

// A scale for each of the own rows, whose edges are all here.
static void scale_rows(Part& part, const BoundStage& bound) {
  Similarity& record = part.state.similarity;
  require(record.support != nullptr, Fault::usage, "[exp] expected a graph for a scale of each row in blocks, found all pairs: put knn before distance. On one machine: calor run");
  const auto mean_of_all = [&](const Vector& row_sums, std::int64_t edges) {
    return engine::mean_by_rows(part.processes.all_rows(row_sums, part.rows), part.processes.sum(edges));
  };
  Vector scale;
  if (bound.arguments.is_number("perplexity"))
    part.processes.together([&] { scale = engine::perplexity_scales(record, bound.arguments.number("perplexity"), part.context); });
  else scale = engine::cardinality_scales(record, bound.arguments.number("cardinality"), part.context, mean_of_all);
  record.strengthen.kind = Strengthen::Kind::exponential;
  record.strengthen.scale = std::move(scale);
  record.symmetric = false;
}

void run_exp(Part& part, const BoundStage& bound) {
  State& state = part.state;
  if (bound.arguments.is_number("perplexity") || bound.arguments.is_number("cardinality")) return scale_rows(part, bound);
  double scale = 0;
  if (bound.arguments.is_number("bandwidth")) {
    scale = bound.arguments.number("bandwidth");
  } else {
    keep_scores(part);
    scale = similarity::take_bandwidth(state, chosen_bandwidth(part));
  }
  state.figures["bandwidth"] = scale;
  state.similarity.strengthen.kind = Strengthen::Kind::exponential;
  state.similarity.strengthen.scale = Vector::Constant(1, scale);
}

static void subtract(Vector& factor, const Vector& part, double times) {
  if (!factor.size()) factor = Vector::Zero(part.size());
  for (Eigen::Index i = 0; i < part.size(); ++i)
    if (std::isfinite(part[i])) factor[i] -= times * part[i];
}

void run_two_side(Part& part, const BoundStage& bound) {
  keep_scores(part);
  const double alpha = bound.arguments.number("alpha");
  const Vector sums = log_row_sums(part);
  subtract(part.state.similarity.log_row, sums, alpha);
  subtract(part.state.similarity.log_column, part.processes.all_rows(sums, part.rows), alpha);
  part.state.similarity.normalised.push_back(Normaliser::Kind::two_side);
}

std::int64_t divide_rows(Similarity& record, const Vector& log_sums) {
  subtract(record.log_row, log_sums, 1);
  return std::count_if(log_sums.begin(), log_sums.end(), [](double sum) { return !std::isfinite(sum); });
}

void note_empty_rows(State& state, std::int64_t empty, std::int64_t rows) {
  if (empty) state.note("row", fmt::format("{} of {} rows {} empty and stay{} so", empty, rows, empty == 1 ? "is" : "are", empty == 1 ? "s" : ""));
}

std::int64_t normalise_rows(Part& part) {
  keep_scores(part);
  return part.processes.sum(divide_rows(part.state.similarity, log_row_sums(part)));
}

void run_row(Part& part, const BoundStage&) {
  note_empty_rows(part.state, normalise_rows(part), part.rows.rows());
  part.state.similarity.normalised.push_back(Normaliser::Kind::row);
}

static double mean_of(double forward, double backward) { return (forward + backward) / 2; }

// On a graph: with the values that its edges have in the other direction.  All pairs are symmetric already, or the pipeline is refused.
void run_symmetrise(Part& part, const BoundStage& bound) {
  if (!part.state.similarity.support) return;
  const Csr values = engine::values_on_support(part.state.similarity, part.context);
  const auto combine = bound.stage->name == "mean" ? mean_of : similarity::fuzzy_union;
  part.state.similarity = engine::stored_similarity(engine::combine(values, transpose_rows(part, values), combine));
  part.state.similarity.symmetric = true;
}

}  // namespace calor::cluster

// Stages whose points are k centres, the same in every process, against the own rows of the data; and those that read clusters out of own rows.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "calor/cluster/checkpoint.h"
#include "calor/cluster/pairs.h"
#include "calor/cluster/stage_forms.h"
#include "calor/core/error.h"
#include "calor/io/stored_tensor.h"
#include "calor/engine/lloyd.h"
#include "calor/engine/passes.h"

namespace calor::cluster {

using namespace pipeline;
using engine::Centres;

namespace {

// The processes as owners of blocks.
class Owners : public engine::OtherBlocks {
 public:
  explicit Owners(const Processes& processes) : processes_(processes) {}
  std::int64_t own() const override { return processes_.rank(); }
  Vector sums(const Vector& own) const override { return processes_.sums(own); }
  Matrix each(const Vector& own) const override { return processes_.each(own); }

 private:
  const Processes& processes_;
};

std::string kept_name(const Part& part, const BoundStage& bound) { return fmt::format("{}-{}", part.stage, bound.stage->name); }

engine::StartsDone kept_starts(const Part& part, const BoundStage& bound) {
  engine::StartsDone done;
  const std::vector<std::string>& found = part.checkpoint.found();
  if (std::find(found.begin(), found.end(), kept_name(part, bound)) == found.end()) return done;
  part.processes.together([&] {
    const io::Safetensors content = part.checkpoint.read(kept_name(part, bound));
    const std::vector<double> at = io::restored<double>(content, "at", 1, "checkpoint"), inertia = io::restored<double>(content, "inertia", 1, "checkpoint");
    const std::vector<std::int64_t> starts = io::restored<std::int64_t>(content, "starts", 1, "checkpoint");
    const std::int64_t k = bound.arguments.integer("k");
    const Eigen::Index dim = part.state.points->cols();
    require(at.size() == static_cast<std::size_t>(k * dim) && inertia.size() == 1 && starts.size() == 1, Fault::input,
            "[checkpoint] expected {} centres of {} numbers, found {} numbers", k, dim, at.size());
    done = {starts[0], Eigen::Map<const Matrix>(at.data(), k, dim), inertia[0]};
  });
  return done;
}

// By the first process, since all have the same.
void keep_starts(const Part& part, const BoundStage& bound, const engine::StartsDone& done) {
  if (!part.processes.first() || !(part.checkpoint.due() || done.starts == bound.arguments.integer("starts"))) return;
  io::Safetensors content;
  content.tensors["at"] = io::stored(std::vector<double>(done.at.data(), done.at.data() + done.at.size()), {static_cast<std::int64_t>(done.at.size())});
  content.tensors["inertia"] = io::stored(std::vector<double>{done.inertia}, {1});
  content.tensors["starts"] = io::stored(std::vector<std::int64_t>{done.starts}, {1});
  part.checkpoint.keep(kept_name(part, bound), std::move(content));
}

Centres best_centres(Part& part, const BoundStage& bound, std::int64_t most, const Matrix& own) {
  engine::LloydOptions options{bound.arguments.integer("k"), bound.arguments.integer("starts"), most, part.state.seed};
  const engine::StartsDone before = kept_starts(part, bound);
  if (before.starts > 0) {
    options.from = &before;
    part.state.note(bound.stage->name, fmt::format("goes on from a checkpoint that has {} of {} starts", before.starts, options.starts));
  }
  if (part.checkpoint.on()) options.done = [&](const engine::StartsDone& done) { keep_starts(part, bound, done); };
  return engine::lloyd(own, options, part.context, Owners(part.processes));
}

void leave_out_empty(Part& part, const BoundStage& bound, Centres& found, const Matrix& own) {
  if (std::string left = engine::leave_out_empty(found, own, Owners(part.processes)); !left.empty()) part.state.note(bound.stage->name, std::move(left));
}

}  // namespace

void run_centres(Part& part, const BoundStage& bound) {
  const std::shared_ptr<const Matrix> own = part.state.points;
  Centres found = best_centres(part, bound, bound.arguments.integer("max_iterations"), *own);
  leave_out_empty(part, bound, found, *own);
  part.state.points = std::make_shared<const Matrix>(std::move(found.at));
  part.state.prototypes = true;
}

// Of the own rows, or of the coordinates of all rows that eigen leaves in every process.
void run_cluster(Part& part, const BoundStage& bound) {
  State& state = part.state;
  constexpr std::int64_t most = 300;  // as cluster(k) of one process
  const Matrix own = state.points->middleRows(state.type == types::embedding ? part.first_row() : 0, part.own_rows());
  Centres found = best_centres(part, bound, most, own);
  leave_out_empty(part, bound, found, own);
  state.labels = std::move(found.nearest);
  state.figures["inertia"] = found.inertia;
}

void run_assign(Part& part, const BoundStage& bound) {
  State& state = part.state;
  Centres found = engine::assign_nearest(*part.own_data, *state.points, part.context);
  leave_out_empty(part, bound, found, *part.own_data);
  state.labels = std::move(found.nearest);
  state.figures["inertia"] = part.processes.sums(Vector::Constant(1, found.inertia))[0];
  state.points = part.own_data;
  state.prototypes = false;
}

void run_distance_of_centres(Part& part, const BoundStage& bound) {
  State& state = part.state;
  Similarity record;
  record.score = score_of(bound);
  record.rows = state.points->rows();
  record.row_points = state.points;
  record.columns = part.own_rows();
  record.column_points = part.own_data;
  state.similarity = std::move(record);
}

// Each of the own columns chooses for itself.
void run_best_of_centres(Part& part, const BoundStage& bound) {
  Kept none;
  bound.stage->run(part.state, bound.arguments, none, part.context);
}

void run_row_of_centres(Part& part, const BoundStage&) {
  State& state = part.state;
  const Matrix each = part.processes.each(engine::log_row_sums(state.similarity, part.context));
  Vector sums = each.row(0);
  for (Eigen::Index p = 1; p < each.rows(); ++p)
    for (Eigen::Index c = 0; c < sums.size(); ++c) sums[c] = add_logs(sums[c], each(p, c));
  note_empty_rows(state, divide_rows(state.similarity, sums), sums.size());
  state.similarity.normalised.push_back(engine::Normaliser::Kind::row);
}

// The sum over all columns; a centre that no edge leaves, or edges of the value 0 alone, stays where it is.
void run_apply_of_centres(Part& part, const BoundStage&) {
  State& state = part.state;
  const Matrix own = engine::apply(state.similarity, *part.own_data, part.context);
  const Csr edges = engine::values_on_support(state.similarity, part.context);
  Vector numbers = Vector::Zero(own.size() + own.rows());
  numbers.head(own.size()) = own.reshaped<Eigen::RowMajor>();
  for (std::int64_t c = 0; c < edges.rows; ++c)
    numbers[own.size() + c] = std::any_of(edges.values.begin() + edges.begin[c], edges.values.begin() + edges.begin[c + 1], [](double value) { return value != 0; });
  numbers = part.processes.sums(numbers);
  auto moved = std::make_shared<Matrix>(Eigen::Map<const Matrix>(numbers.data(), own.rows(), own.cols()));
  for (Eigen::Index c = 0; c < own.rows(); ++c)
    if (numbers[own.size() + c] == 0) moved->row(c) = state.points->row(c);
  state.points = std::move(moved);
}

}  // namespace calor::cluster

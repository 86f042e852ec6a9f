#include "calor/pipeline/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/forms.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/speed.h"
#include "calor/pipeline/wants.h"

namespace calor::pipeline {
namespace {

void check_finite(const Matrix& points, const char* op) {
  for (Eigen::Index i = 0; i < points.rows(); ++i)
    for (Eigen::Index j = 0; j < points.cols(); ++j)
      require(std::isfinite(points(i, j)), Fault::input, "[{}] expected finite numbers, found {} in row {}, column {}", op,
              points(i, j), i + 1, j + 1);
}

void check_finite(const io::SparseMatrix& points, const char* op) {
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::int64_t e = points.begin[i]; e < points.begin[i + 1]; ++e)
      require(std::isfinite(points.value[e]), Fault::input, "[{}] expected finite numbers, found {} in row {}, column {}", op, points.value[e],
              i + 1, points.column[e] + 1);
}

double largest(const Data& data) {
  double most = data.features->size() ? data.features->cwiseAbs().maxCoeff() : 0;
  if (data.sparse)
    for (const double value : data.sparse->value) most = std::max(most, std::abs(value));
  if (data.distances)
    for (const double value : data.distances->reshaped())
      if (std::isfinite(value)) most = std::max(most, value);
  return most;
}

// Distances are squared, and squares summed: both must be within a double's range.
void check_unit(const Data& data) {
  const double most = largest(data);
  require(most == 0 || (most > 0x1p-400 && most < 0x1p400), Fault::input,
          "[run] expected numbers of which some are larger than 1e-120 and all smaller than 1e120, found {:.3g} as the largest: give them in another "
          "unit",
          most);
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

const std::shared_ptr<const Matrix>& Kept::shared(const std::string& name) const {
  const auto found = arrays_.find(name);
  require(found != arrays_.end(), Fault::input, "[model] expected the fit to hold \"{}\", found none: is the file complete?", name);
  return found->second;
}

double Kept::once(const std::string& name, const std::function<double()>& choose) {
  if (!has(name)) keep_number(name, choose());
  return number(name);
}

void Kept::keep_all(const std::string& prefix, const Kept& inner) {
  for (const auto& [name, values] : inner.arrays_) arrays_[prefix + "." + name] = values;
}

std::vector<Kept> Kept::each(std::size_t stages) const {
  std::vector<Kept> inner;
  for (std::size_t s = 0; s < stages; ++s) inner.push_back(this->inner(std::to_string(s)));
  return inner;
}

void Kept::keep_each(const std::vector<Kept>& inner) {
  for (std::size_t s = 0; s < inner.size(); ++s) keep_all(std::to_string(s), inner[s]);
}

Kept Kept::inner(const std::string& prefix) const {
  Kept result;
  for (const auto& [name, values] : arrays_)
    if (name.starts_with(prefix + ".")) result.arrays_[name.substr(prefix.size() + 1)] = values;
  return result;
}

// Points that a stage has moved are dense.
static void forget_form(State& state, const std::shared_ptr<const Matrix>& before) {
  if (state.points == before) return;
  state.sparse = nullptr;
  state.distances = nullptr;
}

void run_stages(const std::vector<BoundStage>& stages, State& state, std::vector<Kept>& kept, const Context& context,
                std::vector<std::uint8_t>* prototypes, std::vector<StageTime>* times) {
  kept.resize(stages.size());
  for (std::size_t s = 0; s < stages.size(); ++s) {
    context.check_stop(stages[s].stage->name);
    const auto begin = std::chrono::steady_clock::now();
    const double processor_begin = processor_seconds();
    Outline outline = outline_of(state);
    trace(stages[s], outline);
    const auto points = state.points;
    if (stages[s].takes & types::any_similarity && !stages[s].stage->flows_once) settle(state.similarity, context);
    at_stage(stages[s], [&] { stages[s].stage->run(state, stages[s].arguments, kept[s], context); });
    forget_form(state, points);
    if (times)
      times->push_back({std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), processor_seconds() - processor_begin});
    state.type = stages[s].gives;
    if (prototypes) prototypes->push_back(state.prototypes);
  }
}

void place_stages(const std::vector<BoundStage>& stages, State& state, const std::vector<Kept>& kept, const Context& context,
                  const std::vector<std::uint8_t>* prototypes) {
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const BoundStage& bound = stages[s];
    context.check_stop(bound.stage->name);
    const auto points = state.points;
    if (bound.takes & types::any_similarity && !bound.stage->flows_once) settle(state.similarity, context);
    if (!prototypes || !(*prototypes)[s]) at_stage(bound, [&] { bound.stage->place(state, bound.arguments, kept[s], context); });
    forget_form(state, points);
    state.type = bound.gives;
  }
}

static void take(State& state, const Points& points) {
  state.points = points.dense;
  state.sparse = points.sparse;
  state.distances = points.distances;
}

// One remark for each parameter that was given by its former name, however often.
static std::vector<Note> renaming_notes(const std::vector<BoundStage>& stages) {
  std::vector<Note> notes;
  std::vector<const Parameter*> said;
  for_each_stage(stages, [&](const BoundStage& bound) {
    for (const Parameter* parameter : bound.renamed) {
      if (std::find(said.begin(), said.end(), parameter) != said.end()) continue;
      said.push_back(parameter);
      notes.push_back({std::string(bound.stage->name), fmt::format("{} is now called {}", parameter->formerly, parameter->name)});
    }
  });
  return notes;
}

State begin(std::shared_ptr<const Data> data, std::uint64_t seed) {
  require(data->rows() > 0, Fault::input, "[run] expected at least one point, found none");
  check_finite(*data->features, "run");
  if (data->sparse) check_finite(*data->sparse, "run");
  check_unit(*data);
  State state;
  state.seed = seed;
  state.type = types::points;
  take(state, data->points());
  state.columns = data->features;
  state.data = std::move(data);
  return state;
}

// Before a stage has moved them: the points in a form that the stages can read.
static void make_readable(State& state, const std::vector<BoundStage>& stages, const Context& context) {
  const auto [data, remark] = readable(stages, state.data, context);
  require_wanted(stages, *data);
  if (!remark.empty()) state.note("data", remark);
  if (data == state.data) return;
  take(state, data->points());
  state.columns = data->features;
  state.data = data;
}

State step(const std::vector<BoundStage>& stages, const State& before, const Context& context) {
  State state = before;
  std::vector<Kept> kept;
  if (state.type == types::points && !state.moved()) make_readable(state, stages, context);
  run_stages(stages, state, kept, context);
  return state;
}

static Estimate start(const std::vector<BoundStage>& stages, const Data& data, const Context& context);
static void add(Estimate& total, const BoundStage& bound);

// Refuses what is sure to take more than is left, at the stage that would.
static void require_memory(const std::vector<BoundStage>& stages, const Data& data, const Context& context) {
  Estimate total = start(stages, data, context);
  for (const BoundStage& bound : stages) {
    add(total, bound);
    at_stage(bound, [&] {
      context.memory.require(total.peak < 1e18 ? static_cast<std::uint64_t>(total.peak) : ~std::uint64_t{0}, bound.stage->name,
                             fmt::format("{} rows from here on", grouped_digits(data.rows())), "give fewer rows, or raise --max-memory");
    });
  }
}

Fit fit(std::vector<BoundStage> stages, std::shared_ptr<const Data> given, std::uint64_t seed, const Context& context) {
  Fit result;
  result.stages = std::move(stages);
  result.seed = seed;
  State& state = result.result = begin(std::move(given), seed);
  state.notes = renaming_notes(result.stages);
  make_readable(state, result.stages, context);
  if (!state.data->rounding.empty()) state.note("data", state.data->rounding);
  result.data = state.data;
  require_memory(result.stages, *result.data, context);
  run_stages(result.stages, state, result.kept, context, &result.prototypes, &result.times);
  if (state.type & types::any_similarity) settle(state.similarity, context);
  return result;
}

const BoundStage* without_place(const std::vector<BoundStage>& stages) {
  const BoundStage* first = nullptr;
  for_each_stage(stages, [&](const BoundStage& bound) {
    const bool places = bound.stage->place && (!bound.stage->places || bound.stage->places(bound.arguments));
    if (!first && !places) first = &bound;
  });
  return first;
}

void require_places(const std::vector<BoundStage>& stages, const char* op, const char* remedy) {
  if (const BoundStage* obstacle = without_place(stages))
    at_stage(*obstacle, [&] {
      fail(Fault::usage, "[{}] expected a pipeline that can place new points, found the stage {}, which cannot: {}", op, obstacle->stage->name, remedy);
    });
}

// What has no result is missing: NaN, -1, or no class.
static void leave_out_of_reach(State& state) {
  constexpr double missing = std::numeric_limits<double>::quiet_NaN();
  if (state.out_of_reach.empty()) return;
  auto points = std::make_shared<Matrix>(*state.points);
  for (std::size_t i = 0; i < state.out_of_reach.size(); ++i) {
    if (!state.out_of_reach[i]) continue;
    const auto row = static_cast<Eigen::Index>(i);
    points->row(row).setConstant(missing);
    if (state.type == types::labels) state.labels[i] = -1;
    if (state.type == types::prediction) state.scores.row(row).setConstant(state.class_scores ? 0 : missing);
  }
  state.points = std::move(points);
}

State place(const Fit& fit, std::shared_ptr<const Matrix> points, const Context& context) {
  return place(fit, Points{std::move(points), nullptr, nullptr}, context);
}

State place(const Fit& fit, const Points& new_points, const Context& context) {
  require_places(fit.stages, "apply", "fit all points together");
  if (new_points.dense) check_finite(*new_points.dense, "apply");
  if (new_points.sparse) check_finite(*new_points.sparse, "apply");
  const std::shared_ptr<const Data> data = readable(fit.stages, fit.data, context).data;
  State state;
  state.data = data;
  state.seed = fit.seed;
  state.type = types::points;
  state.placing = true;
  take(state, in_form_of(*data, new_points, fit.stages, context));
  state.columns = data->features;
  state.notes = renaming_notes(fit.stages);
  place_stages(fit.stages, state, fit.kept, context, &fit.prototypes);
  if (state.type & types::any_similarity) settle(state.similarity, context);
  leave_out_of_reach(state);
  return state;
}

static Estimate start(const std::vector<BoundStage>& stages, const Data& data, const Context& context) {
  Estimate result;
  result.memory = static_cast<double>(context.memory.bytes());
  result.rows = result.columns = static_cast<double>(data.rows());
  result.features = static_cast<double>(data.columns());
  result.edges = data.graph ? static_cast<double>(data.graph->edges()) : 0;
  if (!data.sparse) return result;
  if (without_form(stages, Form::sparse)) {
    result.hold(8 * result.rows * result.features);
  } else {
    result.filled = static_cast<double>(data.sparse->entries()) / std::max(1.0, result.rows * result.features);
    result.features *= result.filled;
  }
  return result;
}

void Estimate::keep_scores() {
  if (kept || edges > 0 || rows != columns || !keeps_scores(rows, features, memory)) return;
  hold(8 * rows * columns);
  kept = true;
}

bool Estimate::streams(bool transposed) {
  if (edges == 0 && !Operator::stores(pairs(), memory)) return true;
  use(edges > 0 ? (transposed ? 24 : 12) * edges : 8 * pairs());
  return false;
}

static void add(Estimate& total, const BoundStage& bound) {
  if (bound.stage->estimate) at_stage(bound, [&] { bound.stage->estimate(total, bound.arguments); });
}

// Two digits: it is an estimate.
static std::string format_seconds(double seconds) {
  if (seconds < 0.01) return "< 0.01 s";
  if (seconds < 100) return fmt::format("{:.2g} s", seconds);
  return seconds < 6000 ? fmt::format("{:.0f} min", seconds / 60) : fmt::format("{:.0f} h", seconds / 3600);
}

std::string explained(const BoundStage& bound, std::string_view time) {
  return fmt::format("  {:<34} {:>10} -> {:<10} {:>8}  {}\n", print(std::vector<Call>{bound.call}), type_names(bound.takes), type_names(bound.gives), time, bound.stage->meaning);
}

std::string explain(const std::vector<BoundStage>& stages, const Data& data, const Context& context) {
  const std::string form = form_text(stages, data, context);
  const Speed speed = measure_speed(context);
  Estimate total = start(stages, data, context);
  std::string text;
  for (const BoundStage& bound : stages) {
    const double before = expected_seconds(total, speed);
    add(total, bound);
    text += explained(bound, format_seconds(expected_seconds(total, speed) - before));
  }
  text += fmt::format("{} rows, {} features; {}\n", data.rows(), data.columns(),
                      total.edges > 0 ? fmt::format("about {:.0f} edges", total.edges) : "all pairs");
  if (!form.empty()) text += form + "\n";
  text += fmt::format("expected on this machine: about {} beyond the data, {} (within a factor of three where it converges as usual)\n",
                      format_bytes(static_cast<std::uint64_t>(total.bytes())), format_seconds(expected_seconds(total, speed)));
  for (const Note& note : renaming_notes(stages)) text += fmt::format("note: [{}] {}\n", note.stage, note.text);
  const BoundStage* obstacle = without_place(stages);
  return text + (obstacle ? fmt::format("new points cannot be placed: {} has no rule for them\n", obstacle->stage->name)
                          : "new points can be placed with a saved fit\n");
}

}  // namespace calor::pipeline

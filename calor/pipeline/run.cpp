#include "calor/pipeline/run.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <ctime>

#include "calor/core/error.h"
#include "calor/pipeline/speed.h"

namespace calor::pipeline {
namespace {

void check_finite(const Matrix& points, const char* op) {
  for (Eigen::Index i = 0; i < points.rows(); ++i)
    for (Eigen::Index j = 0; j < points.cols(); ++j)
      require(std::isfinite(points(i, j)), Fault::input, "[{}] expected finite numbers, found {} in row {}, column {}", op,
              points(i, j), i + 1, j + 1);
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

const std::shared_ptr<const Matrix>& Kept::shared(const std::string& name) const {
  const auto found = arrays_.find(name);
  require(found != arrays_.end(), Fault::input, "[model] expected the fit to hold \"{}\", found none: is the file complete?", name);
  return found->second;
}

void Kept::keep_all(const std::string& prefix, const Kept& inner) {
  for (const auto& [name, values] : inner.arrays_) arrays_[prefix + "." + name] = values;
}

Kept Kept::inner(const std::string& prefix) const {
  Kept result;
  for (const auto& [name, values] : arrays_)
    if (name.starts_with(prefix + ".")) result.arrays_[name.substr(prefix.size() + 1)] = values;
  return result;
}

void run_stages(const std::vector<BoundStage>& stages, State& state, std::vector<Kept>& kept, const Context& context,
                std::vector<std::uint8_t>* prototypes, std::vector<StageTime>* times) {
  kept.assign(stages.size(), {});
  for (std::size_t s = 0; s < stages.size(); ++s) {
    context.check_stop(stages[s].stage->name);
    const auto begin = std::chrono::steady_clock::now();
    const double processor_begin = processor_seconds();
    stages[s].stage->run(state, stages[s].arguments, kept[s], context);
    if (times)
      times->push_back({std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), processor_seconds() - processor_begin});
    state.type = stages[s].gives;
    if (prototypes) prototypes->push_back(state.prototypes);
  }
}

void place_stages(const std::vector<BoundStage>& stages, State& state, const std::vector<Kept>& kept, const Context& context) {
  for (std::size_t s = 0; s < stages.size(); ++s) {
    context.check_stop(stages[s].stage->name);
    require(stages[s].stage->place != nullptr, Fault::usage, "[{}] expected a stage that can place new points, found one that cannot",
            stages[s].stage->name);
    stages[s].stage->place(state, stages[s].arguments, kept[s], context);
    state.type = stages[s].gives;
  }
}

Fit fit(std::vector<BoundStage> stages, std::shared_ptr<const Data> data, std::uint64_t seed, const Context& context) {
  require(data->rows() > 0, Fault::input, "[run] expected at least one point, found none");
  check_finite(*data->features, "run");
  Fit result;
  result.stages = std::move(stages);
  result.data = data;
  result.seed = seed;
  State& state = result.result;
  state.data = data;
  state.seed = seed;
  state.type = types::points;
  state.points = data->features;
  state.columns = data->features;
  if (!data->row_names_from.empty()) state.note("data", fmt::format("rows are named by {}, which is no feature", data->row_names_from));
  run_stages(result.stages, state, result.kept, context, &result.prototypes, &result.times);
  return result;
}

bool can_place(const std::vector<BoundStage>& stages, std::string* obstacle) {
  for (const BoundStage& bound : stages)
    if (!bound.stage->place) {
      if (obstacle) *obstacle = bound.stage->name;
      return false;
    }
  return true;
}

State place(const Fit& fit, std::shared_ptr<const Matrix> new_points, const Context& context) {
  std::string obstacle;
  require(can_place(fit.stages, &obstacle), Fault::usage,
          "[apply] expected a pipeline that can place new points, found the stage {}, which cannot: fit all points together", obstacle);
  require(new_points->cols() == fit.data->features->cols(), Fault::input, "[apply] expected {} features, found {}",
          fit.data->features->cols(), new_points->cols());
  check_finite(*new_points, "apply");
  State state;
  state.data = fit.data;
  state.seed = fit.seed;
  state.type = types::points;
  state.placing = true;
  state.points = std::move(new_points);
  state.columns = fit.data->features;
  for (std::size_t s = 0; s < fit.stages.size(); ++s) {
    context.check_stop(fit.stages[s].stage->name);
    if (!fit.prototypes[s]) fit.stages[s].stage->place(state, fit.stages[s].arguments, fit.kept[s], context);
    state.type = fit.stages[s].gives;
  }
  return state;
}

static Estimate start(std::int64_t rows, std::int64_t features, std::int64_t edges) {
  Estimate result;
  result.rows = result.columns = static_cast<double>(rows);
  result.features = static_cast<double>(features);
  result.edges = static_cast<double>(edges);
  return result;
}

static void add(Estimate& total, const BoundStage& bound) {
  if (bound.stage->estimate) bound.stage->estimate(total, bound.arguments);
}

// Two digits: it is an estimate.
static std::string format_seconds(double seconds) {
  if (seconds < 0.01) return "< 0.01 s";
  if (seconds < 100) return fmt::format("{:.2g} s", seconds);
  return seconds < 6000 ? fmt::format("{:.0f} min", seconds / 60) : fmt::format("{:.0f} h", seconds / 3600);
}

Estimate estimate(const std::vector<BoundStage>& stages, std::int64_t rows, std::int64_t features, std::int64_t edges) {
  Estimate result = start(rows, features, edges);
  for (const BoundStage& bound : stages) add(result, bound);
  return result;
}

std::string explain(const std::vector<BoundStage>& stages, std::int64_t rows, std::int64_t features, std::int64_t edges, const Context& context) {
  const Speed speed = measure_speed(context);
  Estimate total = start(rows, features, edges);
  std::string text;
  for (const BoundStage& bound : stages) {
    const double before = expected_seconds(total, speed);
    add(total, bound);
    text += fmt::format("  {:<34} {:>10} -> {:<10} {:>8}  {}\n", print(std::vector<Call>{bound.call}), type_names(bound.takes),
                        type_names(bound.gives), format_seconds(expected_seconds(total, speed) - before), bound.stage->meaning);
  }
  text += fmt::format("{} rows, {} features; {}\n", rows, features,
                      total.edges > 0 ? fmt::format("about {:.0f} edges", total.edges) : "all pairs");
  text += fmt::format("expected on this machine: about {} beyond the data, {} (within a factor of three where it converges as usual)\n",
                      format_bytes(static_cast<std::uint64_t>(total.bytes)), format_seconds(expected_seconds(total, speed)));
  std::string obstacle;
  return text + (can_place(stages, &obstacle) ? "new points can be placed with a saved fit\n"
                                              : fmt::format("new points cannot be placed: {} has no rule for them\n", obstacle));
}

}  // namespace calor::pipeline

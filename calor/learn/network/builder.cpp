#include "calor/learn/network/builder.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/ones.h>
#include <fmt/format.h>

#include <cmath>
#include <tuple>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/learn/network/surface.h"
#include "calor/pipeline/run.h"

namespace calor::learn {

using pipeline::BoundStage;

Builder::Builder(Domain domain, std::int64_t columns, std::int64_t classes, const Context& context, at::ScalarType dtype)
    : width(columns), before_width(columns), domain_(std::move(domain)), classes_(classes), context_(context), dtype_(dtype) {}

constexpr std::int64_t most_features = std::int64_t{1} << 24, most_stages = 50'000;

void Builder::require_width(const char* op) const {
  require(width <= most_features && total() <= most_features, Fault::usage, "[{}] expected at most {} features of a row, found {}: take fewer", op, most_features, total());
}

void Builder::require_classes() const {
  if (total() == classes_) return;
  require(heads == 1, Fault::usage, "[network] expected a number for each of {} classes at the end, found {} heads of {}: put heads(mean) after them", classes_, heads, width);
  fail(Fault::usage, "[network] expected a number for each of {} classes at the end, found {}: put linear(classes) last", classes_, width);
}

static Make maker_of(std::string_view name) {
  static const auto table = [] {
    auto all = map_stages();
    for (const auto& stages : {edge_stages(), surface_stages()}) all.insert(all.end(), stages.begin(), stages.end());
    return all;
  }();
  for (const auto& [known, make] : table)
    if (known == name) return make;
  fail(Fault::internal, "[network] expected a stage that a network can have, found {}", name);
}

void require_alpha(const BoundStage& bound) {
  if (bound.stage->name != "two_side" || bound.arguments.is_number("alpha")) return;
  fail(Fault::usage, "[two_side] expected a number in a network, found {}: leaving one out needs labels, which flow in `calor run`", bound.arguments.word("alpha"));
}

Steps Builder::build(const std::vector<BoundStage>& stages) {
  Steps steps;
  const auto outer_after = after_;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const BoundStage& bound = stages[s];
    pipeline::at_stage(bound, [&] {
      require(stages_ < most_stages, Fault::usage, "[{}] expected at most {} stages, counting every repetition, found more: take fewer layers", bound.stage->name, most_stages);
      const std::string outer = std::exchange(stage_, fmt::format("{}.{}", stages_++, bound.stage->name));
      after_ = std::span(stages).subspan(s + 1);
      if (std::unique_ptr<Step> step = maker_of(bound.stage->name)(*this, bound)) steps.push_back(std::move(step));
      stage_ = outer;
    });
    stages_ += static_cast<std::int64_t>(taken_);
    s += std::exchange(taken_, 0);
  }
  after_ = outer_after;
  return steps;
}

std::size_t Builder::weight(const std::string& role, std::vector<std::int64_t> shape, double bound, double start, bool decays) {
  WeightSpec spec{fmt::format("{}.{}", stage_, role), std::move(shape), bound, start};
  spec.decays = decays;
  if (domain_.table) std::tie(spec.name, spec.stream) = named_.next(std::string_view(stage_).substr(stage_.rfind('.') + 1), role);
  weights_.push_back(std::move(spec));
  return weights_.size() - 1;
}

double Builder::bound(std::int64_t in, std::int64_t out) const { return domain_.table ? 1 / std::sqrt(static_cast<double>(in)) : glorot(in, out); }

double Builder::bias_bound() const { return domain_.table ? 1 / std::sqrt(static_cast<double>(before_width)) : 0; }

void Builder::run_engine(const BoundStage& bound) {
  if (bound.stage->name == "adjacency") {
    const auto& data = !domain_.surface ? domain_.graph : on_faces ? domain_.surface->face_data() : domain_.surface->point_data();
    require(data && data->graph, Fault::usage, "[adjacency] expected a graph, found none: name one with --graph FILE, or leave adjacency out");
    state_ = pipeline::begin(data, 0);
    said_ = on_faces ? "faces | " : "";
    laplacian.reset();
    scored = exponential = normalised = false;
  }
  Context quiet = context_;
  quiet.progress = nullptr;
  pipeline::Kept kept;
  bound.stage->run(state_, bound.arguments, kept, quiet);
  said_ += pipeline::print(std::vector<BoundStage>{bound}) + " | ";
}

std::shared_ptr<const Support> Builder::support() {
  std::shared_ptr<const Support>& found = supports_[said_];
  if (!found) {
    Context quiet = context_;
    quiet.progress = nullptr;
    found = support_of(engine::values_on_support(state_.similarity, quiet), dtype_);
  }
  return found;
}

std::shared_ptr<const Support> support_of(const engine::Csr& graph, at::ScalarType dtype) {
  auto support = std::make_shared<Support>();
  support->rows = graph.rows;
  support->columns = graph.columns;
  const auto copy = [](const auto& numbers, at::ScalarType type) {
    using T = std::remove_const_t<std::remove_reference_t<decltype(numbers[0])>>;
    return at::from_blob(const_cast<T*>(numbers.data()), {static_cast<std::int64_t>(numbers.size())}, type).clone();
  };
  support->edges = torch_ops::edge_tensors(copy(graph.begin, at::kLong), copy(graph.column, at::kInt), graph.columns);
  support->values = graph.values.empty() ? at::ones({graph.edges(), 1}, dtype) : copy(graph.values, at::kDouble).to(dtype).unsqueeze(1);
  return support;
}

}  // namespace calor::learn
